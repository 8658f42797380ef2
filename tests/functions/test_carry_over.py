"""A guest who signs in keeps their session: it becomes the user's, for good and for them alone."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import boto3
import pytest
import requests
from coze_sts.auth.session import Caller as Person
from coze_sts.auth.session import binding_key

from tests.functions.conftest import IAM, RING, Caller, signed_in
from tests.local.coze import CozeStandIn

ALICE, BOB = signed_in("alice"), signed_in("bob")
NAMINGS = pytest.mark.parametrize("naming", ["plain", "pseudonymous"])
GRANT = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "duration_seconds": 900}

Start = Callable[[], Caller]
SessionOf = Callable[[dict[str, Any]], str]


@pytest.fixture(autouse=True)
def issuer(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where visitors can sign in, a guest may be a user by now."""
    monkeypatch.setenv("OIDC_ISSUER", "https://one.example")


@pytest.fixture
def start(load: Callable[[str], ModuleType]) -> Start:
    """A new process of TokenFunction."""
    return lambda: Caller(load("token").lambda_handler)


@pytest.fixture
def session_of(coze: CozeStandIn) -> SessionOf:
    """Whose session the token of an answer opens, as Coze knows it."""
    return lambda body: str(coze.tokens[body["access_token"]].session_name)


def new_guest(call: Caller) -> tuple[str, dict[str, Any]]:
    """The ticket of a new guest, and the whole answer."""
    status, body, _ = call("POST /guest/token")
    assert status == 200
    return body["guest_ticket"], body


def sign_in(call: Caller, ticket: str, who: dict[str, Any] = ALICE) -> tuple[int, dict[str, Any]]:
    status, body, _ = call("POST /token", {"guest_ticket": ticket}, authorizer=who)
    return status, body


@pytest.fixture
def bindings(environment: dict[str, str]) -> Callable[[], list[dict[str, Any]]]:
    """All records of BINDING_TABLE."""
    client = boto3.client("dynamodb")
    return lambda: client.scan(TableName=environment["BINDING_TABLE"])["Items"]


Bindings = Callable[[], list[dict[str, Any]]]


def test_a_guest_who_signs_in_keeps_session_and_token(
    call: Caller, session_of: SessionOf, coze: CozeStandIn
) -> None:
    ticket, guest = new_guest(call)
    status, user = sign_in(call, ticket)
    assert (status, user["guest_carried_over"]) == (200, True)
    assert session_of(user) == session_of(guest)
    assert user["access_token"] == guest["access_token"]
    assert len(coze.exchanges) == 1


def test_who_signs_in_without_a_ticket_is_told_nothing_of_guests(call: Caller) -> None:
    _, body, _ = call("POST /token", authorizer=ALICE)
    assert "guest_carried_over" not in body


def test_from_then_on_the_user_has_that_session_without_the_ticket(
    start: Start, session_of: SessionOf
) -> None:
    first = start()
    ticket, guest = new_guest(first)
    sign_in(first, ticket)
    for call in (first, start()):
        _, user, _ = call("POST /token", authorizer=ALICE)
        assert session_of(user) == session_of(guest)
        _, other, _ = call("POST /token", authorizer=BOB)
        assert session_of(other) == "bob"


def test_the_page_may_send_the_ticket_again(start: Start, session_of: SessionOf) -> None:
    first = start()
    ticket, guest = new_guest(first)
    for call in (first, first, start()):
        status, user = sign_in(call, ticket)
        assert (status, user["guest_carried_over"]) == (200, True)
        assert session_of(user) == session_of(guest)


def test_a_ticket_that_was_carried_over_is_401_as_a_guest(start: Start, coze: CozeStandIn) -> None:
    first = start()
    ticket, _ = new_guest(first)
    sign_in(first, ticket)
    for call in (first, start()):
        status, body, _ = call("POST /guest/token", {"guest_ticket": ticket})
        assert (status, body["error"]) == (401, "invalid_token")
    assert len(coze.exchanges) == 1


def test_a_ticket_cannot_be_carried_over_to_another_user(
    start: Start, session_of: SessionOf
) -> None:
    first = start()
    ticket, _ = new_guest(first)
    sign_in(first, ticket)
    for call in (first, start()):
        status, body = sign_in(call, ticket, BOB)
        assert (status, body["error"]) == (401, "invalid_token")
        _, bob, _ = call("POST /token", authorizer=BOB)
        assert session_of(bob) == "bob"


def test_a_user_who_was_a_guest_already_stays_who_they_are_and_so_does_the_second_guest(
    start: Start, session_of: SessionOf
) -> None:
    call = start()
    (first, guest), (second, other) = new_guest(call), new_guest(call)
    sign_in(call, first)
    for process in (call, start()):
        status, user = sign_in(process, second)
        assert (status, user["guest_carried_over"]) == (200, False)
        assert session_of(user) == session_of(guest)
        _, again, _ = process("POST /guest/token", {"guest_ticket": second})
        assert session_of(again) == session_of(other)
    assert sign_in(call, second, BOB)[1]["guest_carried_over"] is True


def test_a_user_of_the_second_issuer_is_another_user(
    start: Start, session_of: SessionOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OIDC_ISSUER_2", "https://two.example")
    monkeypatch.setenv("OIDC_PREFIX_2", "two_")
    call = start()
    one, two = (
        {"jwt": {"claims": {"sub": "alice", "iss": f"https://{issuer}.example"}}}
        for issuer in ("one", "two")
    )
    ticket, guest = new_guest(call)
    _, second, _ = call("POST /token/2", {"guest_ticket": ticket}, authorizer=two)
    assert session_of(second) == session_of(guest)
    assert session_of(call("POST /token", authorizer=one)[1]) == "alice"
    assert sign_in(call, ticket, one)[0] == 401


# Whoever else means that user


@NAMINGS
def test_a_backend_that_names_the_user_gets_the_guests_session(
    start: Start, session_of: SessionOf, monkeypatch: pytest.MonkeyPatch, naming: str
) -> None:
    monkeypatch.setenv("SESSION_NAMING", naming)
    first = start()
    ticket, guest = new_guest(first)
    sign_in(first, ticket)
    for call in (first, start()):
        _, server, _ = call("POST /backend/token", {"session_name": "alice"}, authorizer=IAM)
        _, page, _ = call("POST /token", authorizer=ALICE)
        assert session_of(server) == session_of(page) == session_of(guest)


@NAMINGS
def test_an_assertion_for_the_user_names_the_guests_session(
    load: Callable[[str], ModuleType],
    coze: CozeStandIn,
    session_of: SessionOf,
    monkeypatch: pytest.MonkeyPatch,
    *,
    naming: str,
) -> None:
    monkeypatch.setenv("SESSION_NAMING", naming)
    call = Caller(load("token").lambda_handler)
    ticket, guest = new_guest(call)
    sign_in(call, ticket)
    sign = Caller(load("assertion").lambda_handler)
    _, body, _ = sign("POST /backend/assertion", {"session_name": "alice"}, authorizer=IAM)
    bearer = {"Authorization": f"Bearer {body['assertion']}"}
    answer = requests.post(body["token_endpoint"], json=GRANT, headers=bearer, timeout=5)
    assert session_of(answer.json()) == session_of(guest)


@pytest.mark.parametrize(
    ("route", "body", "who"),
    [("DELETE /token", None, ALICE), ("DELETE /backend/token", {"session_name": "alice"}, IAM)],
)
def test_to_forget_the_users_token_is_to_forget_the_guests(
    start: Start, monkeypatch: pytest.MonkeyPatch, route: str, body: Any, who: Any
) -> None:
    monkeypatch.setenv("SESSION_NAMING", "pseudonymous")
    ticket, guest = new_guest(start())
    sign_in(start(), ticket)
    assert start()(route, body, authorizer=who)[0] == 204
    _, user, _ = start()("POST /token", authorizer=ALICE)
    assert user["access_token"] != guest["access_token"]


def test_a_name_that_is_only_alike_is_another_user(start: Start, session_of: SessionOf) -> None:
    call = start()
    sign_in(call, new_guest(call)[0])
    for name in ("Alice", "alice2", "ALICE"):
        assert session_of(call("POST /token", authorizer=signed_in(name))[1]) == name


# Where nothing may be bound


@pytest.mark.parametrize("off", [{"GUEST_SESSIONS": "off"}, {"BINDING_TABLE": ""}])
def test_where_it_is_not_set_up_a_ticket_is_403_and_binds_nothing(
    start: Start, bindings: Bindings, monkeypatch: pytest.MonkeyPatch, off: dict[str, str]
) -> None:
    ticket, _ = new_guest(start())
    for name, value in off.items():
        monkeypatch.setenv(name, value)
    call = start()
    status, body = sign_in(call, ticket)
    assert (status, body["error"]) == (403, "access_denied")
    assert bindings() == []
    assert call("POST /token", authorizer=ALICE)[0] == 200


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"rejected_token": "A" * 64}, 400),
        ({"rejected_token": 1}, 400),
        ({"session_name": "bob"}, 400),
        ({"guest_ticket": "g1.1.made.up"}, 401),
        ({"guest_ticket": ""}, 401),
        ({"guest_ticket": None}, 400),
    ],
)
def test_a_request_that_is_wrong_in_anything_binds_nothing(
    call: Caller, bindings: Bindings, more: dict[str, Any], status: int
) -> None:
    ticket, _ = new_guest(call)
    answer = call("POST /token", {"guest_ticket": ticket} | more, authorizer=ALICE)
    assert answer[0] == status
    assert bindings() == []
    assert call("POST /guest/token", {"guest_ticket": ticket})[0] == 200


@pytest.mark.parametrize(
    ("who", "origin", "status"),
    [
        (None, "https://www.example.com", 401),
        (signed_in("guest_x"), "https://www.example.com", 403),
        (ALICE, "https://evil.example", 403),
        (ALICE, None, 403),
    ],
)
def test_who_may_not_sign_in_binds_nothing(
    call: Caller, bindings: Bindings, *, who: Any, origin: str | None, status: int
) -> None:
    ticket, _ = new_guest(call)
    answer = call("POST /token", {"guest_ticket": ticket}, authorizer=who, origin=origin)
    assert answer[0] == status
    assert bindings() == []


def test_no_other_route_takes_a_ticket_to_carry_over(call: Caller, bindings: Bindings) -> None:
    ticket, _ = new_guest(call)
    body = {"session_name": "alice", "guest_ticket": ticket}
    assert call("POST /backend/token", body, authorizer=IAM)[0] == 400
    assert call("DELETE /token", {"guest_ticket": ticket}, authorizer=ALICE)[0] == 400
    assert bindings() == []


# What fails


def test_a_binding_stays_where_coze_then_has_no_token_and_asking_again_works(
    start: Start, session_of: SessionOf, coze: CozeStandIn, environment: dict[str, str]
) -> None:
    ticket, guest = new_guest(start())
    forget_all_tokens(environment)
    coze.fail_next(status=400, body={"error": "x"})
    assert sign_in(start(), ticket)[0] == 502
    assert start()("POST /guest/token", {"guest_ticket": ticket})[0] == 401
    assert sign_in(start(), ticket, BOB)[0] == 401
    forget_all_tokens(environment)
    status, user = sign_in(start(), ticket)
    assert (status, user["guest_carried_over"]) == (200, True)
    assert session_of(user) == session_of(guest)


def forget_all_tokens(environment: dict[str, str]) -> None:
    """As if a day had gone by."""
    client, table = boto3.client("dynamodb"), environment["TOKEN_TABLE"]
    for item in client.scan(TableName=table)["Items"]:
        client.delete_item(TableName=table, Key={"pk": item["pk"]})


def key_of(kind: Any, name: str) -> dict[str, Any]:
    """Where the record of somebody is."""
    return {"pk": {"S": binding_key(Person(kind=kind, name=name), key=RING.binding_key)}}


def test_a_record_that_this_service_did_not_write_so_is_500_and_never_anothers_session(
    load: Callable[[str], ModuleType],
    environment: dict[str, str],
    session_of: SessionOf,
    capsys: pytest.CaptureFixture[str],
) -> None:
    call = Caller(load("token").lambda_handler)
    ticket, guest = new_guest(call)
    sign_in(call, ticket)
    client, table = boto3.client("dynamodb"), environment["BINDING_TABLE"]
    alices = client.get_item(TableName=table, Key=key_of("user", "alice"))["Item"]
    wrong = {
        "planted": {"bound_to": {"S": session_of(guest)}},
        "moved": alices,
        "altered": alices | {"bound_to": {"S": "guest_" + "a" * 26}},
    }
    sign = Caller(load("assertion").lambda_handler)
    for name, item in wrong.items():
        client.put_item(TableName=table, Item=item | key_of("user", name))
        named, who = {"session_name": name}, signed_in(name)
        answers = [
            call("POST /token", authorizer=who),
            call("DELETE /token", authorizer=who),
            call("POST /backend/token", named, authorizer=IAM),
            call("DELETE /backend/token", named, authorizer=IAM),
            sign("POST /backend/assertion", named, authorizer=IAM),
            call("POST /token", {"guest_ticket": new_guest(call)[0]}, authorizer=who),
        ]
        assert [status for status, _, _ in answers] == [500] * 6
        assert {body["error"] for _, body, _ in answers} == {"server_error"}
        assert "BINDING_TABLE" in capsys.readouterr().out
    assert session_of(call("POST /token", authorizer=ALICE)[1]) == session_of(guest)


def test_a_guest_of_whom_a_damaged_record_says_something_is_not_served(
    start: Start, environment: dict[str, str], session_of: SessionOf
) -> None:
    ticket, guest = new_guest(start())
    planted = key_of("guest", session_of(guest)) | {"bound_to": {"S": "u1#x"}}
    boto3.client("dynamodb").put_item(TableName=environment["BINDING_TABLE"], Item=planted)
    assert start()("POST /guest/token", {"guest_ticket": ticket})[0] == 500


@pytest.mark.parametrize("table", ["BINDING_TABLE", "TOKEN_TABLE"])
def test_while_a_table_is_down_no_guest_is_served_who_may_be_a_user_by_now(
    start: Start, environment: dict[str, str], session_of: SessionOf, table: str
) -> None:
    ticket, _ = new_guest(start())
    other, _ = new_guest(start())
    sign_in(start(), ticket)
    boto3.client("dynamodb").delete_table(TableName=environment[table])
    for known in (ticket, other):
        status, body, headers = start()("POST /guest/token", {"guest_ticket": known})
        assert (status, body["error"]) == (503, "temporarily_unavailable")
        assert headers["retry-after"]
    assert session_of(start()("POST /token", authorizer=BOB)[1]) == "bob"
    assert start()("POST /guest/token")[0] == 200, "a new guest can be nobody else"


def test_while_the_table_is_down_nobody_is_carried_over_and_no_token_forgotten(
    start: Start, environment: dict[str, str]
) -> None:
    call = start()
    ticket, _ = new_guest(call)
    boto3.client("dynamodb").delete_table(TableName=environment["BINDING_TABLE"])
    assert sign_in(call, ticket)[0] == 503
    assert call("DELETE /token", authorizer=ALICE)[0] == 503


def test_while_the_table_is_down_a_user_is_served_under_their_own_name_on_every_route(
    load: Callable[[str], ModuleType], environment: dict[str, str], coze: CozeStandIn
) -> None:
    boto3.client("dynamodb").delete_table(TableName=environment["BINDING_TABLE"])
    call, sign = (Caller(load(name).lambda_handler) for name in ("token", "assertion"))
    named = {"session_name": "alice"}
    assert call("POST /token", authorizer=ALICE)[0] == 200
    assert call("POST /backend/token", named, authorizer=IAM)[0] == 200
    _, body, _ = sign("POST /backend/assertion", named, authorizer=IAM)
    bearer = {"Authorization": f"Bearer {body['assertion']}"}
    requests.post(body["token_endpoint"], json=GRANT, headers=bearer, timeout=5)
    assert {exchange.session_name for exchange in coze.exchanges} == {"alice"}


def test_where_nobody_can_sign_in_a_guest_is_a_guest_and_served_without_the_table(
    start: Start, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OIDC_ISSUER")
    ticket, _ = new_guest(start())
    boto3.client("dynamodb").delete_table(TableName=environment["BINDING_TABLE"])
    assert start()("POST /guest/token", {"guest_ticket": ticket})[0] == 200


# What is kept, and what is asked


def test_a_record_has_no_users_name_and_is_kept_for_good(call: Caller, bindings: Bindings) -> None:
    ticket, _ = new_guest(call)
    sign_in(call, ticket, signed_in("alice-the-visitor"))
    assert len(bindings()) == 2
    assert "alice" not in str(bindings())
    assert ticket not in str(bindings())
    assert not any("purge_at" in record for record in bindings())


def test_a_token_from_memory_asks_neither_table(
    load: Callable[[str], ModuleType],
) -> None:
    app = load("token")
    call = Caller(app.lambda_handler)
    ticket, _ = new_guest(call)
    sign_in(call, ticket)
    asked: list[str] = []
    app.DYNAMODB.meta.events.register(
        "before-call.dynamodb", lambda model, **_: asked.append(model.name)
    )
    for _ in range(3):
        assert call("POST /token", authorizer=ALICE)[0] == 200
    assert asked == []


def test_a_token_from_the_table_costs_one_call_whoever_asks(
    load: Callable[[str], ModuleType],
) -> None:
    """The binding comes with the row, as the fleet's hold does."""
    first = Caller(load("token").lambda_handler)
    ticket, _ = new_guest(first)
    first("POST /token", authorizer=ALICE)
    for route, body, who in (
        ("POST /token", None, ALICE),
        ("POST /guest/token", {"guest_ticket": ticket}, None),
        ("POST /backend/token", {"session_name": "alice"}, IAM),
    ):
        app = load("token")
        asked: list[str] = []
        app.DYNAMODB.meta.events.register(
            "before-call.dynamodb", lambda model, asked=asked, **_: asked.append(model.name)
        )
        assert Caller(app.lambda_handler)(route, body, authorizer=who)[0] == 200
        assert asked == ["BatchGetItem"]
