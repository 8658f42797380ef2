"""The limits of a day where somebody leans on them: a failing counter, other pages, guests."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from coze_sts import policy
from coze_sts.cache.counters import SITE
from coze_sts.cache.decision import FORCED_INTERVAL_SECONDS
from coze_sts.cache.dynamodb import Items
from coze_sts.errors import StoreUnavailable

from tests.factories import make_settings
from tests.functions.conftest import IAM, ORIGIN, Caller, signed_in
from tests.local.coze import CozeStandIn

PAGES = [ORIGIN, *(f"https://p{number}.example.com" for number in range(1, 5))]


@pytest.fixture
def site_counter_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The item of the whole site is throttled; all else of the table works."""
    real = Items.update

    def update(self: Items, pk: str, **asked: Any) -> Any:
        if pk == SITE:
            raise StoreUnavailable("The token table refused a write: throttled.")
        return real(self, pk, **asked)

    monkeypatch.setattr(Items, "update", update)


def test_a_budget_that_cannot_be_counted_is_the_small_allowance_of_each_process(
    call: Caller, coze: CozeStandIn, site_counter_fails: None
) -> None:
    statuses = [call("POST /guest/token")[0] for _ in range(8)]
    assert statuses.count(200) == len(coze.exchanges) == 3
    assert set(statuses) == {200, 503}


def test_a_session_gains_little_by_asking_from_pages_with_other_settings(
    load: Callable[[str], ModuleType],
    coze: CozeStandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = ",".join(
        f'"{page}": {{"token_duration_seconds": {600 + number}}}'
        for number, page in enumerate(PAGES)
        if number
    )
    (tmp_path / "policy.json").write_text(f'{{"origins": {{{rules}}}}}')
    monkeypatch.setattr(policy, "POLICY_PATH", tmp_path / "policy.json")
    monkeypatch.setenv("ALLOWED_ORIGINS", ",".join(PAGES))
    monkeypatch.setenv("TOKENS_PER_SESSION", "1")
    call = Caller(load("token").lambda_handler)
    ticket = call("POST /guest/token")[1]["guest_ticket"]
    body = {"guest_ticket": ticket}
    answers = [call("POST /guest/token", body, origin=page)[0] for page in PAGES]
    assert answers == [200, 200, 429, 429, 429]
    assert len(coze.exchanges) == 2


def test_guests_leave_half_of_the_budget_to_those_who_sign_in(
    load: Callable[[str], ModuleType], coze: CozeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OIDC_ISSUER", "https://login.example.com/")
    monkeypatch.setenv("EXCHANGES_PER_DAY", "4")
    call = Caller(load("token").lambda_handler)
    assert [call("POST /guest/token")[0] for _ in range(4)] == [200, 200, 429, 429]
    assert call("POST /token", authorizer=signed_in("alice"))[0] == 200
    assert call("POST /backend/token", {"session_name": "u-1"}, authorizer=IAM)[0] == 200
    assert call("POST /token", authorizer=signed_in("bob"))[0] == 429
    assert len(coze.exchanges) == 4


def test_where_nobody_signs_in_guests_have_it_all(call: Caller, coze: CozeStandIn) -> None:
    settings = make_settings(exchanges_per_day=4)
    assert settings.guest_exchanges_per_day == 4
    assert make_settings(exchanges_per_day=1, wechat_secret_id="wx").guest_exchanges_per_day == 1


def test_one_address_cannot_use_up_the_defaults() -> None:
    """Whoever changes one of the four has to look at the others."""
    chosen = make_settings(wechat_secret_id="wx")
    most = 2 * chosen.new_guests_per_address * chosen.tokens_per_session
    assert most < chosen.guest_exchanges_per_day
    needed = 86_400 / (0.6 * chosen.token_duration_seconds)
    assert needed < chosen.tokens_per_session
    assert FORCED_INTERVAL_SECONDS >= 60
