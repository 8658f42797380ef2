"""Who may do what: the whole of it, so that a permission more is a failure too."""

from __future__ import annotations

import json
from typing import Any

from tests.local import template
from tests.template.variants import Variant

READ_SECRET = "secretsmanager:GetSecretValue"
OF_SECRETS_ONLY = {"KeyRotationFunctionRole", "DoctorFunctionRole"}
"""Roles that use a key of the operator's for secrets, and for no table."""
TRACE = ("PutTraceSegments", "PutTelemetryRecords")


def _statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    return [s for policy in role["Policies"] for s in policy["PolicyDocument"]["Statement"]]


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _allowed(role: dict[str, Any]) -> set[tuple[str, str]]:
    assert {statement["Effect"] for statement in _statements(role)} == {"Allow"}
    return {
        (action, resource)
        for statement in _statements(role)
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    }


def _logs(function: str) -> set[tuple[str, str]]:
    group = f"${{{function}LogGroup.Arn}}"
    return {("logs:CreateLogStream", group), ("logs:PutLogEvents", group)}


def _kms(stack: Variant, *actions: str) -> set[tuple[str, str]]:
    return {(f"kms:{action}", stack.kms_key_arn) for action in actions if stack.kms_key}


def _tracing(stack: Variant) -> set[tuple[str, str]]:
    return {(f"xray:{action}", "*") for action in TRACE if stack.tracing}


def _sign(stack: Variant) -> set[tuple[str, str]]:
    return {("kms:Sign", arn) for arn in stack.signing_key_arns}


def _table(name: str, *actions: str) -> set[tuple[str, str]]:
    return {(f"dynamodb:{action}Item", f"${{{name}.Arn}}") for action in actions}


def _doors(stack: Variant) -> set[tuple[str, str]]:
    """The secrets of what is configured, and of nothing else."""
    doors = {stack.turnstile_secret: stack.turnstile, stack.wechat_secret: stack.wechat}
    return {(READ_SECRET, secret) for secret, configured in doors.items() if configured}


def test_the_token_function_reads_its_secrets_uses_the_cache_and_adds_bindings(
    stack: Variant,
) -> None:
    assert _allowed(stack.of_type("AWS::IAM::Role")["TokenFunctionRole"]) == (
        _logs("TokenFunction")
        | {(READ_SECRET, stack.coze_secret), (READ_SECRET, stack.cache_key_secret)}
        | _doors(stack)
        | _tracing(stack)
        | _sign(stack)
        | _table("TokenTable", "BatchGet", "Delete", "Get", "Update")
        | _table("BindingTable", "BatchGet", "Get", "Put")
        | _kms(
            stack,
            "Decrypt",
            "DescribeKey",
            "Encrypt",
            "GenerateDataKey",
            "ReEncryptFrom",
            "ReEncryptTo",
        )
    )


def test_the_assertion_function_reads_both_secrets_and_bindings_and_no_token(
    stack: Variant,
) -> None:
    assert _allowed(stack.of_type("AWS::IAM::Role")["AssertionFunctionRole"]) == (
        _logs("AssertionFunction")
        | {(READ_SECRET, stack.coze_secret), (READ_SECRET, stack.cache_key_secret)}
        | _table("BindingTable", "Get")
        | _tracing(stack)
        | _sign(stack)
        | _kms(stack, "Decrypt")
    )


def test_the_rotation_function_changes_the_coze_secret_and_nothing_else(stack: Variant) -> None:
    rotation = ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage")

    assert _allowed(stack.of_type("AWS::IAM::Role")["KeyRotationFunctionRole"]) == (
        _logs("KeyRotationFunction")
        | {(f"secretsmanager:{action}", stack.coze_secret) for action in rotation}
        | _tracing(stack)
        | _sign(stack)
        | _kms(stack, "Decrypt", "GenerateDataKey")
    )


def test_the_doctor_reads_the_coze_secret_and_sees_whether_tokens_are_purged(
    stack: Variant,
) -> None:
    assert _allowed(stack.of_type("AWS::IAM::Role")["DoctorFunctionRole"]) == (
        _logs("DoctorFunction")
        | _tracing(stack)
        | _sign(stack)
        | {(READ_SECRET, stack.coze_secret)}
        | {("dynamodb:DescribeTimeToLive", "${TokenTable.Arn}")}
        | _kms(stack, "Decrypt")
    )


def test_no_service_and_no_route_invokes_the_doctor(stack: Variant) -> None:
    permissions = stack.of_type("AWS::Lambda::Permission").values()
    integrations = stack.of_type("AWS::ApiGatewayV2::Integration").values()

    assert "${DoctorFunction}" not in {p["FunctionName"] for p in permissions}
    assert not any("DoctorFunction" in i["IntegrationUri"] for i in integrations)


def test_the_canary_calls_one_route_as_a_backend_and_reads_nothing(stack: Variant) -> None:
    roles = stack.of_type("AWS::IAM::Role")
    api = f"arn:{stack.partition}:execute-api:{stack.region}:{template.ACCOUNT_ID}:${{TokenApi}}"
    route = ("execute-api:Invoke", f"{api}/$default/POST/backend/token")

    assert ("CanaryFunctionRole" in roles) is stack.canary
    if stack.canary:
        assert _allowed(roles["CanaryFunctionRole"]) == _logs("CanaryFunction") | _tracing(
            stack
        ) | {route}


def test_each_function_has_a_role_that_only_lambda_takes(stack: Variant) -> None:
    roles = stack.of_type("AWS::IAM::Role")

    assert set(roles) == {f"{name}Role" for name in stack.of_type("AWS::Lambda::Function")}
    for role in roles.values():
        [trust] = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
        assert "ManagedPolicyArns" not in role


def test_no_statement_has_a_wildcard(stack: Variant) -> None:
    """But X-Ray's, where it is on: it knows no resources."""
    for role in stack.of_type("AWS::IAM::Role").values():
        for action, resource in _allowed(role) - _tracing(stack):
            assert "*" not in action + resource


def test_the_kms_key_is_used_only_through_the_services_that_hold_data(stack: Variant) -> None:
    for name, role in stack.of_type("AWS::IAM::Role").items():
        conditions = [s["Condition"] for s in _statements(role) if s["Sid"] == "UseKey"]
        secrets, tables = (
            f"{service}.{stack.region}.amazonaws.com*" for service in ("secretsmanager", "dynamodb")
        )
        expected = secrets if name in OF_SECRETS_ONLY else [secrets, tables]
        uses = stack.kms_key and name != "CanaryFunctionRole"
        assert conditions == [{"StringLike": {"kms:ViaService": expected}}] * uses


def test_the_keys_of_kms_sign_as_coze_expects_and_do_nothing_else(stack: Variant) -> None:
    algorithm = {"StringEquals": {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}}
    for name, role in stack.of_type("AWS::IAM::Role").items():
        found = [s for s in _statements(role) if "kms:Sign" in _listed(s["Action"])]
        signs = bool(stack.signing_key_arns) and name != "CanaryFunctionRole"
        assert [s["Condition"] for s in found] == [algorithm] * signs
        assert all(s["Action"] == "kms:Sign" for s in found)


def test_no_condition_is_forgotten(stack: Variant) -> None:
    for role in stack.of_type("AWS::IAM::Role").values():
        kms = {s["Sid"] for s in _statements(role) if "kms:" in str(s["Action"])}
        assert kms == {s["Sid"] for s in _statements(role) if "Condition" in s}


def test_each_function_is_invoked_by_its_own_service_only(stack: Variant) -> None:
    api = f"arn:{stack.partition}:execute-api:{stack.region}:{template.ACCOUNT_ID}:${{TokenApi}}"
    invoke = {"Action": "lambda:InvokeFunction"}
    permissions = stack.of_type("AWS::Lambda::Permission").values()

    assert sorted(permissions, key=lambda p: p["FunctionName"]) == [
        invoke
        | {
            "FunctionName": "${AssertionFunction}",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": f"{api}/*/POST/backend/assertion",
        },
        *[
            invoke
            | {
                "FunctionName": "${CanaryFunction}",
                "Principal": "events.amazonaws.com",
                "SourceArn": "${CanaryRule.Arn}",
            }
        ]
        * stack.canary,
        invoke
        | {
            "FunctionName": "${KeyRotationFunction}",
            "Principal": "secretsmanager.amazonaws.com",
            "SourceAccount": template.ACCOUNT_ID,
        },
        invoke
        | {
            "FunctionName": "${TokenFunction}",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": f"{api}/*",
        },
    ]


def test_no_arn_region_or_domain_is_that_of_another_partition(stack: Variant) -> None:
    everything = json.dumps([stack.resources, stack.outputs])
    other = {"aws": ["arn:aws-cn:", "cn-north-1"], "aws-cn": ["arn:aws:", "us-east-1"]}

    assert f"arn:{stack.partition}:" in everything
    for foreign in other[stack.partition]:
        assert foreign not in everything
