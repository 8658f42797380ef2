"""The real broker, keys, encryption and assertions over a table in memory and the stand-in."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace

from coze_sts.allowance import Allowance
from coze_sts.broker import Broker
from coze_sts.cache.memory import TokenMemory
from coze_sts.coze.app_key import CozeApp, parse_app
from coze_sts.coze.keys import AppKeys
from coze_sts.errors import StsError, TemporarilyUnavailable
from coze_sts.stored_secret import SecretVersion, StoredSecret

from tests.factories import KEYRING, NOW, make_settings
from tests.local.coze import CozeStandIn, demo_config
from tests.parts import no_bindings
from tests.simulation.fragile import FragileTable
from tests.simulation.wsgi import WsgiSession

URL = "https://coze.test"
SETTINGS = make_settings(token_duration_seconds=300)
CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


SNAPSHOT_SEED = 7
"""Of Python's own random numbers, which every copy of a snapshot has in common."""


CONFIG, PUBLIC_PEM = demo_config(URL)
APP = parse_app(json.dumps(CONFIG))
"""One key for the whole run, under as many names as there are rotations."""


class Counts:
    """Telemetry of the request in hand."""

    def __init__(self) -> None:
        self.metrics: Counter[str] = Counter()

    def note(self, **_facts: object) -> None:
        pass

    def note_names(self, **_names: object) -> None:
        pass

    def count(self, metric: str) -> None:
        self.metrics[metric] += 1

    def coze_took(self, seconds: float) -> None:
        pass

    def warn(self, failure: StsError) -> None:
        pass


class Process:
    """A Lambda: a broker with a clock and a memory of its own."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.offset = 0.0
        self.restore()

    def restore(self) -> None:
        """Begins anew from a snapshot, with the random numbers that it was taken with."""
        random.seed(SNAPSHOT_SEED)
        self.grace: dict[str, str] = {}
        """By pk, the token that was served in trouble, and so may be in memory before its end."""
        self.fetched: dict[str, list[float]] = {CURRENT: [], PREVIOUS: []}
        service, self.counts, self.memory = self._service, Counts(), TokenMemory()
        self.broker = Broker(
            settings=SETTINGS,
            keys=AppKeys(
                current=self._secret(CURRENT), previous=self._secret(PREVIOUS), clock=self.clock
            ),
            keyring=lambda: KEYRING,
            store=service.table,  # type: ignore[arg-type]
            sessions=no_bindings(),
            memory=self.memory,
            budget=None,
            allowance=Allowance(clock=self.clock),
            http=lambda: service.http,  # type: ignore[arg-type, return-value]
            telemetry=self.counts,  # type: ignore[arg-type]
            clock=self.clock,
            sleep=service.sleep,
        )

    def clock(self) -> float:
        return self._service.now + self.offset

    def _secret(self, stage: str) -> StoredSecret[CozeApp]:
        def fetch() -> SecretVersion:
            self.fetched[stage].append(self.clock())
            return self._service.fetch(stage)

        return StoredSecret(
            fetch=fetch,
            parse=lambda kid: replace(self._service.app, kid=kid),
            clock=self.clock,
            on_failure=lambda _failure: None,
        )


class Service:
    """Two processes, their table, Coze and Secrets Manager; `now` is the true time."""

    def __init__(self) -> None:
        self.now = float(NOW)
        self.app = APP
        self.table = FragileTable()
        self.coze = CozeStandIn(clock=lambda: self.now)
        self.http = WsgiSession(self.coze)
        self.secrets_down = False
        self.stages = {CURRENT: "kid-0"}
        self.known: set[str] = set()
        self.learn("kid-0")
        self.processes = [Process(self), Process(self)]

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def fetch(self, stage: str) -> SecretVersion:
        if self.secrets_down or stage not in self.stages:
            raise TemporarilyUnavailable("Secrets Manager did not answer.")
        kid = self.stages[stage]
        return SecretVersion(version_id=kid, text=kid)

    def rotate(self, kid: str) -> None:
        """A new version of the secret; Coze is told apart."""
        self.stages = {CURRENT: kid, PREVIOUS: self.stages[CURRENT]}

    def learn(self, kid: str) -> None:
        """The operator adds a public key at Coze."""
        self.coze.register_app(client_id=self.app.client_id, kid=kid, public_key_pem=PUBLIC_PEM)
        self.known.add(kid)

    def unlearn(self, kid: str) -> None:
        """The operator deletes a public key at Coze."""
        self.coze.forget_key(kid=kid)
        self.known.remove(kid)
