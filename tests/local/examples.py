"""Commands that work when they are pasted: for every route, for Coze, for what is refused."""

import json
from dataclasses import dataclass

from tests.local.aws import REGION
from tests.local.outside import LOGIN_PATH
from tests.local.site import DEMO_BOT as BOT
from tests.local.stack import DEMO_BACKEND, LocalStack

JSON = "-H 'Content-Type: application/json'"


@dataclass(frozen=True, kw_only=True)
class Example:
    """Lines to paste; the last one prints an answer with this status at its end."""

    title: str
    status: int
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([f"{self.title} ({self.status})", *self.lines])


def routes(stack: LocalStack) -> list[Example]:
    """One example or more for each route that template.yaml declares."""
    url = stack.url
    examples = {
        "POST /token": [
            Example(
                title="POST /token: a guest signs in as dora and keeps the conversation",
                status=200,
                lines=(
                    f"TICKET=$(curl -s -X POST {url}/guest/token | {_field('guest_ticket')})",
                    _curl(
                        f"-X POST {url}/token",
                        _user(stack, "dora"),
                        JSON,
                        """-d "{\\"guest_ticket\\": \\"$TICKET\\"}\"""",
                    ),
                ),
            ),
            *(
                _example(
                    f"POST /token: {name} is signed in",
                    200,
                    f"-X POST {url}/token",
                    _user(stack, name),
                )
                for name in ("alice", "bob")
            ),
        ],
        "DELETE /token": [
            _example(
                "DELETE /token: alice's token is forgotten",
                204,
                f"-X DELETE {url}/token",
                _user(stack, "alice"),
            )
        ],
        "POST /guest/token": [
            _example("POST /guest/token: a new visitor", 200, f"-X POST {url}/guest/token"),
            Example(
                title="POST /guest/token: the same visitor again, by the ticket",
                status=200,
                lines=(
                    f"TICKET=$(curl -s -X POST {url}/guest/token | {_field('guest_ticket')})",
                    _curl(
                        f"-X POST {url}/guest/token",
                        JSON,
                        """-d "{\\"guest_ticket\\": \\"$TICKET\\"}\"""",
                    ),
                ),
            ),
        ],
        "POST /wechat/token": [
            Example(
                title="POST /wechat/token: a user of the mini-program",
                status=200,
                lines=(
                    f"CODE=$(curl -s {stack.coze_url}{LOGIN_PATH}?user=carol)",
                    _curl(
                        f"-X POST {url}/wechat/token", JSON, """-d "{\\"code\\": \\"$CODE\\"}\""""
                    ),
                ),
            )
        ],
        "POST /backend/token": [
            _example(
                "POST /backend/token: your server asks for u-42",
                200,
                f"-X POST {url}/backend/token",
                _signed(),
                _session("u-42"),
            )
        ],
        "DELETE /backend/token": [
            _example(
                "DELETE /backend/token: u-42's token is forgotten",
                204,
                f"-X DELETE {url}/backend/token",
                _signed(),
                _session("u-42"),
            )
        ],
        "POST /backend/assertion": [
            _example(
                "POST /backend/assertion: your server exchanges by itself",
                200,
                f"-X POST {url}/backend/assertion",
                _signed(),
                _session("u-42"),
            )
        ],
        "GET /health": [_example("GET /health", 200, f"{url}/health")],
    }
    return [example for key in stack.gateway.routes for example in examples[key]]


def conversations(stack: LocalStack) -> list[Example]:
    """What a token is for: alice and bob each see their own conversations only."""
    api = f"{stack.coze_url}/v1"
    ask = f'-H "Authorization: Bearer $ALICE" {JSON}'
    token = f"curl -s -X POST {stack.url}/token"
    read = _field("access_token")
    return [
        Example(
            title="Coze: alice opens a conversation",
            status=200,
            lines=(
                f"ALICE=$({token} {_user(stack, 'alice')} | {read})",
                _curl(f"-X POST {api}/conversation/create", ask, f'-d \'{{"bot_id": "{BOT}"}}\''),
            ),
        ),
        Example(
            title="Coze: alice sees it",
            status=200,
            lines=(
                _curl(f"'{api}/conversations?bot_id={BOT}'", '-H "Authorization: Bearer $ALICE"'),
            ),
        ),
        Example(
            title="Coze: alice says hello, and the bot answers",
            status=200,
            lines=(_curl(f"-X POST {stack.coze_url}/v3/chat", ask, f"-d '{_question()}'"),),
        ),
        Example(
            title="Coze: bob does not",
            status=200,
            lines=(
                f"BOB=$({token} {_user(stack, 'bob')} | {read})",
                _curl(f"'{api}/conversations?bot_id={BOT}'", '-H "Authorization: Bearer $BOB"'),
            ),
        ),
    ]


def refusals(stack: LocalStack) -> list[Example]:
    """The important ones."""
    url = stack.url
    return [
        _example("No sign-in", 401, f"-X POST {url}/token"),
        _example(
            "A sign-in token that somebody changed",
            401,
            f"-X POST {url}/token",
            _user(stack, "alice", spoilt="x"),
        ),
        _example(
            "A page of another site",
            403,
            f"-X POST {url}/token",
            _user(stack, "alice"),
            "-H 'Origin: https://elsewhere.example'",
        ),
        _example(
            "A guest ticket that we did not write",
            401,
            f"-X POST {url}/guest/token",
            JSON,
            """-d '{"guest_ticket": "made-up"}'""",
        ),
        _example(
            "A backend without a signature", 403, f"-X POST {url}/backend/token", _session("u-42")
        ),
        _example(
            "A backend with the wrong key",
            403,
            f"-X POST {url}/backend/token",
            _signed(secret="guessed"),
            _session("u-42"),
        ),
        _example(
            "A session name that is none",
            400,
            f"-X POST {url}/backend/token",
            _signed(),
            _session(" "),
        ),
        _example("No such route", 404, f"{url}/tokens"),
    ]


def _example(title: str, status: int, *arguments: str) -> Example:
    return Example(title=title, status=status, lines=(_curl(*arguments),))


def _curl(*arguments: str) -> str:
    return " ".join(["curl -s -w ' %{http_code}\\n'", *arguments])


def _user(stack: LocalStack, name: str, *, spoilt: str = "") -> str:
    sign_in = f"curl -s -d user={name} -d format=text {stack.oidc.issuer}/token"
    return f'-H "Authorization: Bearer $({sign_in}){spoilt}"'


def _signed(*, secret: str = DEMO_BACKEND.secret_key) -> str:
    return f"--aws-sigv4 aws:amz:{REGION}:execute-api --user {DEMO_BACKEND.access_key}:{secret}"


def _session(name: str) -> str:
    return f"{JSON} -d '{json.dumps({'session_name': name})}'"


def _question() -> str:
    message = {"role": "user", "content": "hello", "content_type": "text"}
    asked = {"bot_id": BOT, "user_id": "me", "stream": True, "additional_messages": [message]}
    return json.dumps(asked)


def _field(name: str) -> str:
    """Takes one string out of a JSON answer with what every machine has."""
    return f"""sed 's/.*"{name}":"\\([^"]*\\)".*/\\1/'"""
