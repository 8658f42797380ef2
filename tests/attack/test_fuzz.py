"""Random input against the functions' own code: a documented refusal, or what was meant."""

from __future__ import annotations

import base64
import json
from typing import Any

from coze_sts import http_event
from coze_sts.auth import identity
from coze_sts.auth.guest import TicketOffice
from coze_sts.auth.session import name_fault
from coze_sts.errors import AccessDenied, InvalidToken, StsError
from coze_sts.http_event import Request
from hypothesis import example, given
from hypothesis import strategies as st

from tests.contract.openapi import conforms
from tests.factories import NOW
from tests.local.gateway.jwt_authorizer import stringify

ROUTE = "DELETE /backend/token"
FIELDS = ("session_name", "device_id")

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
KEYS = st.sampled_from([*FIELDS, "sub", "", "Session_name", "session_name "])
TOKENS = ["{", "}", "[", "]", ":", ",", '"', "\\", "\\u", "d800", "null", "NaN", "1e400", " ", "\0"]
BODIES = st.one_of(
    st.text(),
    st.lists(st.sampled_from([*TOKENS, *FIELDS, "\ud800", "\ufeff"])).map("".join),
    st.dictionaries(KEYS, VALUES, max_size=3).map(json.dumps),
    st.lists(st.tuples(KEYS, st.text(max_size=9)), max_size=3).map(
        lambda pairs: "{" + ",".join(f"{json.dumps(k)}:{json.dumps(v)}" for k, v in pairs) + "}"
    ),
)


class Witness:
    """Telemetry that fails the test where the function would have crashed."""

    def begin(self, **_: str) -> None: ...

    def refused(self, error: StsError) -> None: ...

    def answered(self, status: int) -> None: ...

    def crashed(self, error: Exception) -> None:
        raise AssertionError("the function crashed") from error


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 20_000


def read(body: object, *, in_base64: bool = False, **event: Any) -> tuple[int, dict[str, Any]]:
    """What a route that takes FIELDS answers, and the fields that it read."""
    fields: dict[str, Any] = {}

    def route(request: Request) -> tuple[int, None]:
        fields.update(request.fields(optional=frozenset(FIELDS)))
        return 204, None

    answer = http_event.dispatch(
        {"routeKey": ROUTE, "body": body, "isBase64Encoded": in_base64, **event},
        Context(),
        routes={ROUTE: route},
        telemetry=Witness(),  # type: ignore[arg-type]
    )
    conforms(*ROUTE.split(), answer["statusCode"], answer["headers"], answer.get("body"))
    return answer["statusCode"], fields


@given(BODIES)
@example("{" * 4096)
@example("[" * 4096)
@example('{"session_name":' * 200)
@example("1" * 4096)
@example("\ud800")
@example("\ufeff{}")
def test_a_body_of_any_text_is_read_as_it_is_or_refused(body: str) -> None:
    status, fields = read(body)
    assert status in {204, 400}
    if status == 204 and body.strip():
        assert fields == json.loads(body)
        assert body.count(":") >= len(fields)
        assert all(isinstance(value, str) for value in fields.values())


@given(st.binary() | BODIES.map(lambda text: text.encode(errors="surrogatepass")))
def test_a_body_of_any_bytes_is_read_as_it_is_or_refused(body: bytes) -> None:
    status, fields = read(base64.b64encode(body).decode(), in_base64=True)
    assert status in {204, 400}
    if status == 204 and body.strip():
        assert fields == json.loads(body.decode())


@given(st.text())
def test_what_claims_to_be_base64_and_is_not_is_refused(body: str) -> None:
    assert read(body, in_base64=True)[0] in {204, 400}


@given(
    st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=300)), st.booleans(), st.booleans()
)
def test_any_text_that_was_sent_as_json_arrives_unchanged(
    sent: dict[str, str], escaped: bool, in_base64: bool
) -> None:
    body = json.dumps(sent, ensure_ascii=escaped)
    data = body.encode()
    text = base64.b64encode(data).decode() if in_base64 else body
    expected = (204, sent) if len(data) <= http_event.MAX_BODY_BYTES else (400, {})
    assert read(text, in_base64=in_base64) == expected


@given(st.dictionaries(st.text(), st.text()), st.text(), st.text())
def test_no_header_and_no_route_crashes_a_function(
    headers: dict[str, str], route: str, request_id: str
) -> None:
    context = {"requestId": request_id}
    assert read("{}", headers=headers, requestContext=context)[0] == 204
    answer = http_event.dispatch(
        {"routeKey": route, "headers": headers, "requestContext": context},
        Context(),
        routes={},
        telemetry=Witness(),  # type: ignore[arg-type]
    )
    conforms("GET", "/nowhere", answer["statusCode"], answer["headers"], answer["body"])
    assert json.loads(answer["body"])["request_id"] == request_id


def user(claim: object) -> str | None:
    """The name that a verified claim gets, as API Gateway hands it over; None where refused."""
    context = {"authorizer": {"jwt": {"claims": {"sub": stringify(claim)}, "scopes": None}}}
    try:
        return identity.user(context, session_claim="sub").name
    except AccessDenied:
        return None


@given(VALUES)
@example(1.5)
@example(1e21)
@example(1e-9)
@example(-0.0)
@example({"id": "victim"})
@example([])
def test_a_claim_that_is_neither_text_nor_a_whole_number_names_nobody(claim: object) -> None:
    name = user(claim)
    if name is not None:
        assert type(claim) in {str, int}
        assert name == str(claim)
        assert name_fault(name) is None


@given(st.text() | st.integers(), st.text() | st.integers())
@example(42, "42")
def test_two_claims_are_two_names(one: object, other: object) -> None:
    if user(one) is not None:
        assert (user(one) == user(other)) == (str(one) == str(other))


def office(*, key: bytes, audience: str, guest: bytes) -> TicketOffice:
    return TicketOffice(
        keys={"1": b"k" * 32, "2": key}, newest="2", audience=audience, random_bytes=lambda _: guest
    )


OWN = office(key=b"o" * 32, audience="own", guest=b"o" * 16)
OFFICES = [
    OWN,
    office(key=b"o" * 32, audience="own", guest=b"x" * 16),
    office(key=b"o" * 32, audience="other", guest=b"y" * 16),
    office(key=b"z" * 32, audience="own", guest=b"z" * 16),
]
ISSUED = [o.admit(None, now=at).ticket for o in OFFICES for at in (NOW, NOW - 60)]
GOOD = {ticket: ISSUED.index(ticket) // 2 for ticket in ISSUED[:4]}
PARTS = [st.sampled_from(sorted({ticket.split(".")[n] for ticket in ISSUED})) for n in range(4)]


@given(st.tuples(*PARTS).map(".".join) | st.lists(st.one_of(*PARTS), max_size=6).map(".".join))
def test_a_ticket_pasted_of_others_is_none(ticket: str) -> None:
    try:
        guest = OWN.admit(ticket, now=NOW)
    except InvalidToken:
        assert ticket not in GOOD
    else:
        assert guest.guest_id == (b"o" * 16, b"x" * 16)[GOOD[ticket]]
        assert guest.ticket == ticket
