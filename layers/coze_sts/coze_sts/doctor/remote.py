"""Asks the doctor that is deployed: DoctorFunction of a stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coze_sts.errors import Misconfigured


@dataclass(frozen=True, kw_only=True)
class Clients:
    """Of AWS, with the operator's credentials."""

    cloudformation: Any
    functions: Any


def ask_stack(stack: str, fields: Mapping[str, object], *, clients: Clients) -> dict[str, Any]:
    """The report of a stack's function; raises Misconfigured where there is none.

    The function cannot know the API's URL: the outputs say it, unless `fields` do.
    """
    (described,) = clients.cloudformation.describe_stacks(StackName=stack)["Stacks"]
    outputs = {out["OutputKey"]: out["OutputValue"] for out in described.get("Outputs", ())}
    if "DoctorFunctionName" not in outputs:
        raise Misconfigured(f"Stack {stack} has no doctor: it lacks the output DoctorFunctionName.")
    event = {"endpoint": outputs["ApiEndpoint"], **fields}
    answer = clients.functions.invoke(
        FunctionName=outputs["DoctorFunctionName"], Payload=json.dumps(event).encode()
    )
    report = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise Misconfigured(f"DoctorFunction failed: {report.get('errorMessage', 'no message')}")
    return dict(report)
