from __future__ import annotations

import pytest

from tests.local import template
from tests.template.variants import Variant

PARAMETERS = template.source()["Parameters"]
CHINA = [("cn-north-1", False), ("cn-northwest-1", False)]
SECRET = "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:coze/site-a1B2c3"


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_explains_itself_and_has_a_default_and_bounds(name: str) -> None:
    declared = PARAMETERS[name]

    assert declared.keys() >= {"Description", "Default", "ConstraintDescription"}
    assert {"AllowedPattern", "AllowedValues", "MinValue"} & declared.keys()


def test_the_console_shows_every_parameter_once() -> None:
    groups = template.source()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]

    assert sorted(shown) == sorted(PARAMETERS)


def test_the_defaults_deploy() -> None:
    assert template.refusals({}) == []


def test_every_combination_of_conditions_deploys(stack: Variant) -> None:
    assert template.refusals(stack.parameters) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AlarmEmail", "first.last+alarms@mail.example.co.uk"),
        ("AllowedOrigins", "https://a.example.com,https://b.example.com:8443"),
        ("AllowedOrigins", "https://a.example.com, http://localhost:3000"),
        ("AllowedOrigins", "http://127.0.0.1"),
        ("ConnectorId", "2001"),
        ("CozeAccountId", "7350000000000000000"),
        ("CozeApiBase", "https://api.coze.cn"),
        ("CozeEnterpriseId", "volcano_2100000000"),
        ("CozeSecretId", SECRET),
        ("KmsKeyArn", "arn:aws:kms:eu-west-1:123456789012:key/mrk-0a1b"),
        ("NewGuestsPerAddress", 1),
        ("NewGuestsPerOrigin", 10_000_000),
        ("NextSigningKeyArn", "arn:aws-cn:kms:cn-north-1:123456789012:key/0a1b-2c3d"),
        ("SessionClaim", "https://example.com/user_id"),
        ("SigningKeyArn", "arn:aws:kms:eu-west-1:123456789012:key/mrk-0a1b"),
        ("SessionNamespace", "site2"),
        ("SessionNamespace", "guests"),
        ("TokenDurationSeconds", 60),
        ("TokenDurationSeconds", 86399),
        ("TurnstileSecretId", SECRET),
        ("WechatSecretId", SECRET),
    ],
)
def test_sound_values_are_accepted(name: str, value: object) -> None:
    assert template.refusals({name: value}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AlarmEmail", "ops"),
        ("AlarmEmail", "ops@localhost"),
        ("AlarmEmail", "a@example.com,b@example.com"),
        ("AllowNoOrigin", "true"),
        ("AllowedOrigins", "*"),
        ("AllowedOrigins", "https://*.example.com"),
        ("AllowedOrigins", "https://example.com/"),
        ("AllowedOrigins", "https://example.com/path"),
        ("AllowedOrigins", "https://EXAMPLE.com"),
        ("AllowedOrigins", "http://example.com"),
        ("AllowedOrigins", "http://localhost.example.com"),
        ("AllowedOrigins", "example.com"),
        ("AllowedOrigins", "null"),
        ("AllowedOrigins", "https://good.example.com,*"),
        ("Architecture", "arm"),
        ("BurstLimit", 0),
        ("ConnectorId", "20 01"),
        ("CozeAccountId", "a/b"),
        ("CozeApiBase", "api.coze.cn"),
        ("CozeApiBase", "http://api.coze.cn"),
        ("CozeApiBase", "https://api.coze.cn/"),
        ("CozeEnterpriseId", "../token"),
        ("CozeSecretId", "coze/site"),
        ("CozeSecretId", SECRET.removesuffix("-a1B2c3")),
        ("EndUserQuota", "true"),
        ("ExchangesPerDay", 0),
        ("ExchangesPerDay", 10_000_001),
        ("GuestSessions", "yes"),
        ("KmsKeyArn", "alias/mine"),
        ("LogRetentionDays", 2),
        ("NextSigningKeyArn", "alias/coze"),
        ("SigningKeyArn", "arn:aws:kms:eu-west-1:123456789012:alias/coze"),
        ("NewGuestsPerAddress", 0),
        ("NewGuestsPerOrigin", -1),
        ("PublicBurstLimit", 5001),
        ("PublicRateLimit", 10001),
        ("RateLimit", 0),
        ("SessionClaim", ""),
        ("SessionNamespace", ""),
        ("SessionNamespace", "guest"),
        ("SessionNamespace", "User"),
        ("SessionNamespace", "my_users"),
        ("SessionNamespace", "seventeenletters1"),
        ("SessionNaming", "hashed"),
        ("SnapStart", "PublishedVersions"),
        ("TokenDurationSeconds", 59),
        ("TokenDurationSeconds", 86400),
        ("TokensPerSession", 0),
        ("Tracing", "Active"),
        ("TurnstileSecretId", "turnstile"),
        ("WechatSecretId", SECRET.removesuffix("-a1B2c3")),
    ],
)
def test_unsound_values_are_refused_in_words(name: str, value: object) -> None:
    assert template.refusals({name: value}) == [
        f"{name} {PARAMETERS[name]['ConstraintDescription']}"
    ]


@pytest.mark.parametrize("name", ["CozeBotIds", "CozePermissions"])
@pytest.mark.parametrize("value", ["a, b", "a,", ",a", "a b"])
def test_a_malformed_list_is_refused(name: str, value: str) -> None:
    sound = {"CozeBotIds": "7350000000000000000,7350000000000000001", "CozePermissions": "botChat"}

    assert template.refusals(sound) == []
    assert template.refusals(sound | {name: value}) == [
        f"{name} {PARAMETERS[name]['ConstraintDescription']}"
    ]


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        ({"CozeAccountId": "1", "CozeEnterpriseId": "2"}, "CozeAccountId or CozeEnterpriseId"),
        ({"CozeBotIds": "1"}, "CozeBotIds needs CozePermissions"),
        ({"CozePermissions": "botChat"}, "CozePermissions needs CozeBotIds"),
    ],
)
def test_contradictions_are_refused_before_anything_is_created(
    parameters: dict[str, object], refusal: str
) -> None:
    [said] = template.refusals(parameters)

    assert refusal in said
    assert set(parameters) & {word.strip(".,") for word in said.split()}


@pytest.mark.parametrize(("region", "there"), [("eu-west-1", True), *CHINA])
def test_there_is_snapstart_everywhere_but_in_china(region: str, there: bool) -> None:
    refusals = template.refusals({"SnapStart": "on"}, region=region)

    assert refusals == ([] if there else ["The China regions have no SnapStart for Python."])
    assert template.refusals({"SnapStart": "off"}, region=region) == []


def test_a_parameter_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError, match="CozeBase"):
        template.expand({"CozeBase": "https://api.coze.cn"})
