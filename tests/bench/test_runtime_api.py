"""The Runtime API is one that Lambda's own client can live with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.bench.build import HANDLERS, Package
from tests.bench.process import CLIENT
from tests.bench.run import Leg, RunFailed, run
from tests.bench.runtime_api import BASE, Reading, RuntimeApi

ANSWER = b'{"statusCode": 200}'


@pytest.fixture
def variables() -> dict[str, str]:
    """What a function finds; without the client there is none to find it."""
    if not CLIENT.exists():
        pytest.skip("needs Lambda's runtime client: make engines, with python3.13 on the PATH")
    return {"AWS_REGION": "us-east-1"}


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    api = RuntimeApi([{"number": 1}, {"number": 2}])
    api.serve(lambda: Reading(wall=0, processor=0, log_bytes=0))
    yield api
    api.close()


def url(api: RuntimeApi, path: str) -> str:
    return f"http://{api.address}{BASE}/{path}"


def app(folder: Path, source: str) -> Package:
    (folder / "app.py").write_text(source)
    return Package(task=folder)


def test_the_real_client_answers_its_events_one_after_another(variables: dict[str, str]) -> None:
    legs = [Leg(name="some", sessions=["a", "b"]), Leg(name="more", sessions=["c"])]
    done = run(Package(task=HANDLERS / "empty"), variables=variables, first="x", legs=legs)
    assert {name: len(costs) for name, costs in done.warm.items()} == {"some": 2, "more": 1}
    assert 0 < done.init.wall < done.cold.wall
    assert 0 < done.init.processor < done.cold.processor
    assert all(cost.processor > 0 < cost.wall for costs in done.warm.values() for cost in costs)


def test_the_function_sees_the_event_the_request_and_its_own_log(
    variables: dict[str, str], tmp_path: Path
) -> None:
    source = (
        "def lambda_handler(event, context):\n"
        "    assert event['requestContext']['authorizer']['jwt']['claims']['sub'] == 'alice'\n"
        "    assert 15000 < context.get_remaining_time_in_millis() <= 20000\n"
        "    assert context.aws_request_id and context.invoked_function_arn\n"
        "    print('x' * 99)\n"
        "    return {'statusCode': 200}\n"
    )
    legs = [Leg(name="warm", sessions=["alice"])]
    done = run(app(tmp_path, source), variables=variables, first="alice", legs=legs)
    assert [cost.log_bytes for cost in done.warm["warm"]] == [100]


def test_no_bytecode_is_written_into_a_package(variables: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("")
    source = "import other\ndef lambda_handler(event, context): return {'statusCode': 200}\n"
    run(app(tmp_path, source), variables=variables, first="x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app.py", "other.py"]


@pytest.mark.parametrize(
    "source",
    [
        "raise LookupError('no such thing')",
        "def lambda_handler(event, context): raise LookupError('no such thing')",
        "def lambda_handler(event, context): return {'statusCode': 500, 'body': 'no such thing'}",
    ],
    ids=["at its start", "at a request", "by its answer"],
)
def test_a_function_that_fails_is_never_measured(
    variables: dict[str, str], tmp_path: Path, source: str
) -> None:
    with pytest.raises(RunFailed, match="no such thing"):
        run(app(tmp_path, source), variables=variables, first="x")


def test_an_event_comes_with_what_lambda_says_of_it(api: RuntimeApi) -> None:
    given = requests.get(url(api, "invocation/next"), timeout=5)
    assert given.json() == {"number": 1}
    assert int(given.headers["Lambda-Runtime-Deadline-Ms"]) > 1_700_000_000_000
    for header in ("Aws-Request-Id", "Invoked-Function-Arn", "Trace-Id"):
        assert given.headers[f"Lambda-Runtime-{header}"]


@pytest.mark.parametrize("end", ["response", "error"])
def test_an_answer_is_taken_once_and_only_for_what_was_asked(api: RuntimeApi, end: str) -> None:
    given = requests.get(url(api, "invocation/next"), timeout=5)
    request_id = given.headers["Lambda-Runtime-Aws-Request-Id"]
    answers = [
        requests.post(url(api, f"invocation/{asked}/{end}"), data=ANSWER, timeout=5).status_code
        for asked in ("another", request_id, request_id)
    ]
    assert answers == [400, 202, 400]
    assert [result.failed for result in api.results] == [end == "error"]


def test_a_function_that_cannot_start_says_so(api: RuntimeApi) -> None:
    fault = {"errorType": "Runtime.ImportModuleError"}
    told = requests.post(url(api, "init/error"), data=json.dumps(fault), timeout=5)
    assert told.status_code == 202
    assert api.over.is_set()
    assert api.init_error == fault


def test_another_path_is_not_there(api: RuntimeApi) -> None:
    assert requests.get(url(api, "invocation/last"), timeout=5).status_code == 404
