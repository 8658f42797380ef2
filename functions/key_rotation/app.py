"""KeyRotationFunction: Secrets Manager calls it once for each step of a rotation."""

from __future__ import annotations

import time
from functools import cache, partial
from typing import Any

from botocore.config import Config
from botocore.session import Session
from coze_sts import aws, settings, telemetry, wiring
from coze_sts.coze.app_key import CozeApp
from coze_sts.coze.mint import mint
from coze_sts.errors import StsError
from coze_sts.key_rotation import KeyRotation
from coze_sts.web import new_http_session

SETTINGS = settings.from_environment()
TELEMETRY = telemetry.new_telemetry(for_visitors=False)
AWS = Session()
SECRETS = aws.secrets_manager(AWS, config=Config())
HTTP = new_http_session()
PROBE_SECONDS = 8
PROBE_SESSION = "coze-sts-key-rotation"
KMS = cache(partial(aws.kms, AWS))
PARSE = wiring.app_parser(KMS, settings=SETTINGS)


def probe(app: CozeApp) -> None:
    """Exchanges an assertion signed with the new key; raises where Coze refuses it."""
    mint(
        HTTP,
        app=app,
        settings=SETTINGS,
        session_name=PROBE_SESSION,
        session_context=None,
        clock=time.time,
        deadline=time.time() + PROBE_SECONDS,
    )


def lambda_handler(event: dict[str, Any], _context: object) -> None:
    """Runs one step; raising makes Secrets Manager report the rotation as failed.

    Lambda logs the text of what is raised: only our own errors are known to quote no secret.
    """
    step = str(event.get("Step", ""))
    TELEMETRY.begin(route=f"rotation {step}", request_id=str(event.get("ClientRequestToken", "")))
    rotation = KeyRotation(
        client=SECRETS,
        secret_id=event["SecretId"],
        version_id=event["ClientRequestToken"],
        parse=PARSE,
        probe=probe,
    )
    try:
        rotation.run(step)
    except StsError as error:
        TELEMETRY.refused(error)
        raise
    except Exception as error:  # noqa: BLE001 - raised again below, without its text
        TELEMETRY.crashed(error)
    else:
        TELEMETRY.answered(200)
        return
    raise StsError("This step failed. The log has the places in the code.")
