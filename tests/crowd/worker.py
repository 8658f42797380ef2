"""One instance: a gateway with functions of its own, one request at a time, as Lambda's are."""

import importlib
import multiprocessing
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.local.functions import LAYER, LocalFunction
from tests.local.gateway import Gateway, IamUser
from tests.local.guard import Guard
from tests.local.ports import Listening
from tests.local.server import Server

sys.path.insert(0, str(LAYER))
# Once, by whoever forks the workers: so one that was killed is replaced in no time.
import coze_sts.broker
import coze_sts.coze.mint
import coze_sts.doors  # noqa: F401


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that a worker needs; `flaw` names a function of `tests.crowd.flaws` that breaks it."""

    resources: Mapping[str, Any]
    functions: Mapping[str, LocalFunction]
    users: tuple[IamUser, ...]
    region: str
    log: Path
    flaw: str | None


def work(at: Listening, plan: Plan) -> None:
    """Serves until it is killed, or its town ends."""
    # Nobody reads it but whoever looks for the reason of an answer.
    sys.stdout = sys.stderr = plan.log.open("a", buffering=1)
    if plan.flaw:
        getattr(importlib.import_module("tests.crowd.flaws"), plan.flaw)()
    gateway = Gateway(
        resources=plan.resources,
        invoke=lambda name, event: plan.functions[name].invoke(event),
        users=plan.users,
        region=plan.region,
    )
    Server(Guard(gateway, pages=True), at=at)
    if town := multiprocessing.parent_process():
        town.join()
