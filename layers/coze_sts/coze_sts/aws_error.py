"""What may be said of a refusal by AWS: its code, never its words."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError


def code_of(error: ClientError | BotoCoreError) -> str:
    """AWS's own code, or the class of what kept it from answering."""
    if isinstance(error, ClientError):
        return error.response.get("Error", {}).get("Code", "ClientError")
    return type(error).__name__
