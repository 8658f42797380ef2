"""Each file in events/, through the real SAM CLI."""

import json
import re
from typing import Any

import pytest

from tests.local.coze import CozeStandIn, demo_config
from tests.local.outside import DEMO_MINI_PROGRAM
from tests.local.stack import LocalStack
from tests.sam.cli import Sam
from tests.sam.conftest import EVENTS, Invoke, read_event
from tests.sam.expectations import (
    ANSWERED,
    CANARY,
    CARRIED_OVER,
    DOCTOR,
    INVOKED,
    REFUSALS,
    REFUSED,
    ROTATION,
    UNKNOWN_FIELD,
    UNKNOWN_STEP,
    Answer,
)


def function_of(event: dict[str, Any], stack: LocalStack) -> str:
    """The function that API Gateway would call; for no route of its own any will do."""
    route = stack.gateway.routes.get(event["routeKey"])
    return route.function if route else "TokenFunction"


def check(returned: dict[str, Any], expected: Answer, coze: CozeStandIn) -> None:
    body = json.loads(returned.get("body", "{}"))
    assert (returned["statusCode"], set(body)) == (expected.status, expected.fields), body
    assert returned["headers"]["cache-control"] == "no-store"
    if expected.session:
        session = coze.tokens[body["access_token"]].session_name or ""
        assert re.fullmatch(expected.session, session)


@pytest.mark.parametrize("name", INVOKED)
def test_sam_local_invoke_prints_the_answer(sam: Sam, stack: LocalStack, name: str) -> None:
    function = function_of(read_event(name), stack)
    returned = sam.invoke(function, EVENTS / f"{name}.json")
    check(returned, ANSWERED[name], stack.coze)


@pytest.mark.parametrize("name", ANSWERED)
def test_an_event_gets_its_answer(invoke: Invoke, stack: LocalStack, name: str) -> None:
    event = read_event(name)
    returned = invoke(function_of(event, stack), event)
    check(returned, ANSWERED[name], stack.coze)


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_event_gets_its_error_and_asks_nothing_of_coze(
    invoke: Invoke, stack: LocalStack, name: str
) -> None:
    event, before = read_event(name), stack.coze.requests_seen
    returned = invoke(function_of(event, stack), event)
    body = json.loads(returned["body"])
    assert (returned["statusCode"], body["error"]) == (REFUSED[name].status, REFUSED[name].error)
    assert set(body) == {"error", "error_description", "request_id"}
    assert body["request_id"] == event["requestContext"]["requestId"]
    assert stack.coze.requests_seen == before


def test_a_guest_who_signs_in_keeps_the_session(invoke: Invoke, stack: LocalStack) -> None:
    guest = json.loads(invoke("TokenFunction", read_event("guest-token"))["body"])
    session = stack.coze.tokens[guest["access_token"]].session_name or ""
    body = json.dumps({"guest_ticket": guest["guest_ticket"]})
    signs_in = read_event("user-token-carries-guest-over") | {"body": body}
    returned = invoke("TokenFunction", signs_in)
    check(returned, Answer(fields=CARRIED_OVER, session=session), stack.coze)
    assert json.loads(returned["body"])["guest_carried_over"] is True


def test_a_user_of_the_mini_program_gets_a_session(invoke: Invoke, stack: LocalStack) -> None:
    code = stack.wechat.log_in(appid=DEMO_MINI_PROGRAM, user="carol")
    body = json.dumps({"code": code})
    returned = invoke("TokenFunction", read_event("wechat-token") | {"body": body})
    openid = stack.wechat.openid(appid=DEMO_MINI_PROGRAM, user="carol")
    check(returned, Answer(session=f"wechat_{openid}"), stack.coze)


def test_a_rotation_takes_the_staged_key_into_use(invoke: Invoke, stack: LocalStack) -> None:
    secret = stack.aws.resolve("${CozeSecret}")
    new_key = stage_key(stack, secret)
    assert current_key(stack, secret) != new_key
    for name in ROTATION:
        assert invoke("KeyRotationFunction", read_event(name) | {"SecretId": secret}) is None
    assert current_key(stack, secret) == new_key
    assert stack.coze.exchanges[-1].kid == new_key


def test_an_unknown_step_of_a_rotation_fails_it(invoke: Invoke, stack: LocalStack) -> None:
    event = read_event(UNKNOWN_STEP) | {"SecretId": stack.aws.resolve("${CozeSecret}")}
    before = stack.coze.requests_seen
    assert invoke("KeyRotationFunction", event)["errorType"] == "Misconfigured"
    assert stack.coze.requests_seen == before


def test_the_doctor_finds_the_stack_well(invoke: Invoke, stack: LocalStack) -> None:
    """Its issuers are nowhere, and it is not told where the API is."""
    report = invoke("DoctorFunction", read_event(DOCTOR))
    said = {finding["check"]: finding["status"] for finding in report["findings"]}
    assert {name for name, status in said.items() if status != "ok"} == {
        *{"preflight", "foreign", "oidc"}
    }
    assert stack.coze.exchanges[-1].session_name == "coze-sts-doctor"


def test_the_doctor_refuses_what_it_does_not_know(invoke: Invoke, stack: LocalStack) -> None:
    before = stack.coze.requests_seen
    assert invoke("DoctorFunction", read_event(UNKNOWN_FIELD))["errorType"] == "InvalidRequest"
    assert stack.coze.requests_seen == before


def test_the_canary_comes_in_through_the_front_door(invoke: Invoke, stack: LocalStack) -> None:
    found = invoke("CanaryFunction", read_event(CANARY))
    passed = {check for check, outcome in found["checks"].items() if outcome == "passed"}
    assert found["verdict"] == "CanaryFailed"
    assert passed >= REFUSALS


def current_key(stack: LocalStack, secret: str) -> str:
    """The public_key_id that functions sign with from now on."""
    version = stack.aws.secretsmanager.get_secret_value(SecretId=secret, VersionStage="AWSCURRENT")
    kid: str = json.loads(version["SecretString"])["public_key_id"]
    return kid


def stage_key(stack: LocalStack, secret: str) -> str:
    """A second key of the same app, at Coze and under the label STAGED; its public_key_id."""
    current = json.loads(stack.coze_config)
    config, public_pem = demo_config(current["coze_api_base"], client_id=current["client_id"])
    kid = config["public_key_id"]
    stack.coze.register_app(client_id=config["client_id"], kid=kid, public_key_pem=public_pem)
    stack.aws.secretsmanager.put_secret_value(
        SecretId=secret, SecretString=json.dumps(config), VersionStages=["STAGED"]
    )
    return kid
