"""What must hold of one request to the real service, whatever came before it."""

from __future__ import annotations

from dataclasses import dataclass

from coze_sts.access_token import AccessToken, State, min_left, state
from coze_sts.auth.session import Caller, cache_key, fleet_key, session_for
from coze_sts.cache.row import FleetHold, Row
from coze_sts.cache.seal import unseal
from coze_sts.errors import SlowDown, StsError
from coze_sts.keyring import Purpose

from tests.factories import KEYRING
from tests.simulation.rules import check
from tests.simulation.service import APP, SETTINGS, Process, Service

INDEX_KEY = KEYRING.derive(Purpose.INDEX)
FLEET_PK = fleet_key(index_key=INDEX_KEY, app=APP.identity, settings=SETTINGS)
LAST_SECONDS = 5
MOST_SECONDS = 19.5
ABSURD_SECONDS = 302


@dataclass(frozen=True, kw_only=True)
class Question:
    """A request, and all that was the case before it; `now` is the process's time."""

    service: Service
    process: Process
    caller: Caller
    pk: str
    rejected: str | None
    now: float
    row: Row | None
    stored: AccessToken | None
    """The token that the row truly holds."""
    held: AccessToken | None
    """The token in the process's memory."""
    blocked: bool
    """The row or the fleet's says that nobody may ask Coze, or that somebody does."""
    granted: int
    table_fails: bool
    equipped: bool
    """The process has the app's secret in memory, or gets it."""


def question(
    service: Service, *, process: Process, caller: Caller, rejected: str | None
) -> Question:
    """Looks at the world just before a request."""
    pk, now = pk_of(caller), process.clock()
    item = service.table.items.get(pk)
    row = item if isinstance(item, Row) else None
    return Question(
        service=service,
        process=process,
        caller=caller,
        pk=pk,
        rejected=rejected,
        now=now,
        row=row,
        stored=_stored(service, row),
        held=process.memory.get(f"guest {pk}" if caller.kind == "guest" else pk, now=now),
        blocked=_blocked(service, row, now=now),
        granted=len(service.coze.exchanges),
        table_fails=service.table.is_broken,
        equipped=_is_equipped(process),
    )


def _is_equipped(process: Process) -> bool:
    try:
        process.broker.keys.current()
    except StsError:
        return False
    return True


def pk_of(caller: Caller) -> str:
    """The row of a caller's session."""
    session = session_for(caller, settings=SETTINGS, keyring=KEYRING)
    return cache_key(session, index_key=INDEX_KEY, app=APP.identity, settings=SETTINGS)


def _stored(service: Service, row: Row | None) -> AccessToken | None:
    if row is None or row.sealed is None or (row.pk, row.sealed) not in service.table.sealed:
        return None
    return unseal(row.sealed, pk=row.pk, keyring=KEYRING)


def _blocked(service: Service, row: Row | None, *, now: float) -> bool:
    hold = service.table.items.get(FLEET_PK)
    times = [row.retry_at, row.lease_until + 2000] if row else []
    times += [hold.until] if isinstance(hold, FleetHold) else []
    return any(0 < time / 1000 - now <= ABSURD_SECONDS for time in times)


def judge_answer(asked: Question, token: AccessToken) -> None:
    """Raises Violation where the answer breaks an invariant."""
    _check_owner(asked, token)
    _check_life(asked, token)
    _check_origin(asked, token)
    _check_cost(asked)
    check("12", token.sha256 != asked.rejected, "the rejected token came back")
    check("11", asked.process.clock() - asked.now <= MOST_SECONDS, "too late")


def _check_owner(asked: Question, token: AccessToken) -> None:
    service = asked.service
    record = service.coze.tokens[token.value]
    number = list(service.coze.tokens).index(token.value)
    exchange = service.coze.exchanges[number]
    session = session_for(asked.caller, settings=SETTINGS, keyring=KEYRING)
    same = (record.session_name, exchange.session_context) == (session.name, session.context)
    check("16", session.name == asked.caller.name, "a session of another name")
    check("1", same, "another session's token")
    check("1", record.client_id == service.app.client_id, "another app's token")
    check("1", token.expires_at <= record.expires_at, "a longer life than Coze granted")


def _check_life(asked: Question, token: AccessToken) -> None:
    left = token.expires_at - asked.process.clock()
    check("2", left >= LAST_SECONDS, f"{left:.1f} s left")
    grace, metrics = asked.process.grace, asked.process.counts.metrics
    failed = metrics["TableFailed"] or metrics["ExchangeFailed"] or asked.blocked
    enough = left >= min_left(token.expires_at - token.issued_at)
    check("2", enough or failed or grace.get(asked.pk) == token.value, f"{left:.1f} s left")
    if not enough:
        grace[asked.pk] = token.value


def _check_origin(asked: Question, token: AccessToken) -> None:
    """From memory, from a row that nobody altered, or from Coze just now."""
    new = list(asked.service.coze.tokens)[asked.granted :]
    if new:
        check("13", token.value == new[-1], "another token than Coze just granted")
        return
    known = [known.value for known in (asked.held, asked.stored) if known is not None]
    check("14", token.value in known, "a token from nowhere")


def _check_cost(asked: Question) -> None:
    new = len(asked.service.coze.exchanges) - asked.granted
    check("5", new <= 1, f"{new} exchanges for one request")
    if asked.stored is None or asked.table_fails or asked.stored.sha256 == asked.rejected:
        return
    fresh = state(asked.stored, now=asked.now) is State.FRESH
    check("8", not fresh or not new, "an exchange while the row is FRESH")


def judge_refusal(asked: Question, error: StsError, *, well: bool) -> None:
    """Raises Violation where the caller should have got a token; `well` is all around them."""
    granted = len(asked.service.coze.exchanges) - asked.granted
    check("13", not granted, f"{error.code}, though Coze granted a token")
    check("11", asked.process.clock() - asked.now <= MOST_SECONDS, "too late")
    if isinstance(error, SlowDown):
        check("5", asked.rejected is not None, "told to slow down")
        return
    if not asked.equipped:
        return
    stale = state(asked.stored, now=asked.now) is State.STALE
    theirs = asked.stored is not None and asked.stored.sha256 != asked.rejected
    check("12", not (stale and theirs) or asked.table_fails, f"{error.code} in place of STALE")
    check("18", not well or asked.blocked, f"{error.code} though all is well: {error.operator}")


def judge_row(asked: Question) -> None:
    """Raises Violation where the row lost what it had."""
    item = asked.service.table.items.get(asked.pk)
    now_stored = _stored(asked.service, item if isinstance(item, Row) else None)
    if asked.stored is None or now_stored is None or now_stored.forced:
        return
    kept = now_stored.expires_at >= asked.stored.expires_at
    check("7", kept, "the row's token ends sooner than before")
