"""When something goes wrong, and what: drawn from a seed, for each call, or in gusts."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.crowd import faults
from tests.crowd.faults import Fault
from tests.local.server import WsgiApp

GUST_SECONDS = (0.5, 2.0)
GUSTS = 0.05
"""This share of the faults lasts, and meets every call meanwhile."""

COZE: Mapping[str, Fault] = {
    "slow": faults.slow(1.5),
    "slower than anybody waits": faults.slow(6),
    "told late": faults.late(2),
    "500": faults.says(500, {"code": 5000, "msg": "internal error"}),
    "503": faults.says(503, b"upstream connect error"),
    "429": faults.says(429, {"error_code": "slow_down"}, {"Retry-After": "1"}),
    "400": faults.says(400, {"error_code": "invalid_request", "error_message": "made up"}),
    "reset": faults.reset,
    "lost": faults.lost,
    "cut": faults.cut,
    "a page": faults.says(200, b"<!doctype html><title>Welcome</title>"),
    "no token": faults.says(200, {"access_token": None, "expires_in": 3600}),
    "no end": faults.says(200, {"access_token": "czs_endless", "expires_in": "never"}),
}
TABLES: Mapping[str, Fault] = {
    "slow": faults.slow(0.4),
    "done after the time-out": faults.slow(1.2),
    "told after the time-out": faults.late(1.2),
    "throttled": faults.aws_error(400, "ProvisionedThroughputExceededException"),
    "unprocessed": faults.unprocessed,
    "500": faults.aws_error(500, "InternalServerError"),
    "reset": faults.reset,
    "lost": faults.lost,
}
SECRETS: Mapping[str, Fault] = {
    "slow": faults.slow(0.5),
    "told after the time-out": faults.late(1.2),
    "throttled": faults.aws_error(400, "ThrottlingException"),
    "500": faults.aws_error(500, "InternalServiceError"),
    "reset": faults.reset,
}
WECHAT: Mapping[str, Fault] = {
    "slow": faults.slow(1),
    "busy": faults.says(200, {"errcode": -1, "errmsg": "system error"}),
    "too often": faults.says(200, {"errcode": 45011, "errmsg": "api minute-quota reach limit"}),
    "500": faults.says(500, b""),
    "reset": faults.reset,
    "lost": faults.lost,
    "cut": faults.cut,
}


@dataclass(kw_only=True)
class Weather:
    """The faults of one service; `rate` is how many of its calls meet one. 0 is fair weather."""

    name: str
    faults: Mapping[str, Fault]
    rate: float
    rng: random.Random
    met: Counter[str] = field(default_factory=Counter)
    _kind: str = ""
    _until: float = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def draw(self) -> Fault | None:
        """What this call meets, if anything."""
        with self._lock:
            if time.monotonic() >= self._until:
                if self.rng.random() >= self.rate:
                    return None
                self._kind = self.rng.choice(list(self.faults))
                lasts = self.rng.uniform(*GUST_SECONDS) if self.rng.random() < GUSTS else 0
                self._until = time.monotonic() + lasts
            self.met[f"{self.name}: {self._kind}"] += 1
            return self.faults[self._kind]


class Rough:
    """A WSGI app, as those meet it who call it in the weather that is drawn for their call."""

    def __init__(self, app: WsgiApp, *, weather_of: Callable[[dict[str, Any]], Weather]) -> None:
        self._app = app
        self._weather_of = weather_of

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """WSGI."""
        fault = self._weather_of(environ).draw()
        if fault is None:
            return self._app(environ, start_response)
        return fault(self._app, environ, start_response)


class Climate:
    """The weather of all whom the functions call, drawn from `seed`."""

    def __init__(self, seed: int) -> None:
        def weather(name: str, kinds: Mapping[str, Fault], rate: float) -> Weather:
            rng = random.Random(f"{seed} {name}")
            return Weather(name=name, faults=kinds, rate=rate, rng=rng)

        self.coze = weather("Coze", COZE, 0.06)
        self.tables = weather("tables", TABLES, 0.012)
        self.secrets = weather("secrets", SECRETS, 0.1)
        self.wechat = weather("WeChat", WECHAT, 0.1)

    def calm(self) -> None:
        """From now on nothing fails."""
        for weather in (self.coze, self.tables, self.secrets, self.wechat):
            weather.rate = 0

    def of_aws(self, environ: Mapping[str, Any]) -> Weather:
        """Which of the two services this call is for."""
        return self.tables if of_table(environ) else self.secrets

    @property
    def met(self) -> Counter[str]:
        """How often each fault was met."""
        return self.coze.met + self.tables.met + self.secrets.met + self.wechat.met


def of_table(environ: Mapping[str, Any]) -> bool:
    """Whether this call to AWS is for DynamoDB."""
    return str(environ.get("HTTP_X_AMZ_TARGET", "")).startswith("DynamoDB")
