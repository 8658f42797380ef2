from __future__ import annotations

import pytest

from tests.local import template
from tests.template.variants import Variant

TABLES = ["TokenTable", "BindingTable"]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_on_demand_protected_and_has_one_key(stack: Variant, name: str) -> None:
    table = stack.of_type("AWS::DynamoDB::Table")[name]

    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "pk", "AttributeType": "S"}]
    assert table["DeletionProtectionEnabled"] is True


def test_tokens_are_purged_and_never_backed_up_and_bindings_the_other_way_round(
    stack: Variant,
) -> None:
    tables = stack.of_type("AWS::DynamoDB::Table")
    purged = {"AttributeName": "purge_at", "Enabled": True}

    assert set(tables) == set(TABLES)
    assert {name: table.get("TimeToLiveSpecification") for name, table in tables.items()} == {
        "TokenTable": purged,
        "BindingTable": None,
    }
    assert {name: table["PointInTimeRecoverySpecification"] for name, table in tables.items()} == {
        "TokenTable": {"PointInTimeRecoveryEnabled": False},
        "BindingTable": {"PointInTimeRecoveryEnabled": True},
    }


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_encrypted_with_the_key_of_the_operator_where_there_is_one(
    stack: Variant, name: str
) -> None:
    own = {"KMSMasterKeyId": stack.kms_key_arn} if stack.kms_key else {}

    encryption = stack.resources[name]["Properties"]["SSESpecification"]
    assert encryption == {"SSEEnabled": True, "SSEType": "KMS"} | own


def test_secrets_and_logs_are_encrypted_with_the_key_of_the_operator_where_there_is_one(
    stack: Variant,
) -> None:
    secrets = stack.of_type("AWS::SecretsManager::Secret")
    groups = stack.of_type("AWS::Logs::LogGroup")

    for properties in (secrets | groups).values():
        assert properties.get("KmsKeyId") == (stack.kms_key_arn if stack.kms_key else None)


def test_a_secret_for_coze_is_created_empty_unless_one_is_named(stack: Variant) -> None:
    secrets = stack.of_type("AWS::SecretsManager::Secret")

    assert ("CozeSecret" in secrets) is not stack.own_secret
    assert not {"SecretString", "GenerateSecretString"} & secrets.get("CozeSecret", {}).keys()


def test_the_first_of_numbered_cache_keys_is_generated_unless_one_is_named(stack: Variant) -> None:
    generated = {
        "SecretStringTemplate": "{}",
        "GenerateStringKey": "1",
        "PasswordLength": 64,
        "ExcludePunctuation": True,
    }
    secret = stack.of_type("AWS::SecretsManager::Secret").get("CacheKeySecret", {})

    assert secret.get("GenerateSecretString") == (None if stack.own_cache_key else generated)


def test_what_cannot_be_made_again_outlives_the_stack(stack: Variant) -> None:
    for name in stack.of_type("AWS::SecretsManager::Secret"):
        assert stack.resources[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert stack.resources[name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", TABLES)
def test_a_protected_table_never_leaves_a_stack_stuck(stack: Variant, name: str) -> None:
    assert stack.resources[name]["DeletionPolicy"] == "Retain"
    assert stack.resources[name]["UpdateReplacePolicy"] == "Retain"


def test_everything_that_logs_has_a_group_whose_lines_expire(stack: Variant) -> None:
    groups = stack.of_type("AWS::Logs::LogGroup")
    functions = stack.of_type("AWS::Lambda::Function")

    assert groups.keys() == {"ApiLogGroup"} | {f"{name}LogGroup" for name in functions}
    assert len({group["LogGroupName"] for group in groups.values()}) == len(groups)
    assert {group["RetentionInDays"] for group in groups.values()} == {"30"}


def test_the_retention_of_logs_is_a_parameter() -> None:
    resources = template.expand({"LogRetentionDays": 7}).values()

    groups = [r["Properties"] for r in resources if r["Type"] == "AWS::Logs::LogGroup"]
    assert {group["RetentionInDays"] for group in groups} == {"7"}
