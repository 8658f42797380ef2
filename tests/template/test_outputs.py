"""What the stack says when it stands: where to call, and commands that work when pasted."""

from __future__ import annotations

import json
import shlex

import pytest
from coze_sts.cache.counters import SITE
from coze_sts.doctor.question import read_question
from coze_sts.key_rotation import STAGED

from tests.local import template
from tests.template.variants import Variant


def options(command: str) -> dict[str, str]:
    """The options of an `aws dynamodb update-item`, as a shell reads them."""
    program, service, action, *words = shlex.split(command)
    assert (program, service, action) == ("aws", "dynamodb", "update-item")
    names, values = words[::2], words[1::2]
    assert all(name.startswith("--") for name in names)
    return dict(zip(names, values, strict=True))


def test_the_outputs_say_where_to_call_and_how_to_store_the_key(stack: Variant) -> None:
    here = f"{stack.region}:{template.ACCOUNT_ID}"

    assert stack.outputs["ApiEndpoint"] == "${TokenApi.ApiEndpoint}"
    assert stack.outputs["StoreKeyCommand"] == (
        f"aws secretsmanager put-secret-value --region {stack.region}"
        f" --secret-id {stack.coze_secret} --secret-string file://coze_oauth_config.json"
    )
    assert stack.outputs["BackendRoutesArn"] == (
        f"arn:{stack.partition}:execute-api:{here}:${{TokenApi}}/*/*/backend/*"
    )


def test_a_key_is_staged_by_one_command_and_rotated_by_another(stack: Variant) -> None:
    stage, rotate = (
        shlex.split(stack.outputs[name]) for name in ("StageKeyCommand", "RotateKeyCommand")
    )
    here = ["--region", stack.region, "--secret-id", stack.coze_secret]

    assert stage == [
        *("aws", "secretsmanager", "put-secret-value"),
        *here,
        *("--version-stages", STAGED, "--secret-string", "file://coze_oauth_config.json"),
    ]
    assert rotate == [
        *("aws", "secretsmanager", "rotate-secret"),
        *here,
        *("--rotation-lambda-arn", stack.outputs["KeyRotationFunctionArn"]),
        *("--rotation-rules", "AutomaticallyAfterDays=1000"),
    ]


def test_the_outputs_name_what_outlives_the_stack(stack: Variant) -> None:
    assert stack.outputs["TokenTableName"] == "${TokenTable}"
    assert stack.outputs["BindingTableName"] == "${BindingTable}"
    assert stack.outputs["CacheKeySecretArn"] == stack.cache_key_secret


@pytest.mark.parametrize("output", ["StopCommand", "ResumeCommand"])
def test_the_kill_switch_is_one_line_for_the_item_of_the_whole_site(
    stack: Variant, output: str
) -> None:
    command = stack.outputs[output]
    given = options(command)

    assert "\n" not in command
    assert given["--region"] == stack.region
    assert given["--table-name"] == "${TokenTable}"
    assert json.loads(given["--key"]) == {"pk": {"S": SITE}}


def test_one_command_sets_what_the_other_removes(stack: Variant) -> None:
    stop, resume = options(stack.outputs["StopCommand"]), options(stack.outputs["ResumeCommand"])

    assert stop["--update-expression"] == "SET stopped = :yes"
    assert json.loads(stop["--expression-attribute-values"]) == {":yes": {"BOOL": True}}
    assert resume["--update-expression"] == "REMOVE stopped"
    assert "--expression-attribute-values" not in resume


def test_the_doctor_is_called_by_one_line_that_tells_it_the_endpoint(stack: Variant) -> None:
    command = stack.outputs["DoctorCommand"]
    program, service, action, *words, file = shlex.split(command)
    given = dict(zip(words[::2], words[1::2], strict=True))

    assert "\n" not in command
    assert (program, service, action, file) == ("aws", "lambda", "invoke", "doctor.json")
    assert given["--region"] == stack.region
    assert given["--function-name"] == stack.outputs["DoctorFunctionName"] == "${DoctorFunction}"
    assert given["--cli-binary-format"] == "raw-in-base64-out"
    assert (
        int(given["--cli-read-timeout"])
        > stack.of_type("AWS::Lambda::Function")["DoctorFunction"]["Timeout"]
    )
    event = json.loads(given["--payload"])
    assert event == {"lang": "en", "endpoint": "${TokenApi.ApiEndpoint}"}
    assert read_question(event | {"endpoint": "https://abc.execute-api.amazonaws.com"})
