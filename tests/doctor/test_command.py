"""`make doctor`: before a deployment with a file, after it with a stack's name."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from coze_sts.doctor.__main__ import local, run
from coze_sts.doctor.document import LANGUAGES, document, lines
from coze_sts.doctor.question import FIELDS, Question, read_question
from coze_sts.doctor.remote import Clients
from coze_sts.doctor.report import found
from coze_sts.errors import InvalidRequest, Misconfigured

from tests.contract.markdown import ROOT
from tests.doctor.clinic import BOT, ORIGIN, Clinic
from tests.doctor.illnesses import KEY_ARN, kms_file, region

API = "https://abc123.execute-api.eu-west-1.amazonaws.com"
Command = Callable[..., subprocess.CompletedProcess[str]]
REPORT = document([found("secret.read"), found("region.right", host="api.coze.cn")], lang="zh")


class Stack:
    """CloudFormation and Lambda, as far as one stack's doctor needs them."""

    def __init__(self, *, outputs: dict[str, str] | None = None) -> None:
        self.outputs = outputs or {"ApiEndpoint": API, "DoctorFunctionName": "doctor-1"}
        self.answer: dict[str, Any] = {}
        self.report: object = REPORT
        self.asked: dict[str, Any] = {}

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803
        assert StackName == "coze-sts"
        outputs = [{"OutputKey": k, "OutputValue": v} for k, v in self.outputs.items()]
        return {"Stacks": [{"Outputs": outputs}]}

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "doctor-1"
        self.asked = json.loads(Payload)
        return {"Payload": io.BytesIO(json.dumps(self.report).encode()), **self.answer}

    @property
    def clients(self) -> Clients:
        return Clients(cloudformation=self, functions=self)


def no_stack() -> Clients:
    raise AssertionError("AWS was asked")


def no_patient(_path: Path) -> Any:
    raise AssertionError("this machine was looked at")


def remote(stack: Stack, *arguments: str) -> tuple[str, int]:
    arguments = ("--stack", "coze-sts", *arguments)
    return run(arguments, connect=lambda: stack.clients, patient=no_patient)


@pytest.fixture
def command(clinic: Clinic, tmp_path: Path) -> Command:
    """Runs what `make doctor` runs, with a file of the clinic's app."""
    file = tmp_path / "coze_oauth_config.json"

    def command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        file.write_text(json.dumps(clinic.config), encoding="utf-8")
        return subprocess.run(
            [sys.executable, "-m", "coze_sts.doctor", "--coze-config", str(file), *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT / "layers" / "coze_sts"), **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return command


def test_a_file_is_looked_at_before_anything_is_deployed(command: Command, clinic: Clinic) -> None:
    issuer = clinic.variables["OIDC_ISSUER"]
    assert clinic.endpoint
    known = ("--bot-id", BOT, "--origin", ORIGIN, "--endpoint", clinic.endpoint)
    done = command(*known, "--json", OIDC_ISSUER=issuer)
    report = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    notes = [f["finding"] for f in report["findings"] if f["status"] != "ok"]
    assert notes == ["table.skipped"]


def test_a_failure_is_the_exit_status_and_has_its_cure_in_the_language_asked_for(
    command: Command, clinic: Clinic
) -> None:
    region(here=False, there=False)(clinic)
    done = command("--lang", "zh")
    assert done.returncode == 1
    assert "失败\u3000  exchange: 扣子拒绝了密钥。" in done.stdout
    assert "    → " in done.stdout


def test_a_file_for_kms_fails_nothing_and_is_not_tried(command: Command, clinic: Clinic) -> None:
    clinic.config = json.loads(kms_file(clinic))
    done = command("--json")
    keys = {finding["finding"] for finding in json.loads(done.stdout)["findings"]}
    assert (done.returncode, done.stderr) == (0, "")
    assert keys >= {"config.read", "key.elsewhere", "kid.shaped", "exchange.skipped"}
    assert clinic.coze.requests == []


def test_a_file_for_the_key_of_the_settings_is_read_as_the_functions_read_it(
    command: Command, clinic: Clinic
) -> None:
    done = command("--json", SIGNING_KEY_ARN=KEY_ARN)
    keys = {finding["finding"] for finding in json.loads(done.stdout)["findings"]}
    assert (done.returncode, "key.in_kms" in keys) == (1, True)


def test_make_passes_variables_that_are_not_set(command: Command) -> None:
    empty = [word for name in ("stack", "bot-id", "origin") for word in (f"--{name}", "")]
    done = command(*empty, "--endpoint", "")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    shown, status = run(
        ["--coze-config", str(tmp_path / "none.json")], connect=no_stack, patient=local
    )
    assert status == 1
    assert f"{tmp_path}/none.json: No such file or directory." in shown


def test_a_file_that_is_no_text_is_a_finding(tmp_path: Path) -> None:
    file = tmp_path / "coze_oauth_config.json"
    file.write_bytes(b"\xff\xfe")
    shown, status = run(["--coze-config", str(file)], connect=no_stack, patient=local)
    assert (status, "is not a text file in UTF-8" in shown) == (1, True)


def test_a_fault_of_the_settings_is_a_finding(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("OIDC_ISSUER", "login.example.com")
    shown, status = run(["--coze-config", str(tmp_path)], connect=no_stack, patient=local)
    assert (status, "settings: The settings are wrong: OIDC_ISSUER must" in shown) == (1, True)


def test_a_stack_is_asked_through_its_outputs_and_told_where_its_api_is() -> None:
    stack = Stack()
    assert remote(stack) == (lines(REPORT), 0)
    assert stack.asked == {"lang": "en", "endpoint": API}


def test_what_is_asked_is_passed_on() -> None:
    stack = Stack()
    remote(stack, "--lang", "zh", "--bot-id", BOT, "--origin", ORIGIN, "--endpoint", f"{API}:444")
    fields = {"lang": "zh", "bot_id": BOT, "origin": ORIGIN, "endpoint": f"{API}:444"}
    assert stack.asked == fields
    assert read_question(stack.asked) == Question(**fields)  # type: ignore[arg-type]


def test_a_stacks_failure_is_the_exit_status() -> None:
    stack = Stack()
    stack.report = document([found("table.kept")], lang="en")
    shown, status = remote(stack, "--json")
    assert (json.loads(shown), status) == (stack.report, 1)


def test_a_stack_without_a_doctor_is_named() -> None:
    with pytest.raises(Misconfigured, match="Stack coze-sts has no doctor"):
        remote(Stack(outputs={"ApiEndpoint": API}))


def test_a_function_that_fails_is_told_in_its_own_words() -> None:
    stack = Stack()
    stack.answer, stack.report = {"FunctionError": "Unhandled"}, {"errorMessage": "no layer"}
    with pytest.raises(Misconfigured, match="DoctorFunction failed: no layer"):
        remote(stack)


@pytest.mark.parametrize("arguments", [[], ["--stack", "a", "--coze-config", "b"]])
def test_it_is_the_file_or_the_stack(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(arguments, connect=no_stack, patient=no_patient)
    assert ended.value.code == 2
    assert "COZE_CONFIG=" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"url": "x"}, "a field is unknown"),
        ({"lang": "fr"}, "lang must match"),
        ({"bot_id": "a/../b"}, "bot_id must match"),
        ({"bot_id": 7.5}, "bot_id must match"),
        ({"origin": "https://www.example.com/"}, "origin must match"),
        ({"endpoint": "http://169.254.169.254"}, "endpoint must use https"),
        ({"endpoint": "https://example.com/path"}, "endpoint must be a bare host"),
        ([], "It takes a JSON object"),
    ],
)
def test_what_is_not_known_or_not_fit_is_refused(fields: object, fault: str) -> None:
    with pytest.raises(InvalidRequest, match=fault):
        read_question(fields)


def test_every_fault_of_a_question_is_named_at_once() -> None:
    with pytest.raises(InvalidRequest, match=r"lang must .*; origin must"):
        read_question({"lang": "fr", "origin": "*"})


def test_null_is_nothing() -> None:
    assert read_question(dict.fromkeys(FIELDS)) == Question()


def test_every_language_can_be_asked_for() -> None:
    assert {read_question({"lang": lang}).lang for lang in LANGUAGES} == {"en", "zh"}


def test_the_recipe_gives_the_command_all_that_can_be_asked() -> None:
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("\ndoctor:")[2].partition("\n\n")[0]
    options = dict(re.findall(r"--([a-z-]+) \"\$\$([A-Z_]+)\"", recipe))
    assert options.keys() == {"coze-config", "stack", "bot-id", "origin", "endpoint"}
    assert all(name == option.upper().replace("-", "_") for option, name in options.items())
    assert "$(ARGS)" in recipe
