"""``python -m tests.herd``: what a thousand requests at once cost, and how long they take."""

import argparse
import sys
from dataclasses import dataclass

from tests.engines import lacking
from tests.herd.fleet import Fleet
from tests.herd.load import Measured, run
from tests.herd.orders import Kind
from tests.herd.stage import stage
from tests.local.coze import CozeStandIn

PROCESSES = 8
REQUESTS = 1000
FEW = 40
EXCHANGE_SECONDS = 0.3
TABLE_SECONDS = 30
"""DynamoDB answers a crowd as fast as one; an engine on two cores has it queue for seconds."""

TITLES: dict[Kind, str] = {"service": "This service", "sdk": "cozepy, as its examples show it"}
HEADER = (
    f"{'':40}{'exchanges':>10}{'served':>8}{'again':>7}{'p50':>9}{'p99':>9}{'p50':>8}{'p99':>7}"
)
NOTE = """
p50, p99: from the moment when all requests are let go, in seconds, and relative to one exchange
(a request alone, of the same kind). again: told 503, and served after its Retry-After.
{processes} processes hold the requests in threads, each with a memory of its own, as as many
environments of Lambda would. Those have a processor each; these share this machine's with Coze's
stand-in and DynamoDB Local. So Coze and the service's clock go {slower:g} times slower, and the
seconds above are that clock's. (--slower 1 measures this machine.) What still takes longer for more
is processor time: above all cozepy's, which parses its key for every token. In Lambda its herd
would be felt by Coze alone: one exchange for each request.
"""


@dataclass(frozen=True, kw_only=True)
class Load:
    """Requests at once, and how many exchanges they must cost."""

    title: str
    kind: Kind
    sessions: list[str]
    exchanges: int


def loads(kind: Kind) -> list[Load]:
    """One request alone comes first: it is what the others are measured by."""
    cached = kind == "service"

    def one(count: int, session: str, title: str, *, exchanges: int = 1) -> Load:
        return Load(
            title=title,
            kind=kind,
            sessions=[f"{kind}-{session}"] * count,
            exchanges=exchanges if cached else count,
        )

    return [
        one(1, "alone", "1 request"),
        one(FEW, "few", f"{FEW} for one new session"),
        one(REQUESTS, "one", f"{REQUESTS} for one new session"),
        *(
            [one(REQUESTS, "alone", f"{REQUESTS}, token in the table", exchanges=0)]
            if cached
            else []
        ),
        Load(
            title=f"{REQUESTS} for {REQUESTS} new sessions",
            kind=kind,
            sessions=[f"{kind}-{number}" for number in range(REQUESTS)],
            exchanges=REQUESTS,
        ),
    ]


def main() -> int:
    """0 where the service asked Coze no more than it must and served all with their own token."""
    parser = argparse.ArgumentParser(prog="python -m tests.herd", description=__doc__)
    parser.add_argument("--slower", type=float, default=10, metavar="TIMES")
    slower: float = parser.parse_args().slower
    if lack := lacking("dynamodb-local"):
        parser.error(lack)
    coze = CozeStandIn()
    with (
        stage(coze, table_seconds=TABLE_SECONDS, slower=slower) as place,
        Fleet(place, processes=PROCESSES) as fleet,
    ):
        print(HEADER)
        good = {kind: measure(kind, fleet=fleet, coze=coze) for kind in TITLES}
    print(NOTE.format(processes=PROCESSES, slower=slower))
    return 0 if good["service"] else 1


def measure(kind: Kind, *, fleet: Fleet, coze: CozeStandIn) -> bool:
    """Prints a line for each load; whether all were as they must be."""
    coze.delay_seconds = 0
    run(
        fleet,
        coze,
        kind=kind,
        sessions=["warm-up"] * (REQUESTS if kind == "service" else PROCESSES),
    )
    coze.delay_seconds = EXCHANGE_SECONDS * fleet.stage.slower
    print(TITLES[kind])
    exchange, good = None, True
    for load in loads(kind):
        measured = run(fleet, coze, kind=kind, sessions=load.sessions)
        exchange = exchange or measured.percentile(0.5)
        print(line(load, measured, exchange=exchange), flush=True)
        for reason in measured.failures:
            print(f"    raised: {reason}")
        good = good and is_good(load, measured)
    return good


def is_good(load: Load, measured: Measured) -> bool:
    served = measured.served == len(load.sessions)
    return served and measured.own and measured.exchanges == load.exchanges


def line(load: Load, measured: Measured, *, exchange: float) -> str:
    """`exchange` is how long one takes that is alone."""
    p50, p99 = measured.percentile(0.5), measured.percentile(0.99)
    counts = f"{measured.exchanges:10}{measured.served:8}{measured.again:7}"
    times = f"{p50:7.2f} s{p99:7.2f} s{p50 / exchange:7.1f}x{p99 / exchange:6.1f}x"
    return f"  {load.title:38}{counts}{times}"


if __name__ == "__main__":
    sys.exit(main())
