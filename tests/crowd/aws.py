"""AWS as the functions meet it: moto keeps the secrets, and Amazon's own engine the tables.

Many may write to that at the same time, in truth.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import boto3
from botocore.config import Config
from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug import Request, Response

from tests.crowd.door import fetch
from tests.crowd.weather import of_table
from tests.engines import running
from tests.local.aws import REGION
from tests.local.gateway.routes import of_type
from tests.local.stack import LocalStack

SENT = ("Authorization", "Content-Type", "X-Amz-Date", "X-Amz-Target")
RETURNED = ("Content-Type", "x-amz-crc32", "x-amzn-RequestId")


class Tables:
    """A WSGI app that hands requests on to the engine at `url`."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/"

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """WSGI."""
        request = Request(environ)
        headers = {name: request.headers[name] for name in SENT if name in request.headers}
        answer = fetch("POST", self._url, headers=headers, body=request.get_data())
        returned = {name: answer.headers[name] for name in RETURNED if name in answer.headers}
        response = Response(answer.body, status=answer.status, headers=returned)
        return response(environ, start_response)


class Aws:
    """A WSGI app: the tables, and the secrets that all of moto in this process shares.

    Moto is asked one thing at a time, since it is not made for several.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._secrets = create_backend_app("secretsmanager")
        self._turn = threading.Lock()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """WSGI."""
        if of_table(environ):
            return self._tables(environ, start_response)
        with self._turn:
            return list(self._secrets(environ, start_response))


@contextmanager
def tables_of(stack: LocalStack) -> Iterator[Tables]:
    """The tables of this stack, empty, under the names that its functions know."""
    with running("dynamodb-local") as url, closing(_client(url)) as client:
        for name, declared in of_type(stack.resources, "AWS::DynamoDB::Table").items():
            client.create_table(
                TableName=stack.aws.resolve(f"${{{name}}}"),
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=declared["AttributeDefinitions"],
                KeySchema=declared["KeySchema"],
            )
        yield Tables(url)


def _client(url: str) -> Any:
    """In the functions' region and with their key: the engine keeps tables apart by both."""
    return boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(proxies={}),
    )
