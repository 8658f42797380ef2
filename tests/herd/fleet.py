"""Starts the processes, gives them work, kills and freezes them."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from tests.herd.orders import Answer, Kind, Order, Stage
from tests.local.functions import LAYER, ROOT

START_SECONDS = 60


class Worker:
    """One process."""

    def __init__(self, stage: Stage, *, answers: queue.Queue[Answer]) -> None:
        path = os.pathsep.join(map(str, (ROOT, LAYER)))
        self.leases: set[str] = set()
        self.struck_at: list[float] = []
        self._answers = answers
        self._ready = threading.Event()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.herd.worker"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._tell(stage.to_json())
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def alive(self) -> bool:
        """Whether it has not been killed; it may be frozen."""
        return self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Raises TimeoutError."""
        if not self._ready.wait(START_SECONDS):
            raise TimeoutError("a process of the fleet did not start")

    def ask(
        self, asks: Sequence[tuple[int, str]], *, kind: Kind, at: float, patience: float
    ) -> None:
        """Asks for these sessions' tokens, each request by its number, all at once."""
        self._tell(Order(kind=kind, at=at, patience=patience, asks=list(asks)).to_json())

    def kill(self) -> None:
        """SIGKILL."""
        self.struck_at.append(time.time())
        self._process.kill()
        self._process.wait()

    def freeze(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after so long."""
        self._process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.struck_at.append(time.time())
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Ends the process, whatever it is at."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            facts = json.loads(line)
            if "ready" in facts:
                self._ready.set()
            elif "lease" in facts:
                self.leases.add(facts["lease"])
            else:
                self._answers.put(Answer(**facts))


class Fleet:
    """So many processes on one stage."""

    def __init__(self, stage: Stage, *, processes: int) -> None:
        self.stage = stage
        self._answers: queue.Queue[Answer] = queue.Queue()
        self.workers: list[Worker] = []
        self._size = processes

    def __enter__(self) -> Self:
        self.replenish()
        for worker in self.workers:
            worker.wait_until_ready()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self.workers:
            worker.close()

    def replenish(self) -> None:
        """Starts a process for each that was killed."""
        for worker in [worker for worker in self.workers if not worker.alive]:
            worker.close()
            self.workers.remove(worker)
        for _ in range(self._size - len(self.workers)):
            self.workers.append(Worker(self.stage, answers=self._answers))

    def holder(self, lease_id: str) -> Worker | None:
        """Whose lease this is."""
        return next((worker for worker in self.workers if lease_id in worker.leases), None)

    def answer(self, *, within: float) -> Answer:
        """The next answer of any process; raises queue.Empty."""
        return self._answers.get(timeout=max(within, 0))
