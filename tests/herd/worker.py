"""One process of the fleet: reads what to ask for, and tells what came of it, a line each.

In: the stage, then orders. Out: ``{"ready"}``, ``{"lease"}`` before each try for one, answers.
"""

import hashlib
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial

from tests.herd.clients import Client, Found, Refused, clients, replace_constants
from tests.herd.orders import Answer, Kind, Order, Stage

SWITCH_SECONDS = 0.2
"""Python has a hundred waiting threads wake 200 times a second each, to ask for their turn."""

_printing = threading.Lock()


def main() -> None:
    """Runs until the line is cut."""
    sys.setswitchinterval(SWITCH_SECONDS)
    stage = Stage.from_json(sys.stdin.readline())
    replace_constants(stage.constants)
    makers: dict[Kind, Callable[[], Client]] = {}
    environments: dict[Kind, list[Client]] = defaultdict(list)
    say(json.dumps({"ready": True}))
    for line in sys.stdin:
        order = Order.from_json(line)
        if order.kind not in makers:
            makers[order.kind] = clients(order.kind, stage=stage, announce=announce)
        mine = environments[order.kind]
        mine += [makers[order.kind]() for _ in order.asks[len(mine) :]]
        for client, (number, session) in zip(mine, order.asks, strict=False):
            work = partial(answer, client, order, stage, number=number, session=session)
            threading.Thread(target=work, daemon=True).start()


def answer(client: Client, order: Order, stage: Stage, *, number: int, session: str) -> None:
    """Asks at that time, and again when told to."""
    time.sleep(max(order.at - time.time(), 0))
    asked_at = time.time()
    refusals: list[str] = []
    found: Found | None = None
    while found is None:
        try:
            found = client(session)
        except Refused as refused:
            refusals.append(str(refused))
            waited = (time.time() - order.at) / stage.slower
            if refused.retry_after is None or waited > order.patience:
                break
            time.sleep(refused.retry_after * stage.slower)
    answer = Answer(
        number=number,
        session=session,
        asked_at=asked_at,
        answered_at=time.time(),
        sha256=hashlib.sha256(found.token.encode()).hexdigest() if found else None,
        source=found.source if found else None,
        refusals=refusals,
    )
    say(answer.to_json())


def announce(lease_id: str) -> None:
    say(json.dumps({"lease": lease_id}))


def say(line: str) -> None:
    """The reader gets a line whole or, of a killed process, not at all."""
    with _printing:
        print(line, flush=True)


if __name__ == "__main__":
    main()
