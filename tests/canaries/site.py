"""The three functions, cold-started at will, with everything planted in what they are given."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import pytest
from coze_sts.errors import StsError

from tests.canaries import planted
from tests.canaries.account import TABLES, Account, variables
from tests.canaries.cold_start import Context, cold_start
from tests.canaries.evidence import GIVEN, OWN, Evidence, everything_in_row, everything_of
from tests.canaries.harvest import Harvest
from tests.canaries.keys import Keys
from tests.canaries.outsiders import Outsiders
from tests.canaries.visits import Visit, event_of

BY_PSEUDONYM = "asked of Coze by pseudonym"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A function's answer; the body is {} where there is none."""

    status: int
    body: dict[str, Any]


@dataclass(kw_only=True)
class Site:
    """What scenarios act on. `seen` are the statuses of each route, `raised` our own errors."""

    level: str
    evidence: Evidence
    outsiders: Outsiders
    keys: Keys
    account: Account
    patch: pytest.MonkeyPatch
    harvest: Harvest = field(default_factory=Harvest)
    seen: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    raised: list[StsError] = field(default_factory=list)
    raised_kinds: set[type[StsError]] = field(default_factory=set)
    routes: set[str] = field(default_factory=set)
    apps: dict[str, ModuleType] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def begin(self, scenario: str) -> None:
        """Empty tables, stand-ins without a memory, good secrets, and no function started."""
        self.evidence.scenario = scenario
        self.coze, self.wechat, self.cloudflare = self.outsiders.renew()
        self.keys.register(self.coze)
        self.account.wipe()
        self.account.store(coze=json.dumps(self.keys.config("previous")))
        self.account.store(
            coze=json.dumps(self.keys.config("current")),
            cache=json.dumps(planted.CACHE_KEYS),
            turnstile=json.dumps({"secret": planted.TURNSTILE_SECRET}),
            wechat=json.dumps({"appid": planted.APPID, "secret": planted.WECHAT_SECRET}),
        )
        self.restart()

    def end(self) -> None:
        """Collects what the scenario left behind."""
        for table in TABLES:
            rows = map(everything_in_row, self.account.rows(table))
            self.evidence.add(table.replace("_", " ").lower(), "\n".join(rows))
        for name, recorder in self.outsiders.recorders.items():
            hidden = name == "Coze" and self.environment["SESSION_NAMING"] == "pseudonymous"
            place = BY_PSEUDONYM if hidden else f"asked of {name}"
            self.evidence.add(place, "\n".join(recorder.asked))
            self.evidence.add(GIVEN, "\n".join(recorder.said))
            self.harvest.assertions(recorder.asked)
            recorder.asked.clear()
            recorder.said.clear()
        self.evidence.add("our errors", "\n".join(repr(vars(error)) for error in self.raised))
        self.raised.clear()
        self.evidence.collect()

    def restart(self, **changed: str) -> None:
        """New execution environments from now on, with these variables besides the usual."""
        self.apps.clear()
        for name in self.environment:
            self.patch.delenv(name)
        usual = variables(level=self.level, urls=self.outsiders.urls)
        self.environment = usual | changed
        for name, value in self.environment.items():
            self.patch.setenv(name, value)
        self.evidence.add(GIVEN, repr(self.environment))

    def app(self, name: str) -> ModuleType:
        """A function, started where it is not yet."""
        if name not in self.apps:
            self.apps[name] = cold_start(name, level=self.level)
            self.routes |= getattr(self.apps[name], "ROUTES", {}).keys()
        return self.apps[name]

    def ask(self, visit: Visit, *, seconds: float = 20, **changed: Any) -> Answer:
        """One request, by way of an event such as API Gateway sends."""
        visit = replace(visit, **changed)
        response = self.invoke(visit.function, event_of(visit), Context(seconds))
        status, text = response["statusCode"], response.get("body", "{}")
        self.seen[visit.route].add(status)
        body = json.loads(text)
        rest = self.harvest.without_own(body, visit.session, coze=self.coze)
        own = {name: body[name] for name in body.keys() - rest.keys()}
        self.evidence.add("answers", json.dumps([response["headers"], rest]))
        self.evidence.add(OWN, json.dumps(own) if own else "")
        return Answer(status=status, body=body)

    def invoke(self, function: str, event: dict[str, Any], context: object = None) -> Any:
        """What the handler returns; what it raises is kept as evidence."""
        self.evidence.add(GIVEN, json.dumps(event))
        try:
            return self.app(function).lambda_handler(event, context)
        except Exception as error:  # noqa: BLE001 - Lambda would log whatever it is
            self.evidence.add("escaped exceptions", everything_of(error))
            return {"statusCode": 0, "headers": {}}

    def human(self) -> str:
        """The Turnstile token of somebody on one of the site's pages."""
        return self.cloudflare.solve(hostname="www.example.com")

    def code(self) -> str:
        """What wx.login gives in the mini-program."""
        return self.wechat.log_in(appid=planted.APPID, user="somebody with a phone")
