"""The table fails: every kind of failure is told as one error, in which nothing of AWS's shows."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.parser import BytesHeaderParser
from typing import Any

import pytest
import requests
from botocore.config import Config
from botocore.stub import Stubber
from coze_sts.aws import CALLS
from coze_sts.cache.row import FleetHold, Row, day_of
from coze_sts.cache.seal import seal
from coze_sts.cache.store import RefusedError, TokenStore
from coze_sts.errors import StoreUnavailable
from mypy_boto3_dynamodb import DynamoDBClient

from tests.engines import client_of, create_table, lacking, shared
from tests.factories import CANARY, KEYRING, NOW, everything_told, make_token
from tests.http_servers import answer, raw_server

PK, FLEET, ME, OTHER = "t1#a", "c1#a", "1" * 32, "2" * 32
UNTIL = NOW * 1000 + 12_000
SEALED = seal(make_token(), pk=PK, keyring=KEYRING)
HOLD = FleetHold(until=UNTIL, error="x", kid="kid-1")
HELD = {"pk": {"S": PK}, "gen": {"N": "3"}, "lease_id": {"S": ME}, "lease_until": {"N": "9"}}


def acquire(store: TokenStore) -> Row:
    return store.acquire(
        PK, lease_id=ME, lease_until=UNTIL, over=None, seen_gen=None, per_day=100, now=NOW
    )


def complete(store: TokenStore) -> None:
    store.complete(PK, lease_id=ME, sealed=SEALED, now=NOW)


def fail(store: TokenStore) -> None:
    store.fail(PK, lease_id=ME, retry_at=UNTIL, error="x")


ACTIONS: dict[str, tuple[str, Callable[[TokenStore], object]]] = {
    "read": ("batch_get_item", lambda store: store.read(PK, fleet_pk=FLEET)),
    "acquire": ("update_item", acquire),
    "complete": ("update_item", complete),
    "fail": ("update_item", fail),
    "hold": ("update_item", lambda store: store.hold(FLEET, HOLD, now=NOW)),
    "probe": ("update_item", lambda store: store.probe(FLEET, seen_until=1, until=2)),
    "drop": ("update_item", lambda store: store.drop_token(PK, now=NOW)),
    "forget": ("delete_item", lambda store: store.forget(PK)),
}
action = pytest.mark.parametrize("action", ACTIONS)


@pytest.fixture
def nowhere() -> Iterator[DynamoDBClient]:
    """A client of a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = client_of(f"http://127.0.0.1:{port}")
    yield client
    client.close()


@pytest.fixture
def stub(nowhere: DynamoDBClient) -> Iterator[Stubber]:
    with Stubber(nowhere) as stub:
        yield stub


@action
@pytest.mark.parametrize(
    "code",
    [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "AccessDeniedException",
        "InternalServerError",
        "ResourceNotFoundException",
    ],
)
def test_a_table_that_refuses_is_unavailable_and_not_quoted(
    nowhere: DynamoDBClient, stub: Stubber, action: str, code: str
) -> None:
    call, act = ACTIONS[action]
    stub.add_client_error(call, code, f"arn {CANARY}")
    with pytest.raises(StoreUnavailable) as refused:
        act(TokenStore(client=nowhere, table="tokens"))
    assert code in (refused.value.operator or "")
    assert CANARY not in everything_told(refused.value)


@action
def test_a_table_that_cannot_be_reached_is_unavailable(
    nowhere: DynamoDBClient, action: str
) -> None:
    with pytest.raises(StoreUnavailable) as refused:
        ACTIONS[action][1](TokenStore(client=nowhere, table="tokens"))
    assert "127.0.0.1" not in everything_told(refused.value)


@action
def test_a_table_that_does_not_answer_is_unavailable(action: str) -> None:
    with raw_server(lambda _stream: None) as silent:
        client = client_of(silent.url, config=Config(read_timeout=0.02))
        with pytest.raises(StoreUnavailable):
            ACTIONS[action][1](TokenStore(client=client, table="tokens"))
        client.close()


def test_a_visitor_waits_two_seconds_for_a_call_to_the_table_at_most() -> None:
    attempts = CALLS.retries["total_max_attempts"]
    assert attempts * max(CALLS.connect_timeout, CALLS.read_timeout) == 2


def test_keys_that_were_left_unread_are_a_failure_and_no_miss(
    nowhere: DynamoDBClient, stub: Stubber
) -> None:
    unread = {"tokens": {"Keys": [{"pk": {"S": PK}}]}}
    stub.add_response("batch_get_item", {"Responses": {"tokens": []}, "UnprocessedKeys": unread})
    with pytest.raises(StoreUnavailable):
        TokenStore(client=nowhere, table="tokens").read(PK, fleet_pk=FLEET)


# Some engines refuse without showing what was in the way: then it is read, and not from a replica


def refuse_and_read(stub: Stubber, item: dict[str, Any]) -> None:
    stub.add_client_error("update_item", "ConditionalCheckFailedException")
    key = {"TableName": "tokens", "Key": {"pk": {"S": PK}}}
    stub.add_response("get_item", item, key | {"ConsistentRead": True})


def test_a_refusal_that_shows_no_row_has_it_read(nowhere: DynamoDBClient, stub: Stubber) -> None:
    refuse_and_read(stub, {"Item": HELD})
    with pytest.raises(RefusedError) as refused:
        acquire(TokenStore(client=nowhere, table="tokens"))
    assert refused.value.row == Row(pk=PK, gen=3, lease_id=ME, lease_until=9)


def test_a_row_that_is_gone_when_it_is_read_is_none(nowhere: DynamoDBClient, stub: Stubber) -> None:
    refuse_and_read(stub, {})
    with pytest.raises(RefusedError) as refused:
        acquire(TokenStore(client=nowhere, table="tokens"))
    assert refused.value.row is None


def test_a_refusal_whose_row_cannot_be_read_is_a_failure(
    nowhere: DynamoDBClient, stub: Stubber
) -> None:
    stub.add_client_error("update_item", "ConditionalCheckFailedException")
    stub.add_client_error("get_item", "InternalServerError", CANARY)
    with pytest.raises(StoreUnavailable) as failed:
        acquire(TokenStore(client=nowhere, table="tokens"))
    assert CANARY not in everything_told(failed.value)


# A reply is lost on its way, and the SDK sends the request again by itself


@contextmanager
def losing_the_first_reply(url: str) -> Iterator[str]:
    """The URL of a way to `url` on which the first reply is lost, after it was carried out."""
    seen: list[bytes] = []

    def behave(stream: socket.socket) -> None:
        request = server.requests[-1]
        head, _, body = request.partition(b"\r\n\r\n")
        headers = dict(BytesHeaderParser().parsebytes(head.partition(b"\r\n")[2]))
        reply = requests.post(url, data=body, headers=headers, timeout=5)
        seen.append(request)
        if len(seen) == 1:
            stream.shutdown(socket.SHUT_RDWR)
            return
        status = f"{reply.status_code} {reply.reason}"
        stream.sendall(answer(reply.content, status=status))

    with raw_server(behave) as server:
        yield server.url
    assert len(seen) > 1


Steps = tuple[Callable[[TokenStore], object], ...]
RETRIED: dict[str, tuple[Steps, Callable[[TokenStore], object], type[Exception] | None, Row]] = {
    "acquire": ((), acquire, RefusedError, Row(pk=PK, gen=1, lease_id=ME, lease_until=UNTIL)),
    "complete": (
        (acquire,),
        complete,
        None,
        Row(pk=PK, gen=1, sealed=SEALED, tokens={day_of(NOW): 1}),
    ),
    "fail": (
        (acquire,),
        fail,
        RefusedError,
        Row(pk=PK, gen=1, retry_at=UNTIL, fail_n=1, error="x"),
    ),
}


@pytest.mark.parametrize("action", RETRIED)
@pytest.mark.parametrize("engine", ["dynalite", "dynamodb-local"])
def test_a_write_that_the_sdk_sends_again_is_carried_out_once_and_known_as_ours(
    engine: Any, action: str
) -> None:
    if lack := lacking(engine):
        pytest.skip(lack)
    before, act, refusal, row = RETRIED[action]
    direct = client_of(shared(engine))
    table = create_table(direct)
    for step in before:
        step(TokenStore(client=direct, table=table))
    with losing_the_first_reply(shared(engine)) as url:
        client = client_of(url, config=CALLS)
        if refusal is None:
            act(TokenStore(client=client, table=table))
        else:
            with pytest.raises(RefusedError) as refused:
                act(TokenStore(client=client, table=table))
            assert refused.value.row == row
        client.close()
    assert TokenStore(client=direct, table=table).read(PK, fleet_pk=FLEET) == (row, None)
    direct.close()
