from __future__ import annotations

from pathlib import Path

import pytest

from tests.local import template
from tests.template.variants import ORIGINS, Variant

FUNCTIONS = ["TokenFunction", "AssertionFunction", "KeyRotationFunction", "DoctorFunction"]
SECONDS = {"DoctorFunction": 60}
"""Of the functions that have more time than a visitor would wait."""

FROM_PARAMETERS = {
    "COZE_API_BASE": "CozeApiBase",
    "COZE_ACCOUNT_ID": "CozeAccountId",
    "COZE_ENTERPRISE_ID": "CozeEnterpriseId",
    "SIGNING_KEY_ARN": "SigningKeyArn",
    "COZE_BOT_IDS": "CozeBotIds",
    "COZE_PERMISSIONS": "CozePermissions",
    "TOKEN_DURATION_SECONDS": "TokenDurationSeconds",
    "OIDC_ISSUER": "OidcIssuer",
    "OIDC_AUDIENCE": "OidcAudience",
    "OIDC_ISSUER_2": "OidcIssuer2",
    "OIDC_AUDIENCE_2": "OidcAudience2",
    "OIDC_PREFIX_2": "OidcPrefix2",
    "OIDC_ISSUER_3": "OidcIssuer3",
    "OIDC_AUDIENCE_3": "OidcAudience3",
    "OIDC_PREFIX_3": "OidcPrefix3",
    "SESSION_CLAIM": "SessionClaim",
    "SESSION_NAMING": "SessionNaming",
    "SESSION_NAMESPACE": "SessionNamespace",
    "CONNECTOR_ID": "ConnectorId",
    "END_USER_QUOTA": "EndUserQuota",
    "GUEST_SESSIONS": "GuestSessions",
    "ALLOW_NO_ORIGIN": "AllowNoOrigin",
    "NEW_GUESTS_PER_ADDRESS": "NewGuestsPerAddress",
    "NEW_GUESTS_PER_ORIGIN": "NewGuestsPerOrigin",
    "TOKENS_PER_SESSION": "TokensPerSession",
    "EXCHANGES_PER_DAY": "ExchangesPerDay",
    "TURNSTILE_SECRET_ID": "TurnstileSecretId",
    "WECHAT_SECRET_ID": "WechatSecretId",
    "CANARY_BOT_ID": "CanaryBotId",
}


def test_there_are_these_functions_and_a_canary_where_one_is_wanted(stack: Variant) -> None:
    canary = ["CanaryFunction"] * stack.canary
    assert list(stack.of_type("AWS::Lambda::Function")) == FUNCTIONS + canary


def test_every_function_has_every_variable(stack: Variant) -> None:
    declared = template.source()["Parameters"]
    expected = {
        variable: str(stack.parameters.get(parameter, declared[parameter]["Default"]))
        for variable, parameter in FROM_PARAMETERS.items()
    } | {
        "COZE_SECRET_ID": stack.coze_secret,
        "CACHE_KEY_SECRET_ID": stack.cache_key_secret,
        "TOKEN_TABLE": "${TokenTable}",
        "BINDING_TABLE": "${BindingTable}",
        "API_ENDPOINT": "${TokenApi.ApiEndpoint}",
        "ALLOWED_ORIGINS": ",".join(ORIGINS) if stack.origins else "",
        "POWERTOOLS_SERVICE_NAME": template.STACK_NAME,
    }
    for function in stack.of_type("AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"] == expected


@pytest.mark.parametrize(("variable", "parameter"), FROM_PARAMETERS.items())
def test_a_parameter_reaches_the_variable_of_its_name(variable: str, parameter: str) -> None:
    resources = template.expand({parameter: "chosen"})

    assert variable.title().replace("_", "") == parameter
    for name in FUNCTIONS:
        variables = resources[name]["Properties"]["Environment"]["Variables"]
        assert [key for key in variables if variables[key] == "chosen"] == [variable]


def test_functions_run_as_planned_and_log_json_to_groups_of_their_own(stack: Variant) -> None:
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        assert function["Runtime"] == "python3.13"
        assert function["Handler"] == "app.lambda_handler"
        assert function["Architectures"] == ["arm64"]
        assert (function["MemorySize"], function["Timeout"]) == (512, SECONDS.get(name, 20))
        assert function["Role"] == f"${{{name}Role.Arn}}"
        assert function["LoggingConfig"] == {
            "LogFormat": "JSON",
            "LogGroup": f"${{{name}LogGroup}}",
        }


def test_every_function_has_a_target_that_builds_it() -> None:
    makefile = (template.PATH.parent / "functions/Makefile").read_text(encoding="utf-8")
    targets = {word.rstrip(":") for word in makefile.split() if word.startswith("build-")}

    assert targets == {f"build-{name}" for name in [*FUNCTIONS, "CanaryFunction"]}


def test_functions_are_traced_where_that_is_wanted(stack: Variant) -> None:
    mode = "Active" if stack.tracing else "PassThrough"
    for function in stack.of_type("AWS::Lambda::Function").values():
        assert function["TracingConfig"] == {"Mode": mode}


def test_functions_use_the_layer(stack: Variant) -> None:
    [layer] = stack.of_type("AWS::Lambda::LayerVersion")

    assert layer.startswith("StsLayer")
    for function in stack.of_type("AWS::Lambda::Function").values():
        assert function["Layers"] == [f"${{{layer}}}"]


@pytest.mark.parametrize(("architecture", "machine"), [("arm64", "aarch64"), ("x86_64", "x86_64")])
def test_the_architecture_is_that_of_the_functions_the_layer_and_its_wheels(
    architecture: str, machine: str
) -> None:
    resources = template.expand({"Architecture": architecture}).values()
    properties = [r["Properties"] for r in resources if r["Type"].startswith("AWS::Lambda::")]
    [layer] = [p for p in properties if "CompatibleArchitectures" in p]
    metadata = template.source()["Resources"]["StsLayer"]["Metadata"]
    folder = metadata["ContextPath"]["Fn::Sub"].replace("${Architecture}", architecture)
    makefile = (template.PATH.parent / folder / "Makefile").read_text(encoding="utf-8")
    platforms = makefile.partition("PLATFORMS = ")[2].partition("\n")[0].split()

    assert layer["CompatibleArchitectures"] == [architecture]
    assert {p["Architectures"][0] for p in properties if "Architectures" in p} == {architecture}
    assert metadata["BuildArchitecture"] == {"Ref": "Architecture"}
    assert platforms
    assert all(platform.endswith(f"_{machine}") for platform in platforms)


def test_every_architecture_on_offer_has_its_wheels() -> None:
    offered = template.source()["Parameters"]["Architecture"]["AllowedValues"]
    folders = Path(template.PATH.parent / "layers/coze_sts/wheels").iterdir()

    assert sorted(offered) == sorted(folder.name for folder in folders)
