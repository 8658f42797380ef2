"""One log line and one metric record a request; no secret in either."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import PurePath
from typing import Any, Literal

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from coze_sts.errors import StsError
from coze_sts.keyring import Keyring

SERVICE = "coze-sts"
NAMESPACE = "CozeSTS"
ISSUED, FORGOTTEN, REFUSED, FAILED = "issued", "forgotten", "refused", "failed"
"""What was decided: the service refused, or it failed; where nothing was asked, nothing was."""

Level = Literal["info", "warning", "critical"]

_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=str)
"""Made once: the Logger's own way makes one for each line."""

TALKATIVE = ("botocore", "boto3", "urllib3")
"""Libraries that write whole answers, secrets included, where the function's level is DEBUG."""


class Telemetry:
    """Collects what is known of a request and writes it once, at its end.

    Facts are names, counts, hashes and Coze's own words after cleaning: nothing that opens
    anything, and no visitor's name. Only what is `for_visitors` is counted by status: what an
    operator or a schedule started must not ring the alarm that somebody has no token.
    """

    def __init__(self, *, logger: Logger, metrics: Metrics, for_visitors: bool = True) -> None:
        self._logger = logger
        self._metrics = metrics
        self._for_visitors = for_visitors
        self._facts: dict[str, Any] = {}

    def begin(self, *, route: str, request_id: str) -> None:
        """Starts a request, with nothing left of the one before."""
        self._facts = {"route": route, "correlation_id": request_id}

    def note(self, **facts: str | int | None) -> None:
        """Adds facts to this request's line; None is left out."""
        self._facts |= {name: value for name, value in facts.items() if value is not None}

    def note_names(self, *, session: str, caller: str, keyring: Keyring) -> None:
        """Adds whose request it is, as digests: the session, and who they are if not the same."""
        if session == caller:
            known = self._facts.pop("caller", None)
            self.note(session=known or keyring.log_hash(session))
        else:
            self.note_caller(caller, keyring=keyring)
            self.note(session=keyring.log_hash(session))

    def note_caller(self, caller: str, *, keyring: Keyring) -> None:
        """Adds who they are, for the case that they get no session."""
        self.note(caller=keyring.log_hash(caller))

    def count(self, metric: str) -> None:
        """Adds one to a metric."""
        self._metrics.add_metric(name=metric, unit=MetricUnit.Count, value=1)

    def coze_took(self, seconds: float) -> None:
        """Keeps how long a call to Coze took, with the signature and whatever came of it."""
        self._measure("CozeLatency", seconds * 1000, MetricUnit.Milliseconds)

    def budget_used(self, share: float) -> None:
        """Keeps how much of the day's exchanges is used: 1 is all of them."""
        self._measure("BudgetUsed", share * 100, MetricUnit.Percent)

    def warn(self, failure: StsError) -> None:
        """Logs a failure that the caller does not feel."""
        self._logger.warning(failure.operator or failure.description, **self._facts)

    def table_failed(self, failure: StsError) -> None:
        """Logs and counts that the table did not answer, though the request goes on."""
        self.count("TableFailed")
        self.warn(failure)

    def secret_failed(self, failure: StsError) -> None:
        """Logs and counts that a secret could not be read; a good value in memory goes on."""
        self.count("SecretFailed")
        self.warn(failure)

    def checked(self, message: str, *, level: Level, **facts: str) -> None:
        """Writes a line of its own for a part of what is under way."""
        getattr(self._logger, level)(message, **self._facts, **facts)

    def ended(self) -> None:
        """Ends what was no request of anybody: its metrics go out, without a status."""
        self._metrics.flush_metrics()

    def answered(self, status: int) -> None:
        """Ends a request that got what it asked for."""
        self._finish(status)
        self._logger.info("answered", **self._facts)

    def refused(self, error: StsError) -> None:
        """Ends a request that got an error; what the operator must mend is logged as an error."""
        self.note(error=error.code, decision=FAILED if error.status >= 500 else REFUSED)
        self._finish(error.status)
        log = self._logger.error if error.status >= 500 else self._logger.warning
        log(error.operator or error.description, **self._facts)

    def crashed(self, error: Exception) -> None:
        """Ends a request in which our own code failed.

        Only the class and the places are kept: an exception's text may quote a secret.
        """
        frames = traceback.extract_tb(error.__traceback__)
        places = [f"{PurePath(f.filename).name}:{f.lineno} {f.name}" for f in frames]
        self.note(error="server_error", decision=FAILED, exception_name=type(error).__name__)
        self._finish(500)
        self._logger.error("unexpected exception", places=places, **self._facts)

    def _measure(self, metric: str, value: float, unit: MetricUnit) -> None:
        self._metrics.add_metric(name=metric, unit=unit, value=round(value, 1))

    def _finish(self, status: int) -> None:
        self.note(status=status)
        if self._for_visitors:
            self.count(f"Status{status // 100}xx")
            self._metrics.flush_metrics()


def new_telemetry(*, for_visitors: bool = True) -> Telemetry:
    """The telemetry of a process.

    The level comes from POWERTOOLS_LOG_LEVEL, the metrics' one dimension from
    POWERTOOLS_SERVICE_NAME.
    """
    for library in TALKATIVE:
        logging.getLogger(library).setLevel(logging.WARNING)
    return Telemetry(
        # What is logged is found by its correlation_id; traces are off unless asked for.
        logger=Logger(
            service=SERVICE, json_serializer=_ENCODER.encode, location=None, xray_trace_id=None
        ),
        # The template names the service after the stack, so that no stack's alarm watches another.
        metrics=Metrics(namespace=NAMESPACE),
        for_visitors=for_visitors,
    )
