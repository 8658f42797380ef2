"""What the processes of a test have in common: Coze's stand-in, a table, the app's key."""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from tests.engines import client_of, create_table, shared
from tests.herd.orders import Stage
from tests.local.coze import CozeStandIn, demo_config
from tests.local.ports import listen
from tests.local.server import Server

BACKLOG = 2048
"""Connections that may wait at the stand-in's door: a herd comes all at once."""


@contextmanager
def stage(
    coze: CozeStandIn,
    *,
    table_seconds: float = 1,
    constants: Mapping[str, float] | None = None,
    slower: float = 1,
) -> Iterator[Stage]:
    """Serves Coze's stand-in, and a new table of DynamoDB Local."""
    at = listen()
    at.socket.listen(BACKLOG)
    table_url = shared("dynamodb-local")
    with Server(coze, at=at) as server, closing(client_of(table_url)) as client:
        config, public_pem = demo_config(server.url)
        coze.register_app(
            client_id=config["client_id"], kid=config["public_key_id"], public_key_pem=public_pem
        )
        yield Stage(
            coze=config,
            table_url=table_url,
            table=create_table(client),
            table_seconds=table_seconds,
            constants=constants or {},
            slower=slower,
            begun_at=time.time(),
        )
