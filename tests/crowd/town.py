"""Where the crowd lives: all that is outside of the functions, and workers that share it."""

import json
import multiprocessing
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from tests.crowd.aws import Aws, tables_of
from tests.crowd.weather import Climate, Rough
from tests.crowd.worker import Plan, work
from tests.local.aws import REGION
from tests.local.oidc import OidcIssuer
from tests.local.ports import Listening, listen
from tests.local.server import Server, WsgiApp
from tests.local.stack import DEMO_BACKEND, LocalStack

TOKEN_SECONDS = 90
"""Short, so that most are renewed while the crowd is there."""

SECOND_AUDIENCE = "coze-sts-second"
BACKLOG = 512
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.crowd.worker", "tests.crowd.crowd"])


class Town:
    """A stack with so many workers in place of its own functions, in this climate.

    `log` is where their lines go.
    """

    def __init__(self, *, workers: int, climate: Climate, log: Path | None = None) -> None:
        self.climate = climate
        self.backend = DEMO_BACKEND
        self.second_prefix = "second_"
        self._open = ExitStack()
        self.second_issuer = self._second_issuer()
        self.stack = self._open.enter_context(LocalStack(parameters=self._parameters()))
        self.coze_config = self._roughen()
        self.log = log or Path(self._open.enter_context(TemporaryDirectory())) / "log"
        self._plan = Plan(
            resources=self.stack.resources,
            functions=self.stack.functions,
            users=(self.backend,),
            region=REGION,
            log=self.log,
            flaw=None,
        )
        self._doors = [self._open_door() for _ in range(workers)]
        self.ports = [door.port for door in self._doors]
        self._begin()

    def begin_anew(self, *, flaw: str) -> None:
        """With other workers, who have this flaw, and an empty log."""
        for worker in self._workers:
            _end(worker)
        self._plan = replace(self._plan, flaw=flaw)
        self._begin()

    def kill(self, index: int) -> None:
        """SIGKILL, whatever it is at; who knocks meanwhile waits for the next one."""
        _end(self._workers[index])
        self.killed += 1
        self._workers[index] = self._start(index)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            _end(worker)
        self._open.close()

    def _begin(self) -> None:
        self.log.write_bytes(b"")
        self.killed = 0
        self._workers = [self._start(index) for index in range(len(self._doors))]

    def _second_issuer(self) -> OidcIssuer:
        at = listen()
        issuer = OidcIssuer(issuer=at.url, audience=SECOND_AUDIENCE)
        self._open.enter_context(Server(issuer, at=at))
        return issuer

    def _parameters(self) -> dict[str, str]:
        return {
            "TokenDurationSeconds": str(TOKEN_SECONDS),
            "AllowNoOrigin": "off",
            "OidcIssuer2": self.second_issuer.issuer,
            "OidcAudience2": SECOND_AUDIENCE,
            "OidcPrefix2": self.second_prefix,
        }

    def _roughen(self) -> str:
        """Leads the functions' calls through the weather; the operator's secret, which says so."""
        climate = self.climate
        tables = self._open.enter_context(tables_of(self.stack))
        coze_url = self._serve(Rough(self.stack.coze, weather_of=lambda _call: climate.coze))
        wechat_url = self._serve(Rough(self.stack.wechat, weather_of=lambda _call: climate.wechat))
        aws_url = self._serve(Rough(Aws(tables), weather_of=climate.of_aws))
        for function in self.stack.functions.values():
            function.environment |= {"AWS_ENDPOINT_URL": aws_url, "WECHAT_API_BASE": wechat_url}
        config = json.dumps(json.loads(self.stack.coze_config) | {"coze_api_base": coze_url})
        self.stack.aws.put_secret("CozeSecret", config)
        return config

    def _open_door(self) -> Listening:
        """It stays open in this process, so that none of its workers can close it for good."""
        door = listen()
        door.socket.listen(BACKLOG)
        self._open.callback(door.socket.close)
        return door

    def _start(self, index: int) -> BaseProcess:
        worker = _processes.Process(target=work, args=[self._doors[index], self._plan], daemon=True)
        worker.start()
        return worker

    def _serve(self, app: WsgiApp) -> str:
        server: Server = self._open.enter_context(Server(app, at=listen()))
        return server.url


def _end(worker: BaseProcess) -> None:
    if worker.is_alive():  # else its number may be another's by now
        worker.kill()
    worker.join()
