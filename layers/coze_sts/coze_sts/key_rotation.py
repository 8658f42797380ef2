"""Takes a new key of the same OAuth app into use: the four steps of Secrets Manager's rotation.

The operator adds the new public key at Coze, stores the new coze_oauth_config.json in the same
secret under the label STAGED, and starts the rotation. Until the last step every function signs
with the old key. Each step can be run again, or after a crash, with the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from coze_sts.coze.app_key import CozeApp
from coze_sts.errors import Misconfigured, TemporarilyUnavailable, code_of

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CURRENT, PENDING, STAGED = "AWSCURRENT", "AWSPENDING", "STAGED"


@dataclass(frozen=True, kw_only=True)
class KeyRotation:
    """One rotation of `secret_id`; `version_id` is Secrets Manager's ClientRequestToken.

    `parse` reads a version of the secret. `probe` makes a real exchange with its key, and raises
    where Coze refuses it.
    """

    client: SecretsManagerClient
    secret_id: str
    version_id: str
    parse: Callable[[str], CozeApp]
    probe: Callable[[CozeApp], None]

    def run(self, step: str) -> None:
        """Runs a step by its name: createSecret or create_secret, and so on.

        Raises Misconfigured where the operator has to act, TemporarilyUnavailable where AWS
        refuses, and whatever `probe` raises.
        """
        steps = {
            "createsecret": self._create,
            "setsecret": self._set,
            "testsecret": self._test,
            "finishsecret": self._finish,
        }
        action = steps.get(step.replace("_", "").lower())
        if action is None:
            raise Misconfigured("Secrets Manager named a rotation step that is not known.")
        try:
            action()
        except (ClientError, BotoCoreError) as error:
            code = code_of(error)
        else:
            return
        # Out of the clause above, or AWS's own words would hang on to this as its context.
        raise TemporarilyUnavailable(f"Secrets Manager refused {step}: {code}.")

    def _create(self) -> None:
        """Makes the staged key the pending version."""
        if self._text(VersionId=self.version_id) is not None:
            return
        text = self._text(VersionStage=STAGED)
        if text is None:
            raise Misconfigured(
                f"No key is staged. Store the new file first: aws secretsmanager put-secret-value "
                f"--secret-id {self.secret_id} --version-stages {STAGED} "
                "--secret-string file://coze_oauth_config.json"
            )
        self._refuse_unfit(self.parse(text))
        self.client.put_secret_value(
            SecretId=self.secret_id,
            ClientRequestToken=self.version_id,
            SecretString=text,
            VersionStages=[PENDING],
        )

    def _set(self) -> None:
        """Nothing: only a person can add a public key at Coze, and has done so before."""

    def _test(self) -> None:
        pending = self._app(VersionId=self.version_id)
        if self._current_version() != self.version_id:
            self._refuse_unfit(pending)
        self.probe(pending)

    def _finish(self) -> None:
        """Moves AWSCURRENT to the pending version; Secrets Manager keeps the old as AWSPREVIOUS."""
        current = self._current_version()
        if current == self.version_id:
            return
        if PENDING not in self._versions().get(self.version_id, []):
            raise Misconfigured("This version was not tried: only a pending one becomes current.")
        self.client.update_secret_version_stage(
            SecretId=self.secret_id,
            VersionStage=CURRENT,
            MoveToVersionId=self.version_id,
            RemoveFromVersionId=current,
        )

    def _refuse_unfit(self, new: CozeApp) -> None:
        """Raises Misconfigured where the staged key cannot take the current one's place."""
        new.signer.check()
        current = self._app(VersionStage=CURRENT)
        if new.identity != current.identity:
            raise Misconfigured(
                "The staged key belongs to another OAuth app: client_id or coze_api_base differs. "
                "Rotation keeps the app; for another app deploy another stack."
            )
        if new.kid == current.kid or new.signer == current.signer:
            raise Misconfigured(
                "The staged key is the current one: public_key_id, private_key or signing_key_arn "
                "is the same."
            )

    def _current_version(self) -> str:
        return next(version for version, stages in self._versions().items() if CURRENT in stages)

    def _versions(self) -> dict[str, list[str]]:
        return self.client.describe_secret(SecretId=self.secret_id)["VersionIdsToStages"]

    def _app(self, **version: str) -> CozeApp:
        text = self._text(**version)
        if text is None:
            raise Misconfigured("The secret lacks a version that this rotation step needs.")
        return self.parse(text)

    def _text(self, **version: str) -> str | None:
        """The value of a version, or None where there is none yet."""
        try:
            return self.client.get_secret_value(SecretId=self.secret_id, **version)["SecretString"]
        except self.client.exceptions.ResourceNotFoundException:
            return None
