"""The ways in for visitors: from which page, as whom, and how many."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from coze_sts.admission import Admission
from coze_sts.auth.guest import Guest
from coze_sts.auth.session import Caller
from coze_sts.auth.turnstile import TurnstileSecret
from coze_sts.auth.wechat import WechatApp
from coze_sts.cache.counters import Counters
from coze_sts.cache.row import day_of
from coze_sts.doors import Doors
from coze_sts.errors import AccessDenied, InvalidToken, SlowDown, StsError
from coze_sts.http_event import Request
from coze_sts.issuers import Issuer
from coze_sts.keyring import Keyring, parse_keyring
from coze_sts.policy import NO_POLICY, Policy
from coze_sts.settings import Settings
from coze_sts.stored_secret import MIN_AGE_SECONDS, SecretVersion, StoredSecret
from coze_sts.web import new_http_session
from mypy_boto3_dynamodb import DynamoDBClient

from tests.engines import client_of, create_table, shared
from tests.factories import KEYRING, NOW, ROTATED, Clock, make_settings
from tests.local.server import serve
from tests.local.turnstile import TurnstileStandIn
from tests.local.wechat import WechatStandIn
from tests.parts import Counts

PAGE, OTHER_PAGE = "https://www.example.com", "https://shop.example.com"
ADDRESS = "203.0.113.7"
FOREIGN = [
    *("https://evil.example", "null", "", PAGE.upper(), PAGE + "/", PAGE + ":443", " " + PAGE),
    *(PAGE + "." + "evil.example", f"{PAGE},{OTHER_PAGE}", "http://www.example.com", "*"),
]
SETTINGS = make_settings(
    allowed_origins=(PAGE, OTHER_PAGE), guest_sessions=True, binding_table="bindings"
)
MINI_PROGRAM = WechatApp(appid="wx0123456789abcdef", secret="s3cr3t")
WIDGET = TurnstileSecret(secret="0x4AAA")


@dataclass(kw_only=True)
class Vault:
    """The stack's keys; `asked` counts who looked."""

    clock: Clock
    ring: Keyring = KEYRING
    asked: int = 0

    def stored(self) -> StoredSecret[Keyring]:
        return stored(self.fetch, self.clock, parse_keyring)

    def fetch(self) -> SecretVersion:
        self.asked += 1
        text = json.dumps({number: key.decode() for number, key in self.ring.keys.items()})
        return SecretVersion(version_id=text, text=text)


def stored(fetch: Callable[[], Any], clock: Clock, parse: Callable[[str], Any]) -> Any:
    return StoredSecret(fetch=fetch, parse=parse, clock=clock, on_failure=pytest.fail)


def kept(value: Any, clock: Clock) -> Any:
    """A secret that never changes."""
    return stored(lambda: SecretVersion(version_id="1", text=""), clock, lambda _text: value)


@dataclass(kw_only=True)
class House:
    """All that doors are made of; each call of `doors` is a new process."""

    clock: Clock
    client: DynamoDBClient
    table: str
    vault: Vault
    telemetry: Counts = field(default_factory=Counts)

    def doors(self, settings: Settings = SETTINGS, **changes: Any) -> Doors:
        keyring = self.vault.stored()
        counters = Counters(client=self.client, table=self.table)
        parts: dict[str, Any] = {
            "settings": settings,
            "policy": NO_POLICY,
            "keyring": keyring,
            "audience": lambda: "https://api.coze.cn|1",
            "turnstile": None,
            "wechat": None,
            "http": lambda: pytest.fail("nobody was to be asked"),
            "telemetry": self.telemetry,
            "clock": self.clock,
            "admission": lambda: Admission(
                counters=counters,
                keyring=keyring.get,
                telemetry=self.telemetry,  # type: ignore[arg-type]
                clock=self.clock,
            ),
        }
        return Doors(**parts | changes)

    @property
    def counted(self) -> list[dict[str, Any]]:
        return self.client.scan(TableName=self.table)["Items"]


@pytest.fixture(scope="module")
def client() -> Iterator[DynamoDBClient]:
    client = client_of(shared("moto"))
    yield client
    client.close()


@pytest.fixture
def house(client: DynamoDBClient, clock: Clock) -> House:
    return House(clock=clock, client=client, table=create_table(client), vault=Vault(clock=clock))


def request(origin: str | None = PAGE, *, address: str = ADDRESS, **claims: Any) -> Request:
    context = {
        "http": {"sourceIp": address},
        "authorizer": {"jwt": {"claims": {"sub": "u-42"} | claims}},
    }
    return Request(
        request_id="r", seconds_left=lambda: 20, origin=origin, context=context, body=b""
    )


# From which page

ENTER: dict[str, Callable[[Doors, Request], object]] = {
    "user": lambda doors, request: doors.user(request),
    "guests": lambda doors, request: doors.guests(request),
    "mini_program": lambda doors, request: doors.mini_program(request),
}
any_door = pytest.mark.parametrize("door", ENTER)
page_door = pytest.mark.parametrize("door", ["user", "guests"])


def is_open(house: House, door: str, origin: str | None, **settings: Any) -> bool:
    try:
        ENTER[door](house.doors(replace(SETTINGS, **settings)), request(origin))
    except AccessDenied:
        return False
    return True


@any_door
def test_a_page_of_an_allowed_origin_may_enter(house: House, door: str) -> None:
    for origin in (PAGE, OTHER_PAGE):
        assert is_open(house, door, origin)
        assert house.telemetry.facts["origin"] == origin


@any_door
@pytest.mark.parametrize("allow_no_origin", [False, True])
@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_may_not_enter_whatever_else_may(
    house: House, door: str, origin: str, *, allow_no_origin: bool
) -> None:
    assert not is_open(house, door, origin, allow_no_origin=allow_no_origin)
    assert house.telemetry.facts["origin"] in {"foreign", "none"}
    assert origin not in house.telemetry.facts.values() or not origin


@page_door
def test_what_is_no_page_enters_only_where_the_operator_allows_it(house: House, door: str) -> None:
    assert not is_open(house, door, None)
    assert not is_open(house, door, None, allowed_origins=())
    assert is_open(house, door, None, allow_no_origin=True)
    assert house.telemetry.facts["origin"] == "none"


def test_a_mini_program_sends_no_origin(house: House) -> None:
    assert is_open(house, "mini_program", None)


# Who signed in


def test_a_user_is_who_the_claim_says_with_the_settings_of_their_page(house: House) -> None:
    assert house.doors().user(request()) == (Caller(kind="user", name="u-42"), SETTINGS)
    by_email = replace(SETTINGS, session_claim="email")
    assert house.doors(by_email).user(request(email="a@b.c"))[0].name == "a@b.c"


def test_users_of_several_issuers_and_of_wechat_are_told_apart(house: House) -> None:
    issuers = (Issuer(url="https://one.example"), Issuer(url="https://two.example", prefix="2_"))
    doors = house.doors(replace(SETTINGS, issuers=issuers, wechat_secret_id="wechat"))
    two = request(iss="https://two.example")
    assert doors.user(two)[0] == Caller(kind="user", name="2_u-42", issuer="https://two.example")
    for sub in ("2_u-42", "wechat_o1"):
        with pytest.raises(AccessDenied):
            doors.user(request(iss="https://one.example", sub=sub))


def test_the_policy_goes_by_page_and_issuer(house: House) -> None:
    policy = Policy(
        origins={OTHER_PAGE: {"token_duration_seconds": 900, "guest_sessions": False}},
        issuers={"https://one.example": {"tokens_per_session": 5}},
    )
    settings = replace(SETTINGS, issuers=(Issuer(url="https://one.example"),))
    doors = house.doors(settings, policy=policy)
    assert doors.user(request(PAGE))[1] == replace(settings, tokens_per_session=5)
    assert doors.user(request(OTHER_PAGE))[1] == replace(
        settings, tokens_per_session=5, token_duration_seconds=900, guest_sessions=False
    )
    assert doors.guests(request(PAGE)) == settings
    with pytest.raises(AccessDenied):
        doors.guests(request(OTHER_PAGE))


# Guests


def test_guests_are_let_in_only_where_the_operator_wants_them(house: House) -> None:
    with pytest.raises(AccessDenied):
        house.doors(replace(SETTINGS, guest_sessions=False)).guests(request())


def test_a_guest_comes_back_as_the_same_to_any_process(house: House) -> None:
    first = house.doors().guest(None)
    assert first.new
    assert house.doors().guest(first.ticket) == replace(first, new=False)


def test_a_ticket_of_another_stack_or_app_is_refused(house: House) -> None:
    ticket = house.doors().guest(None).ticket
    other_app = house.doors(audience=lambda: "https://api.coze.cn|2")
    house.vault.ring = Keyring(keys={"1": b"another stack's key, of its own making"})
    for doors in (other_app, house.doors()):
        with pytest.raises(InvalidToken):
            doors.guest(ticket)


def test_a_ticket_of_a_key_that_was_just_added_is_known_at_once_but_looked_for_once_a_minute(
    house: House,
) -> None:
    old = house.doors()
    old.guest(None)
    house.vault.ring = ROTATED
    ticket = house.doors().guest(None).ticket
    assert ticket.startswith("g1.2.")
    house.clock.now += MIN_AGE_SECONDS
    house.vault.asked = 0
    assert old.guest(ticket).ticket == ticket
    for _ in range(5):
        with pytest.raises(InvalidToken):
            old.guest("g1.99.made.up")
    assert house.vault.asked == 1


def test_a_ticket_of_a_key_that_was_removed_is_refused_and_never_a_new_guest(house: House) -> None:
    ticket = house.doors().guest(None).ticket
    house.vault.ring = Keyring(keys={"2": ROTATED.keys["2"]})
    with pytest.raises(InvalidToken):
        house.doors().guest(ticket)


# How many, and only humans


def admit(
    doors: Doors,
    guest: Guest,
    *,
    token: str | None = None,
    origin: str | None = PAGE,
    address: str = ADDRESS,
) -> None:
    asked = request(origin, address=address)
    with doors.admitted(guest, asked, settings=doors.settings, turnstile_token=token):
        pass


def test_new_guests_are_counted_and_those_who_come_back_are_not(house: House) -> None:
    doors = house.doors(replace(SETTINGS, new_guests_per_address=1))
    new = doors.guest(None)
    admit(doors, new)
    with pytest.raises(SlowDown):
        admit(doors, doors.guest(None))
    for _ in range(3):
        admit(doors, doors.guest(new.ticket))


def test_the_limits_are_those_of_the_page(house: House) -> None:
    doors = house.doors()
    strict = replace(SETTINGS, new_guests_per_origin=1)
    for _ in range(2):
        admit(doors, doors.guest(None))
    with (
        pytest.raises(SlowDown),
        doors.admitted(doors.guest(None), request(), settings=strict, turnstile_token=None),
    ):
        pytest.fail("was let in")


@pytest.fixture
def cloudflare(clock: Clock) -> TurnstileStandIn:
    return TurnstileStandIn(secret=WIDGET.secret, clock=clock)


@pytest.fixture
def watched(house: House, cloudflare: TurnstileStandIn) -> Iterator[Doors]:
    """Doors that only humans pass, and each address once."""
    with serve(cloudflare) as server, new_http_session() as http:
        yield house.doors(
            replace(SETTINGS, turnstile_api_base=server.url, new_guests_per_address=1),
            turnstile=kept(WIDGET, house.clock),
            http=lambda: http,
        )


def test_a_new_guest_proves_to_be_human_once(
    watched: Doors, cloudflare: TurnstileStandIn, house: House
) -> None:
    guest, token = watched.guest(None), cloudflare.solve(hostname="www.example.com")
    admit(watched, guest, token=token)
    (asked,) = cloudflare.requests
    assert asked["remoteip"] == ADDRESS
    admit(watched, watched.guest(guest.ticket))
    assert len(cloudflare.requests) == 1
    with pytest.raises(AccessDenied):
        admit(watched, watched.guest(None), token=token, address="203.0.113.8")


def test_who_is_no_human_is_neither_let_in_nor_counted(
    watched: Doors, cloudflare: TurnstileStandIn, house: House
) -> None:
    elsewhere = [cloudflare.solve(hostname=name) for name in ("evil.example", "shop.example.com")]
    for token in (None, "", "made up", *elsewhere):
        guest, settings = watched.guest(None), watched.settings
        with (
            pytest.raises(AccessDenied),
            watched.admitted(guest, request(), settings=settings, turnstile_token=token),
        ):
            pytest.fail("was let in")
    assert all(item[day_of(NOW)]["N"] == "0" for item in house.counted)
    admit(watched, watched.guest(None), token=cloudflare.solve(hostname="www.example.com"))


def test_who_comes_after_the_limit_costs_no_challenge(
    watched: Doors, cloudflare: TurnstileStandIn
) -> None:
    admit(watched, watched.guest(None), token=cloudflare.solve(hostname="www.example.com"))
    asked = len(cloudflare.requests)
    with pytest.raises(SlowDown):
        admit(watched, watched.guest(None), token=cloudflare.solve(hostname="www.example.com"))
    assert len(cloudflare.requests) == asked


def test_what_is_no_page_solves_its_challenge_on_any_page_of_the_site(
    watched: Doors, cloudflare: TurnstileStandIn
) -> None:
    for hostname, address in (("www.example.com", "203.0.113.1"), ("shop.example.com", ADDRESS)):
        token = cloudflare.solve(hostname=hostname)
        admit(watched, watched.guest(None), token=token, origin=None, address=address)
    token = cloudflare.solve(hostname="evil.example")
    with pytest.raises(AccessDenied):
        admit(watched, watched.guest(None), token=token, origin=None, address="203.0.113.2")


def test_a_request_without_an_address_is_checked_without_one(
    watched: Doors, cloudflare: TurnstileStandIn
) -> None:
    token = cloudflare.solve(hostname="www.example.com")
    admit(watched, watched.guest(None), token=token, address="")
    assert "remoteip" not in cloudflare.requests[0]


# Who was a guest


def test_the_guest_of_a_ticket_can_be_carried_over(house: House) -> None:
    doors = house.doors()
    guest = doors.guest(None)
    assert doors.carried(guest.ticket, settings=SETTINGS) == replace(guest.caller, new=False)


@pytest.mark.parametrize("off", [{"guest_sessions": False}, {"binding_table": None}])
def test_nobody_is_carried_over_where_there_are_no_guests_or_no_table(
    house: House, off: dict[str, Any]
) -> None:
    ticket = house.doors().guest(None).ticket
    with pytest.raises(AccessDenied) as refused:
        house.doors().carried(ticket, settings=replace(SETTINGS, **off))
    assert "BINDING_TABLE" in (refused.value.operator or "")


def test_a_ticket_that_is_not_ours_is_not_carried_over(house: House) -> None:
    for ticket in ("", "made up", house.doors().guest(None).ticket + "x"):
        with pytest.raises(InvalidToken):
            house.doors().carried(ticket, settings=SETTINGS)


# Mini-programs


def test_a_user_of_the_mini_program_is_named_by_wechat(house: House) -> None:
    wechat = WechatStandIn(clock=house.clock)
    wechat.register_app(appid=MINI_PROGRAM.appid, secret=MINI_PROGRAM.secret)
    with serve(wechat) as server, new_http_session() as http:
        doors = house.doors(
            replace(SETTINGS, wechat_api_base=server.url, wechat_secret_id="wechat"),
            wechat=kept(MINI_PROGRAM, house.clock),
            http=lambda: http,
        )
        code = wechat.log_in(appid=MINI_PROGRAM.appid, user="a")
        openid = wechat.openid(appid=MINI_PROGRAM.appid, user="a")
        assert doors.wechat_user(code) == Caller(kind="user", name=f"wechat_{openid}")
        with pytest.raises(InvalidToken):
            doors.wechat_user(code)


def test_without_a_mini_program_there_is_no_such_way_in(house: House) -> None:
    with pytest.raises(AccessDenied, match="WechatSecretId"):
        house.doors().wechat_user("0716AVll20uHk94SLDml27etM946AVlq")


def test_no_refusal_at_a_door_tells_whom_it_would_let_in(house: House) -> None:
    errors: list[StsError] = []
    for enter in ENTER.values():
        with pytest.raises(AccessDenied) as refused:
            enter(house.doors(), request("https://evil.example"))
        errors.append(refused.value)
    assert not any("example" in error.description for error in errors)
