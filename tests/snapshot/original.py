"""The process that a snapshot is taken of: a function, and the part of Lambda that copies it.

In: what to do, a line of JSON each. Out, on the pipe that the second argument names: what came of
it, a line each. A copy is a fork of which Python is not told, so that it mends nothing; OpenSSL
alone notices, by the number of the process, which Lambda's copies share with the original.
"""

import ctypes
import gc
import json
import os
import random
import sys
from types import ModuleType
from typing import Any, TextIO

from coze_sts.cache.memory import TokenMemory
from coze_sts.sessions import Sessions
from coze_sts.stored_secret import StoredSecret
from snapshot_restore_py import get_after_restore, get_before_snapshot

from tests.canaries.cold_start import FUNCTIONS, Context
from tests.local.functions import import_app

SECONDS = 20


def main() -> None:
    """Initialises the function, and goes on until the line is cut."""
    function, out = sys.argv[1], os.fdopen(int(sys.argv[2]), "w", buffering=1)
    app = import_app(FUNCTIONS / function / "app.py")
    leases = watch_leases(app)
    while before := get_before_snapshot():
        hook, args, options = before.pop()
        hook(*args, **options)
    tell(out, app, leases=leases)
    for line in sys.stdin:
        order = json.loads(line)
        if order["copy"]:
            copy_that_serves(app, order["events"], leases, out)
        else:
            app.KMS()  # as where KMS signs
            tell(out, app, answers=serve(app, order["events"]), leases=leases)


def copy_that_serves(
    app: ModuleType, events: list[dict[str, Any]], leases: list[str], out: TextIO
) -> None:
    """What Lambda does with a snapshot."""
    pid = ctypes.PyDLL(None).fork()
    if pid:
        os.waitpid(pid, 0)
        return
    leases.clear()
    for hook, args, options in get_after_restore():
        hook(*args, **options)
    inherited = sockets() + memories(app)
    tell(out, app, answers=serve(app, events), leases=leases, inherited=inherited)
    os._exit(0)


def serve(app: ModuleType, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers, one after the other."""
    return [app.lambda_handler(event, Context(SECONDS)) for event in events]


def watch_leases(app: ModuleType) -> list[str]:
    """Will hold the id of each lease that is asked for."""
    leases: list[str] = []

    def note(params: dict[str, Any], **_: object) -> None:
        if params["UpdateExpression"].startswith("SET lease_id"):
            leases.append(params["ExpressionAttributeValues"][":me"]["S"])

    app.DYNAMODB.meta.events.register("provide-client-params.dynamodb.UpdateItem", note)
    return leases


def sockets() -> list[str]:
    """The open ones, by the kernel's numbers."""
    links = [os.readlink(entry.path) for entry in os.scandir("/proc/self/fd") if entry.is_symlink()]
    return [link for link in links if link.startswith("socket:")]


def memories(app: ModuleType) -> list[str]:
    """What of ours holds something of a visitor, a secret, or a client with its connections."""
    clients = {name for name, made in vars(app).items() if hasattr(made, "cache_info")}
    held = [name for name in clients if getattr(app, name).cache_info().currsize]
    return held + [type(each).__name__ for each in gc.get_objects() if remembers(each)]


def remembers(held: object) -> bool:
    """Whether it is one of the three that do, and is not empty."""
    if isinstance(held, StoredSecret):
        return held._value is not None
    if isinstance(held, TokenMemory):
        return bool(held._held)
    return isinstance(held, Sessions) and bool(held.known)


def tell(out: TextIO, app: ModuleType, **known: object) -> None:
    """What came of it, and what two copies might share."""
    said = {"sockets": sockets(), "memories": memories(app), "drawn": random.random()}
    out.write(json.dumps(said | {"modules": [*sys.modules]} | known) + "\n")


if __name__ == "__main__":
    main()
