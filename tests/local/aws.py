"""DynamoDB and Secrets Manager: moto's server, with table and secrets as template.yaml has them."""

import json
import os
import re
import uuid
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from tests.local.gateway.routes import Resources, of_type
from tests.local.guard import Guard
from tests.local.ports import Listening
from tests.local.server import Server

REGION = "us-east-1"
SYMBOL = re.compile(r"\$\{([\w.]+)\}")
# Done by calls of their own, or off and nothing to do.
NOT_OF_CREATE_TABLE = {"TimeToLiveSpecification", "PointInTimeRecoverySpecification"}


class LocalAws:
    """The emulator, and what of the expanded template lives in it.

    moto keeps one state for the whole process, so every instance names its own things apart,
    unless ``prefix`` says how their names begin. ``access_key`` is all that it asks of a caller.
    """

    def __init__(
        self, *, at: Listening, prefix: str | None = None, access_key: str | None = None
    ) -> None:
        emulator = DomainDispatcherApplication(create_backend_app)
        self.server = Server(Guard(emulator, pages=False, access_key=access_key), at=at)
        self.access_key = access_key or "local"
        self._prefix = f"local-{uuid.uuid4().hex[:8]}-" if prefix is None else prefix
        self._values: dict[str, str] = {}
        self.dynamodb = self._client("dynamodb")
        self.secretsmanager = self._client("secretsmanager")

    def create(self, resources: Resources) -> None:
        """Create the tables and secrets among these resources."""
        for name, properties in of_type(resources, "AWS::DynamoDB::Table").items():
            self._create_table(name, properties)
        for name, properties in of_type(resources, "AWS::SecretsManager::Secret").items():
            self._create_secret(name, properties)

    def put_secret(self, name: str, value: str) -> None:
        """Store a value in the secret of this logical ID, as the operator does."""
        self.secretsmanager.put_secret_value(SecretId=self._values[name], SecretString=value)

    def create_secret(self, name: str, value: str) -> str:
        """The ARN of a secret that the operator keeps beside the stack."""
        return str(
            self.secretsmanager.create_secret(Name=f"{self._prefix}{name}", SecretString=value)[
                "ARN"
            ]
        )

    def resolve(self, text: str) -> str:
        """Fill in what was created: ``${TokenTable}`` becomes the table's name."""
        return SYMBOL.sub(lambda match: self._values[match[1]], text)

    def close(self) -> None:
        """Stop the emulator."""
        self.dynamodb.close()
        self.secretsmanager.close()
        self.server.close()

    def _client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name=REGION,
            endpoint_url=self.server.url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key="local",
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )

    def _create_table(self, name: str, properties: Mapping[str, Any]) -> None:
        table = f"{self._prefix}{name}"
        asked = {key: value for key, value in properties.items() if key not in NOT_OF_CREATE_TABLE}
        if "SSESpecification" in asked:
            asked["SSESpecification"] = _sse(asked["SSESpecification"])
        created = self.dynamodb.create_table(**{**asked, "TableName": table})
        if ttl := properties.get("TimeToLiveSpecification"):
            self.dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=ttl)
        self._values |= {name: table, f"{name}.Arn": created["TableDescription"]["TableArn"]}

    def _create_secret(self, name: str, properties: Mapping[str, Any]) -> None:
        asked = {
            key: properties[key]
            for key in ("Description", "KmsKeyId", "SecretString")
            if key in properties
        }
        if rules := properties.get("GenerateSecretString"):
            asked["SecretString"] = self._generate(rules)
        created = self.secretsmanager.create_secret(Name=f"{self._prefix}{name}", **asked)
        self._values |= {name: created["ARN"], f"{name}.Id": created["ARN"]}

    def _generate(self, rules: Mapping[str, Any]) -> str:
        """A random secret by CloudFormation's GenerateSecretString rules."""
        rules = dict(rules)
        template = rules.pop("SecretStringTemplate", None)
        key = rules.pop("GenerateStringKey", None)
        password: str = self.secretsmanager.get_random_password(**rules)["RandomPassword"]
        if template is None:
            return password
        return json.dumps({**json.loads(template), key: password})


def client_environment(endpoint_url: str, *, access_key: str = "local") -> dict[str, str]:
    """Variables that point boto3 at an emulator, and at nothing of the developer's own."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
    }


def _sse(specification: Mapping[str, Any]) -> dict[str, Any]:
    """CloudFormation says SSEEnabled where the API says Enabled."""
    asked = dict(specification)
    asked["Enabled"] = asked.pop("SSEEnabled")
    return asked
