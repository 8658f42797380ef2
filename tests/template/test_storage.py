from __future__ import annotations

from tests.local import template
from tests.template.variants import Variant


def test_the_table_is_on_demand_purged_protected_and_never_backed_up(stack: Variant) -> None:
    assert list(stack.of_type("AWS::DynamoDB::Table")) == ["TokenTable"]
    table = stack.resources["TokenTable"]["Properties"]

    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "pk", "AttributeType": "S"}]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "purge_at", "Enabled": True}
    assert table["DeletionProtectionEnabled"] is True
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": False}


def test_the_table_is_encrypted_with_the_key_of_the_operator_where_there_is_one(
    stack: Variant,
) -> None:
    own = {"KMSMasterKeyId": stack.kms_key_arn} if stack.kms_key else {}

    encryption = stack.resources["TokenTable"]["Properties"]["SSESpecification"]
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


def test_a_protected_table_never_leaves_a_stack_stuck(stack: Variant) -> None:
    assert stack.resources["TokenTable"]["DeletionPolicy"] == "Retain"
    assert stack.resources["TokenTable"]["UpdateReplacePolicy"] == "Retain"


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
