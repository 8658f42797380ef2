"""The stack answers as the deployed one would, and each of two keeps to itself."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
import requests

from tests.local.ports import CannotListen, Listening, Ports, listen
from tests.local.stack import LocalStack

TIMEOUT_SECONDS = 10


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack() as stack:
        yield stack


def post(url: str, **options: object) -> requests.Response:
    return requests.post(url, timeout=TIMEOUT_SECONDS, **options)  # type: ignore[arg-type]


def user_token(stack: LocalStack, user: str) -> str:
    bearer = {"Authorization": f"Bearer {stack.oidc.id_token(user)}"}
    answer = post(f"{stack.url}/token", headers=bearer)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def test_two_users_get_tokens_of_two_sessions(stack: LocalStack) -> None:
    tokens = [user_token(stack, user) for user in ("alice", "bob")]
    assert [stack.coze.tokens[token].session_name for token in tokens] == ["alice", "bob"]


def test_a_token_is_kept_in_the_table(stack: LocalStack) -> None:
    assert user_token(stack, "carol") == user_token(stack, "carol")
    rows = stack.aws.dynamodb.scan(TableName=stack.aws.resolve("${TokenTable}"))["Items"]
    sessions = [row for row in rows if row["pk"]["S"].startswith("t1#")]
    assert sessions
    assert all(row["ct"]["B"] and row["purge_at"]["N"] for row in sessions)


def test_parameters_of_the_template_change_the_service(stack: LocalStack) -> None:
    with LocalStack(parameters={"GuestSessions": "off", "TokenDurationSeconds": "600"}) as other:
        assert post(f"{other.url}/guest/token").status_code == 403
        token = user_token(other, "alice")
        assert token in other.coze.tokens
        assert token not in stack.coze.tokens
        assert other.coze.exchanges[0].duration_seconds == 600
    assert post(f"{stack.url}/guest/token").status_code == 200


def test_without_an_issuer_there_is_no_token_route() -> None:
    with LocalStack(parameters={"OidcIssuer": "", "OidcAudience": ""}) as stack:
        assert post(f"{stack.url}/token").status_code == 404


def test_the_doctor_finds_nothing_wrong_with_the_stack(stack: LocalStack) -> None:
    event = {"bot_id": "7000000000000000001", "endpoint": stack.url}
    report = stack.functions["DoctorFunction"].invoke(event)
    assert [finding for finding in report["findings"] if finding["status"] != "ok"] == []


def test_the_stand_ins_key_can_be_had_for_the_doctor_and_a_real_one_cannot(
    stack: LocalStack,
) -> None:
    path = "/demo/coze_oauth_config.json"
    offered = requests.get(stack.coze_url + path, timeout=TIMEOUT_SECONDS)
    assert offered.text == stack.coze_config
    assert "Access-Control-Allow-Origin" not in offered.headers
    with LocalStack(coze_config=stack.coze_config) as other:
        refused = requests.get(other.coze_url + path, timeout=TIMEOUT_SECONDS)
        assert refused.status_code == 401


def test_a_container_is_pointed_at_this_machine_by_its_name_for_it() -> None:
    with LocalStack(ports=Ports.take(host="0.0.0.0"), coze_host="172.17.0.1") as stack:
        seen = stack.environment("TokenFunction", host="172.17.0.1")
        assert seen["AWS_ENDPOINT_URL"] == f"http://172.17.0.1:{stack.aws.server.port}"
        assert seen["TOKEN_TABLE"] == stack.aws.resolve("${TokenTable}")
        assert '"coze_api_base": "http://172.17.0.1:' in stack.coze_config


def neighbours() -> tuple[Listening, Listening]:
    """Two ports in a row, below those that the system lends to anybody who connects."""
    for first in range(20_000, 30_000, 2):
        with suppress(CannotListen):
            return listen(port=first), listen(port=first + 1)
    raise CannotListen("No two ports in a row are free.")


def test_a_taken_port_frees_the_others_again() -> None:
    free, taken = neighbours()
    free.socket.close()
    with pytest.raises(CannotListen):
        Ports.take(first=free.port)
    taken.socket.close()
    listen(port=free.port).socket.close()
