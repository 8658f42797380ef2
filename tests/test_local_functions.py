"""Functions run in this process as Lambda would run them."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.local.functions import LocalFunction

SOURCE = """
import os
import threading

AT_START = dict(os.environ)
running = threading.Lock()

def lambda_handler(event, context):
    assert running.acquire(blocking=False), "two invocations at once"
    try:
        return {"event": event, "start": AT_START, "now": dict(os.environ),
                "name": context.function_name, "memory": context.memory_limit_in_mb,
                "left": context.get_remaining_time_in_millis(),
                "id": context.aws_request_id, "arn": context.invoked_function_arn}
    finally:
        running.release()
"""


def function(folder: Path, source: str = SOURCE, **environment: str) -> LocalFunction:
    (folder / "app.py").write_text(source)
    return LocalFunction(
        name="TokenFunction",
        folder=folder,
        handler="app.lambda_handler",
        environment=environment,
        timeout=20,
        memory=512,
    )


def test_a_function_sees_its_variables_and_no_setting_of_the_developers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    before = dict(os.environ)
    answer = function(tmp_path, TOKEN_TABLE="t", AWS_REGION="us-east-1").invoke({"a": 1})
    for seen in (answer["start"], answer["now"]):
        assert seen["TOKEN_TABLE"] == "t"
        assert "AWS_PROFILE" not in seen
    assert dict(os.environ) == before
    assert answer["event"] == {"a": 1}


def test_the_context_says_what_lambda_says(tmp_path: Path) -> None:
    answer = function(tmp_path, AWS_REGION="eu-west-1").invoke({})
    assert (answer["name"], answer["memory"]) == ("TokenFunction", "512")
    assert answer["arn"] == "arn:aws:lambda:eu-west-1:123456789012:function:TokenFunction"
    assert 19_000 < answer["left"] <= 20_000
    assert answer["id"]


def test_a_function_is_loaded_once_and_apart_from_others(tmp_path: Path) -> None:
    source = "calls = []\ndef lambda_handler(e, c):\n    calls.append(e)\n    return len(calls)\n"
    first, second = function(tmp_path, source), function(tmp_path, source)
    assert [first.invoke({}), first.invoke({}), second.invoke({})] == [1, 2, 1]


def test_a_function_may_call_another_where_it_is_invoked_beside_it(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    inner = function(tmp_path / "inner")
    source = "CALL = []\ndef lambda_handler(e, c):\n    return CALL[0](e)\n"
    outer = function(tmp_path, source)
    outer.load()
    sys.modules[outer._handler.__module__].CALL.append(inner.invoke)  # type: ignore[union-attr, attr-defined]
    assert outer.invoke_beside({"a": 1})["event"] == {"a": 1}


@pytest.mark.parametrize("returned", ["object()", "{'body': b'bytes'}"])
def test_an_answer_that_is_no_json_is_an_error(tmp_path: Path, returned: str) -> None:
    broken = function(tmp_path, f"def lambda_handler(e, c):\n    return {returned}\n")
    with pytest.raises(TypeError):
        broken.invoke({})


def test_the_environment_comes_back_after_a_failure(tmp_path: Path) -> None:
    before = dict(os.environ)
    broken: Any = function(tmp_path, "def lambda_handler(e, c):\n    1 / 0\n", TOKEN_TABLE="t")
    with pytest.raises(ZeroDivisionError):
        broken.invoke({})
    assert dict(os.environ) == before
