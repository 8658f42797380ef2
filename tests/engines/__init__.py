"""Three that play DynamoDB on this machine: moto, dynalite, and Amazon's own DynamoDB Local."""

from tests.engines.engine import (
    ENGINES,
    Engine,
    client_of,
    create_table,
    lacking,
    running,
    shared,
)

__all__ = ["ENGINES", "Engine", "client_of", "create_table", "lacking", "running", "shared"]
