"""SnapStart: what is in a snapshot, and what its copies do not share.

A process initialises a function as Lambda does where it takes a snapshot, and is copied by a fork
of which Python is not told. The search of memory looks from outside, while the process waits.
"""

import json
import ssl
import sys
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import snapshot_restore_py
from botocore.exceptions import NoCredentialsError
from botocore.session import Session
from coze_sts import aws, snapshot
from coze_sts.cache.seal import NONCE_BYTES, SALT_BYTES
from coze_sts.coze.private_key import load_private_key

from tests.local.outside import DEMO_MINI_PROGRAM
from tests.local.server import serve
from tests.local.stack import LocalStack
from tests.snapshot.credentials import CredentialsStandIn
from tests.snapshot.events import ANSWERED, ASSERTION, GUEST, USER, backend, event
from tests.snapshot.keep_alive import kept_open
from tests.snapshot.process import Original, Seen, original

COPIES = 3
OF_A_SIGNATURE = {"coze_sts.coze.private_key"}
OF_AN_EXCHANGE = {"coze_sts.web", "coze_sts.coze.mint"}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def credentials(stack: LocalStack) -> CredentialsStandIn:
    return CredentialsStandIn(access_key=stack.aws.access_key)


@pytest.fixture(scope="module")
def environment(stack: LocalStack, credentials: CredentialsStandIn) -> Iterator[dict[str, str]]:
    """As Lambda sets it: no key of AWS is in it."""
    declared = stack.environment("TokenFunction")
    keys = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    ours = {name: value for name, value in declared.items() if name not in keys}
    with (
        serve(credentials) as server,
        kept_open(server.url) as lambda_url,
        kept_open(stack.aws.server.url) as aws_url,
        kept_open(stack.coze_url) as outside_url,
    ):
        outside = dict.fromkeys(("COZE_API_BASE", "WECHAT_API_BASE"), outside_url)
        urls = {"AWS_ENDPOINT_URL": aws_url} | outside
        yield ours | urls | credentials.environment(lambda_url)


@pytest.fixture(params=ANSWERED)
def function(request: pytest.FixtureRequest, environment: dict[str, str]) -> Iterator[Original]:
    with original(request.param, environment) as process:
        yield process


@pytest.fixture
def token_function(environment: dict[str, str]) -> Iterator[Original]:
    with original("token", environment) as process:
        yield process


@pytest.fixture
def assertion_function(environment: dict[str, str]) -> Iterator[Original]:
    with original("assertion", environment) as process:
        yield process


def secrets_of(stack: LocalStack, credentials: CredentialsStandIn) -> dict[str, list[bytes]]:
    """Texts that are in a process that holds the secret, and in no other."""
    secret = stack.aws.secretsmanager.get_secret_value
    keys = json.loads(secret(SecretId=stack.aws.resolve("${CacheKeySecret}"))["SecretString"])
    pem = json.loads(stack.coze_config)["private_key"]
    prime = load_private_key(pem).private_numbers().p
    return {
        "Coze's private key": [line.encode() for line in pem.splitlines()[1:-1]]
        + [prime.to_bytes(128, "little"), prime.to_bytes(128, "big")],  # as OpenSSL has it, and DER
        "the keys of the stack": [key.encode() for key in keys.values()],
        "AWS's keys": [credentials.secret_key.encode(), credentials.session_token.encode()],
    }


def held(process: Original, secrets: dict[str, list[bytes]]) -> set[str]:
    found = process.holds(needle for needles in secrets.values() for needle in needles)
    return {name for name, needles in secrets.items() if found.intersection(needles)}


def sealed_with(stack: LocalStack) -> Counter[bytes]:
    """The salt and the nonce of each token in the table."""
    rows = stack.aws.dynamodb.scan(TableName=stack.aws.resolve("${TokenTable}"))["Items"]
    return Counter(row["ct"]["B"][: SALT_BYTES + NONCE_BYTES] for row in rows if "ct" in row)


def jti_of(assertion: str) -> str:
    payload = assertion.split(".")[1]
    return str(json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["jti"])


def test_a_snapshot_holds_no_secret_and_a_process_that_served_does(
    function: Original, stack: LocalStack, credentials: CredentialsStandIn
) -> None:
    secrets = secrets_of(stack, credentials)
    assert held(function, secrets) == set()
    assert function.serve(ANSWERED[function.name]).bodies
    assert held(function, secrets) == secrets.keys()


def test_a_snapshot_is_taken_before_anybody_is_asked_anything(
    function: Original, credentials: CredentialsStandIn
) -> None:
    assert function.initialised.sockets == function.initialised.memories == []
    asked = credentials.asked
    assert function.copy(ANSWERED[function.name]).bodies
    assert credentials.asked == asked + 1


def test_a_snapshot_has_what_a_first_request_would_load(function: Original) -> None:
    needed = OF_A_SIGNATURE | (OF_AN_EXCHANGE if function.name == "token" else set())
    assert set(function.initialised.modules) >= needed


def test_copies_share_no_jti_no_nonce_no_lease_no_guest_and_no_socket(
    token_function: Original, stack: LocalStack
) -> None:
    exchanges, rows = len(stack.coze.exchanges), sealed_with(stack)
    copies = [token_function.copy(GUEST, GUEST, backend(f"copy-{n}")) for n in range(COPIES)]
    new, written = stack.coze.exchanges[exchanges:], sealed_with(stack) - rows
    guests = [body["guest_ticket"] for copy in copies for body in copy.bodies[:2]]
    leases = [lease for copy in copies for lease in copy.leases]
    expected = 3 * COPIES
    assert len(new) == len({exchange.jti for exchange in new}) == expected
    assert len(leases) == len(set(leases)) == expected
    assert written.total() == len({sealed[:SALT_BYTES] for sealed in written}) == expected
    assert len({sealed[SALT_BYTES:] for sealed in written}) == expected
    assert len(set(guests)) == 2 * COPIES
    assert_apart(copies)


def test_copies_sign_no_assertion_twice(assertion_function: Original) -> None:
    copies = [assertion_function.copy(ASSERTION, ASSERTION) for _ in range(COPIES)]
    jtis = [jti_of(body["assertion"]) for copy in copies for body in copy.bodies]
    assert len(set(jtis)) == 2 * COPIES
    assert_apart(copies)


def assert_apart(copies: list[Seen]) -> None:
    """Each has connections of its own, and random numbers."""
    sockets = [socket for copy in copies for socket in copy.sockets]
    assert min(len(copy.sockets) for copy in copies) >= 3
    assert len(set(sockets)) == len(sockets)
    assert len({copy.drawn for copy in copies}) == len(copies)


def test_a_copy_of_a_process_that_served_begins_with_nothing(
    token_function: Original, stack: LocalStack, credentials: CredentialsStandIn
) -> None:
    """Worse than Lambda, which takes no snapshot of such a process."""
    code = stack.wechat.log_in(appid=DEMO_MINI_PROGRAM, user="carol")
    guest = token_function.serve(GUEST, event("POST /wechat/token", code=code)).bodies[0]
    carried = event("POST /token", guest_ticket=guest["guest_ticket"])
    before = token_function.serve(carried, backend("before"))
    caches = {"StoredSecret": 3, "TokenMemory": 1, "Sessions": 1}
    assert Counter(before.memories) == caches | {"HTTP": 1, "BUDGET": 1, "ADMISSION": 1, "KMS": 1}
    assert len(before.sockets) >= 3
    forget_rows(stack)
    asked = credentials.asked
    copy = token_function.copy(backend("before"))
    assert copy.inherited == []
    assert copy.bodies[0]["token"] != before.bodies[1]["token"]
    assert credentials.asked == asked + 1


def test_a_copy_of_an_assertion_function_that_served_begins_with_nothing(
    token_function: Original, assertion_function: Original, credentials: CredentialsStandIn
) -> None:
    guest = token_function.serve(GUEST).bodies[0]
    assert token_function.serve(event("POST /token", guest_ticket=guest["guest_ticket"])).bodies
    before = assertion_function.serve(event("POST /backend/assertion", session_name=USER))
    assert Counter(before.memories) == {"StoredSecret": 2, "Sessions": 1, "KMS": 1}
    asked = credentials.asked
    assert assertion_function.copy(ASSERTION).inherited == []
    assert credentials.asked == asked + 1


def forget_rows(stack: LocalStack) -> None:
    table = stack.aws.resolve("${TokenTable}")
    for row in stack.aws.dynamodb.scan(TableName=table)["Items"]:
        stack.aws.dynamodb.delete_item(TableName=table, Key={"pk": row["pk"]})


def test_a_copy_seeds_openssl_from_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork cannot show it: OpenSSL knows one by the process's number, which copies share."""
    seeds: list[bytes] = []
    monkeypatch.setattr(ssl, "RAND_add", lambda seed, _entropy: seeds.append(seed))
    for _ in range(2):
        snapshot.reseed()
    assert len(set(seeds)) == 2
    assert {len(seed) for seed in seeds} == {32}


@pytest.mark.parametrize(("kind", "expected"), [("on-demand", []), ("snap-start", ["reseed"])])
def test_only_where_a_snapshot_is_taken_is_anything_registered(
    monkeypatch: pytest.MonkeyPatch, kind: str, expected: list[str]
) -> None:
    hooks: list[Any] = []
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", kind)
    monkeypatch.setattr(snapshot_restore_py, "_after_restore_registry", hooks)
    snapshot.register(load=())
    assert [hook.__name__ for hook, *_ in hooks] == expected


def test_where_there_are_no_credentials_the_first_call_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    session = Session()
    snapshot.LateCredentials(session)
    client = aws.dynamodb(session)
    with pytest.raises(NoCredentialsError):
        client.list_tables()
