"""Table and secrets of the emulator are those of template.yaml."""

import json
from collections.abc import Iterator

import pytest

from tests.local import template
from tests.local.aws import LocalAws
from tests.local.ports import listen


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    aws = LocalAws(at=listen())
    aws.create(template.expand())
    yield aws
    aws.close()


def test_the_table_is_the_templates(aws: LocalAws) -> None:
    name = aws.resolve("${TokenTable}")
    table = aws.dynamodb.describe_table(TableName=name)["Table"]
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TableArn"] == aws.resolve("${TokenTable.Arn}")
    assert table["DeletionProtectionEnabled"]
    assert table["SSEDescription"]["Status"] == "ENABLED"
    ttl = aws.dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert ttl == {"AttributeName": "purge_at", "TimeToLiveStatus": "ENABLED"}


def test_the_cache_key_is_generated_as_the_template_says(aws: LocalAws) -> None:
    value = aws.secretsmanager.get_secret_value(SecretId=aws.resolve("${CacheKeySecret}"))
    (number, key), *others = json.loads(value["SecretString"]).items()
    assert (number, len(key), others) == ("1", 64, [])
    assert key.isalnum()


def test_the_coze_secret_waits_for_the_operators_file(aws: LocalAws) -> None:
    aws.put_secret("CozeSecret", '{"client_type": "jwt"}')
    value = aws.secretsmanager.get_secret_value(SecretId=aws.resolve("${CozeSecret}"))
    assert value["SecretString"] == '{"client_type": "jwt"}'


def test_an_existing_secret_is_not_created(aws: LocalAws) -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mine-AbCdEf"
    other = LocalAws(at=listen())
    try:
        other.create(template.expand({"CozeSecretId": arn}))
        with pytest.raises(KeyError):
            other.resolve("${CozeSecret}")
    finally:
        other.close()


def test_two_emulators_of_a_process_do_not_share_names(aws: LocalAws) -> None:
    other = LocalAws(at=listen())
    try:
        other.create(template.expand())
        assert other.resolve("${TokenTable}") != aws.resolve("${TokenTable}")
        assert other.resolve("${CacheKeySecret}") != aws.resolve("${CacheKeySecret}")
    finally:
        other.close()
