"""AWS sessions that share what botocore reads of AWS, which is slow to read."""

from functools import cache
from typing import Any

from botocore.loaders import create_loader
from botocore.session import Session

models = cache(create_loader)


class AwsSession(Session):
    """Stands in for botocore's own while `botocore.session.Session` is patched."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.register_component("data_loader", models())
