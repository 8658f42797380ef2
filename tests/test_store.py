"""The table: one suite, which every engine that plays DynamoDB has to pass."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ConnectTimeoutError, ReadTimeoutError
from botocore.stub import Stubber
from coze_sts.cache.seal import seal
from coze_sts.cache.store import KEEP_SECONDS, DamagedRowError, Row, TokenStore
from coze_sts.errors import StoreUnavailable
from moto import mock_aws
from mypy_boto3_dynamodb import DynamoDBClient

from tests.factories import CANARY, KEYRING, NOW, everything_told, make_token

TABLE = "tokens"
ROW = seal(make_token(), pk="t1#a", keyring=KEYRING)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A client of something that plays DynamoDB, with an empty table."""

    client: DynamoDBClient

    @property
    def store(self) -> TokenStore:
        return TokenStore(client=self.client, table=TABLE)

    def item(self, pk: str) -> dict[str, Any]:
        return self.client.get_item(TableName=TABLE, Key={"pk": {"S": pk}}).get("Item", {})

    def put(self, item: dict[str, Any]) -> None:
        self.client.put_item(TableName=TABLE, Item=item)


def moto() -> Iterator[DynamoDBClient]:
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        yield boto3.client("dynamodb", region_name="eu-west-1")


ENGINES: dict[str, Callable[[], Iterator[DynamoDBClient]]] = {"moto": moto}


@pytest.fixture(scope="module", params=ENGINES)
def client(request: pytest.FixtureRequest) -> Iterator[DynamoDBClient]:
    yield from ENGINES[request.param]()


@pytest.fixture
def engine(client: DynamoDBClient) -> Iterator[Engine]:
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    yield Engine(client=client)
    client.delete_table(TableName=TABLE)


@pytest.fixture
def store(engine: Engine) -> TokenStore:
    return engine.store


def test_a_row_is_read_as_it_was_written(store: TokenStore) -> None:
    for row in (ROW, replace(ROW, pk="t1#b", forced=True, kid="密钥")):
        store.write(row, now=NOW)
        assert store.read(row.pk) == row


def test_no_row_is_none(store: TokenStore) -> None:
    store.write(ROW, now=NOW)
    assert store.read("t1#b") is None


def test_a_row_takes_the_place_of_the_one_before(store: TokenStore) -> None:
    store.write(ROW, now=NOW)
    newer = replace(ROW, ct=b"x" * 40, expires_at=ROW.expires_at + 9, ek="2", kid="kid-2")
    store.write(newer, now=NOW)
    assert store.read(ROW.pk) == newer


def test_a_write_leaves_the_attributes_of_others_alone(engine: Engine, store: TokenStore) -> None:
    engine.put({"pk": {"S": ROW.pk}, "gen": {"N": "7"}})
    store.write(ROW, now=NOW)
    assert engine.item(ROW.pk)["gen"] == {"N": "7"}


def test_a_forgotten_row_is_gone_whether_or_not_it_was_there(store: TokenStore) -> None:
    store.write(ROW, now=NOW)
    store.write(replace(ROW, pk="t1#b"), now=NOW)
    store.forget(ROW.pk)
    store.forget(ROW.pk)
    assert (store.read(ROW.pk), store.read("t1#b")) == (None, replace(ROW, pk="t1#b"))


@pytest.mark.parametrize(
    ("now", "counts_from"), [(NOW, ROW.expires_at), (NOW + 9999.9, NOW + 9999)]
)
def test_a_row_is_purged_a_day_after_it_is_of_no_more_use(
    engine: Engine, store: TokenStore, now: float, counts_from: int
) -> None:
    store.write(ROW, now=now)
    assert engine.item(ROW.pk)["purge_at"] == {"N": str(counts_from + KEEP_SECONDS)}
    assert KEEP_SECONDS == 86400


def test_the_table_holds_no_token_in_clear_and_costs_one_unit_a_kilobyte(
    engine: Engine, store: TokenStore
) -> None:
    value = "czs_" + "t" * 396
    store.write(seal(make_token(value), pk="t1#" + "p" * 43, keyring=KEYRING), now=NOW)
    item = engine.item("t1#" + "p" * 43)
    assert "tttt" not in repr(item)
    assert sum(len(name) + size(*value.values()) for name, value in item.items()) < 1024


def size(value: str | bytes | bool) -> int:
    """Bytes of an attribute's value, as DynamoDB counts them, or a few more for a number."""
    return 1 if isinstance(value, bool) else len(value)


def test_the_role_needs_three_actions(engine: Engine, store: TokenStore) -> None:
    called: list[str] = []

    def note(model: Any, **_: object) -> None:
        called.append(model.name)

    engine.client.meta.events.register("before-call.dynamodb", note)
    for act in ACTIONS.values():
        act(store)
    engine.client.meta.events.unregister("before-call.dynamodb", note)
    assert called == ["GetItem", "UpdateItem", "DeleteItem"]


@pytest.mark.parametrize("attribute", sorted(vars(ROW).keys() - {"pk"}))
@pytest.mark.parametrize("value", [None, {"NULL": True}, {"SS": ["x"]}, {"N": "1.5"}, {"L": []}])
def test_an_item_of_another_shape_is_damaged_and_no_crash(
    engine: Engine, store: TokenStore, attribute: str, value: dict[str, Any] | None
) -> None:
    store.write(ROW, now=NOW)
    item = engine.item(ROW.pk)
    item.pop(attribute)
    engine.put(item | ({attribute: value} if value else {}))
    with pytest.raises(DamagedRowError):
        store.read(ROW.pk)


ACTIONS: dict[str, Callable[[TokenStore], Row | None]] = {
    "get_item": lambda store: store.read(ROW.pk),
    "update_item": lambda store: store.write(ROW, now=NOW),
    "delete_item": lambda store: store.forget(ROW.pk),
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "code",
    ["ProvisionedThroughputExceededException", "AccessDeniedException", "InternalServerError"],
)
def test_a_table_that_refuses_is_unavailable_and_not_quoted(
    engine: Engine, store: TokenStore, action: str, code: str
) -> None:
    with Stubber(engine.client) as stub:
        stub.add_client_error(action, code, f"arn {CANARY}")
        with pytest.raises(StoreUnavailable) as refused:
            ACTIONS[action](store)
    assert code in (refused.value.operator or "")
    assert CANARY not in everything_told(refused.value)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("failure", [ConnectTimeoutError, ReadTimeoutError])
def test_a_table_that_does_not_answer_is_unavailable(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, action: str, failure: type[BotoCoreError]
) -> None:
    def fail(**_: object) -> None:
        raise failure(endpoint_url=CANARY)

    monkeypatch.setattr(engine.client, action, fail)
    with pytest.raises(StoreUnavailable) as refused:
        ACTIONS[action](engine.store)
    assert CANARY not in everything_told(refused.value)


def test_a_table_that_is_not_there_is_unavailable(engine: Engine) -> None:
    elsewhere = TokenStore(client=engine.client, table="elsewhere")
    for act in ACTIONS.values():
        with pytest.raises(StoreUnavailable):
            act(elsewhere)
