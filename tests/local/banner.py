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
            f"Coze STS  {stack.url}",
            f"  Coze    {coze}",
            f"  OIDC    demo issuer at {stack.oidc.issuer}: signs in whoever says a name",
            f"  AWS     emulator at {stack.aws.server.url}",
            "Each command works when it is pasted. Its answer ends with the status in brackets.",
        ]
    )
