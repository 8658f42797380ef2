"""A small crowd, and proof that whatever a flawed service does to one would be seen.

``make attack-crowd`` sends ten thousand requests of two hundred users.
"""

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Response

from tests.crowd import (
    false_sign_ins,
    false_tickets,
    faults,
    guests,
    servers,
    trespasses,
    visits,
)
from tests.crowd.crowd import Crowd
from tests.crowd.door import CutOff, fetch
from tests.crowd.logbook import SECRETS, leaks
from tests.crowd.referee import Sighting, Spent, behind, judge, whose
from tests.crowd.report import Report
from tests.crowd.town import Town
from tests.crowd.visits import Act
from tests.crowd.weather import Climate, Rough, Weather
from tests.engines import lacking
from tests.local.coze import CozeStandIn, Exchange, TokenRecord
from tests.local.server import serve

SEED = 7
NOW = 1_795_000_000
SMALL = Crowd(requests=400, users=20, seed=SEED, strike_seconds=2)
SEEN = Sighting(
    token="czs_one",
    owner=whose("alice"),
    route="POST /token",
    at=NOW,
    expires_at=NOW + 60,
    worker=0,
)
FLAWS: dict[str, tuple[str, Sequence[Act]]] = {
    "sessions_mixed_up": ("it is of", [visits.sign_in]),
    "rows_mixed_up": ("it is of", [visits.sign_in]),
    "devices_mixed_up": ("it is of", [servers.serve_user]),
    "users_mixed_up": ("it is of", [guests.carry_over, visits.sign_in]),
    "clocks_stopped": ("before it is said to", [visits.sign_in]),
    "tickets_unread": ("a ticket forged: answered with a token", [false_tickets.forged]),
    "origins_unread": ("from a foreign page: answered with a token", [trespasses.from_abroad]),
    "names_unreserved": ("in a reserved name: answered", [false_sign_ins.in_a_reserved_name]),
    "careless": ("CRASHED", [visits.sign_in]),
    "talkative": ("LOGGED: a visitor's name", [visits.sign_in]),
}


@pytest.fixture(scope="module")
def calm_town() -> Iterator[Town]:
    skip_without_tables()
    climate = Climate(SEED)
    climate.calm()
    with Town(workers=3, climate=climate) as town:
        yield town


def skip_without_tables() -> None:
    if lack := lacking("dynamodb-local"):
        pytest.skip(lack)


def visit(town: Town, crowd: Crowd) -> Report:
    began = time.monotonic()
    notes = crowd.visit(town)
    return Report.of(town, notes, crowd=crowd, seconds=time.monotonic() - began)


def test_whatever_fails_every_token_is_its_owners_and_nobody_gets_anothers() -> None:
    skip_without_tables()
    with Town(workers=12, climate=Climate(SEED)) as town:
        report = visit(town, SMALL)
    assert report.good, report
    assert report.never_asked == set()
    assert len(report.notes.sightings) > SMALL.requests / 2
    assert report.notes.counts["hostile, refused"] > SMALL.requests / 20
    assert report.killed
    assert report.faults.total() > 10


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_in_the_service_is_reported(calm_town: Town, flaw: str) -> None:
    words, acts = FLAWS[flaw]
    calm_town.begin_anew(flaw=flaw)
    seed = SEED + 1 + list(FLAWS).index(flaw)
    crowd = replace(
        SMALL, requests=60, users=10, seed=seed, strike_seconds=60, acts=dict.fromkeys(acts, 1)
    )
    report = visit(calm_town, crowd)
    assert not report.good
    assert words in str(report)


def coze_that_issued(*, name: str = "alice", device: str | None = None) -> CozeStandIn:
    coze = CozeStandIn()
    context = {"device_info": {"device_id": device}} if device else None
    coze.exchanges.append(
        Exchange(
            client_id="1",
            kid="k",
            jti="j",
            session_name=name,
            session_context=context,
            duration_seconds=60,
            scope=None,
            path="/",
        )
    )
    coze.tokens["czs_one"] = TokenRecord(
        access_token="czs_one",
        client_id="1",
        session_name=name,
        expires_at=NOW + 60,
        duration_seconds=60,
        scope=None,
    )
    return coze


@pytest.mark.parametrize(
    "seen",
    [
        SEEN,
        replace(SEEN, owner=whose("bob"), also=frozenset({"alice"})),
        replace(SEEN, at=NOW + 59.9),
        replace(SEEN, expires_at=NOW + 50),
    ],
)
def test_a_token_of_ones_own_is_right_until_it_expires(seen: Sighting) -> None:
    assert judge(coze_that_issued(), [seen]) == []


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (replace(SEEN, token="czs_two"), "never issued"),
        (replace(SEEN, owner=whose("bob")), "name='alice'"),
        (replace(SEEN, owner=whose("bob"), also=frozenset({"carol"})), "name='alice'"),
        (replace(SEEN, owner=whose("alice", context={"device_info": {}})), "device='null'"),
        (replace(SEEN, at=NOW + 60), "had expired"),
        (replace(SEEN, expires_at=NOW + 61), "before it is said to"),
    ],
)
def test_any_other_token_is_wrong(seen: Sighting, reason: str) -> None:
    (wrong,) = judge(coze_that_issued(), [seen])
    assert reason in wrong.reason


def test_a_device_has_tokens_of_its_own() -> None:
    coze = coze_that_issued(device="d-1")
    mine = replace(SEEN, owner=whose("alice", context={"device_info": {"device_id": "d-1"}}))
    assert judge(coze, [mine]) == []
    assert judge(coze, [SEEN])


def test_a_user_is_behind_who_still_gets_the_session_from_before_they_carried_one_over() -> None:
    spent = [Spent(ticket="", user="alice", at=NOW - 5)]
    assert behind(coze_that_issued(), [SEEN], spent) == [5]
    assert behind(coze_that_issued(name="guest_a"), [SEEN], spent) == []
    assert behind(coze_that_issued(), [replace(SEEN, at=NOW - 6)], spent) == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a token", '{"message": "czs_0123456789"}'),
        ("a ticket", "g1.1.AAAAAAAAAAAA.BBBB"),
        ("an assertion or a sign-in", "Bearer eyJhbGciOi.eyJpc3MiOi.c2ln"),
        ("a guest's name", "guest_abcdefgh234567"),
        ("a visitor's name", "visitor-7-1"),
        ("an openid", "wechat_oAbCdEfGhIj"),
    ],
)
def test_a_secret_in_the_log_is_seen(tmp_path: Path, name: str, line: str) -> None:
    log = tmp_path / "log"
    log.write_text(f"harmless: must not begin with guest_\n{line}\nharmless\n")
    assert leaks(log) == {name: 1}
    assert name in SECRETS


@pytest.mark.parametrize(("fault", "done"), [(faults.reset, 0), (faults.lost, 1)])
def test_a_connection_that_is_reset_ends_at_once(fault: faults.Fault, done: int) -> None:
    calls = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        calls.append(environ)
        return Response("done")(environ, start_response)

    weather = Weather(name="bad", faults={"it": fault}, rate=1, rng=random.Random(SEED))
    with (
        serve(Rough(app, weather_of=lambda _call: weather)) as server,
        pytest.raises(CutOff, match=r"RemoteDisconnected|ConnectionResetError"),
    ):
        fetch("POST", f"{server.url}/")
    assert len(calls) == done


def test_in_fair_weather_nothing_fails_and_what_fails_in_rough_is_counted() -> None:
    always = Weather(name="bad", faults={"it": faults.lost}, rate=1, rng=random.Random(SEED))
    never = Weather(name="fair", faults={"it": faults.lost}, rate=0, rng=random.Random(SEED))
    assert [always.draw(), never.draw()] == [faults.lost, None]
    assert always.met == {"bad: it": 1}
