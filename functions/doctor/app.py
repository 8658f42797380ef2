"""DoctorFunction: looks at everything from the settings to Coze, when its operator asks."""

from __future__ import annotations

import time
from functools import cache, partial
from typing import Any

from botocore.session import Session
from coze_sts import aws, settings, telemetry, wiring
from coze_sts.doctor.document import document
from coze_sts.doctor.examination import Patient, examine
from coze_sts.doctor.question import read_question
from coze_sts.errors import StsError
from coze_sts.stored_secret import fetch_secret
from coze_sts.web import new_http_session

TELEMETRY = telemetry.new_telemetry(for_visitors=False)
AWS = Session()
SECRETS = aws.secrets_manager(AWS)
DYNAMODB = aws.dynamodb(AWS)
KMS = cache(partial(aws.kms, AWS))
PATIENT = Patient(
    settings=settings.from_environment,
    secret=lambda chosen: fetch_secret(SECRETS, secret_id=chosen.coze_secret_id).text,
    parser=lambda chosen: wiring.app_parser(KMS, settings=chosen),
    describe_ttl=lambda chosen: DYNAMODB.describe_time_to_live(TableName=chosen.token_table),
    http=new_http_session(),
    clock=time.time,
)


def lambda_handler(event: dict[str, Any] | None, context: object) -> dict[str, Any]:
    """The report; raising makes the invocation fail, with a text that quotes no secret."""
    TELEMETRY.begin(route="doctor", request_id=str(getattr(context, "aws_request_id", "")))
    try:
        question = read_question({} if event is None else event)
        report = document(examine(PATIENT, question), lang=question.lang)
    except StsError as error:
        TELEMETRY.refused(error)
        raise
    except Exception as error:  # noqa: BLE001 - raised again below, without its text
        TELEMETRY.crashed(error)
    else:
        TELEMETRY.answered(200)
        return report
    raise StsError("The examination failed. The log has the places in the code.")
