"""What the terminal shows once everything runs."""

import json

from tests.local import examples
from tests.local.stack import LocalStack


def banner(stack: LocalStack, *, coze_config: str | None) -> str:
    """The whole text."""
    shown = [
        _head(stack, coze_config),
        *[str(example) for example in examples.routes(stack)],
        *([] if coze_config else [str(example) for example in examples.conversations(stack)]),
        "What is refused:",
        *[str(example) for example in examples.refusals(stack)],
        f"Ready: {stack.url}   Ctrl-C stops everything. Log lines of the functions follow.",
    ]
    return "\n\n".join(shown)


def _head(stack: LocalStack, coze_config: str | None) -> str:
    coze = f"stand-in at {stack.coze_url}"
    if coze_config:
        config = json.loads(coze_config)
        coze = f"app {config['client_id']} at {config['coze_api_base']}"
    return "\n".join(
        [
            *_page(stack),
            "",
            f"Coze STS  {stack.url}",
            f"  Coze    {coze}",
            f"  OIDC    demo issuer at {stack.oidc.issuer}: signs in whoever says a name",
            f"  AWS     emulator at {stack.aws.server.url}",
            "Each command works when it is pasted. Its answer ends with the status in brackets.",
        ]
    )


def _page(stack: LocalStack) -> list[str]:
    """What to open first."""
    opened = f"Open {stack.url} in a browser: a page whose visitors chat, each for themselves."
    if stack.site_settings.bot_id:
        return [opened]
    return [opened, "The page needs a bot: BOT_ID=7000000000000000001 names yours."]
