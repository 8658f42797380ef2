"""Scenarios of KeyRotationFunction: whole rotations, refused ones, and ones that fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from unittest import mock

from tests.canaries.aws_faults import client_error, everything, failing
from tests.canaries.crashes import RAISED
from tests.canaries.quotes import QUOTES
from tests.canaries.site import Site
from tests.canaries.tours import Scenario

CALLS = (
    "GetSecretValue",
    "DescribeSecret",
    "PutSecretValue",
    "UpdateSecretVersionStage",
)
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


def _rotate(site: Site, *, version: str = "v" * 32, steps: tuple[str, ...] = STEPS) -> None:
    for step in steps:
        event = {"Step": step, "SecretId": "coze", "ClientRequestToken": version}
        site.invoke("key_rotation", event)


def rotation(site: Site) -> None:
    """A whole one, each step twice."""
    site.account.stage(json.dumps(site.keys.config("staged")))
    for step in STEPS:
        _rotate(site, steps=(step, step))


def rotation_refused(site: Site) -> None:
    """Nothing staged, no key, another app's key, the same key; an unknown step; a key not tried."""
    current, staged = site.keys.config("current"), site.keys.config("staged")
    key = staged["private_key"]
    _rotate(site, version="a" * 32)
    for number, text in enumerate(
        (key, json.dumps([staged]), json.dumps(staged | {"client_id": "7"}), json.dumps(current))
    ):
        site.account.stage(text)
        _rotate(site, version=str(number) * 32)
    _rotate(site, steps=("deleteSecret",))


def rotation_at_coze(site: Site) -> None:
    """Coze refuses the new key, in many words."""
    for number, quote in enumerate(QUOTES.values()):
        site.account.stage(json.dumps(site.keys.config("staged")))
        site.outsiders.coze.quote = quote
        _rotate(site, version=f"{number:032}", steps=("createSecret", "testSecret"))


def rotation_at_aws(code: str, site: Site) -> None:
    for number, call in enumerate(CALLS):
        site.account.stage(json.dumps(site.keys.config("staged")))
        error = client_error(code)(everything(site))
        version = f"{number:032}"
        for step in STEPS:
            with failing(site.app("key_rotation").SECRETS, f"secrets-manager.{call}", error):
                _rotate(site, version=version, steps=(step,))
            _rotate(site, version=version, steps=(step,))


def rotation_crash(make: Callable[[str], Exception], site: Site) -> None:
    error = make(everything(site))
    with mock.patch("coze_sts.key_rotation.KeyRotation.run", side_effect=error):
        _rotate(site)
    site.invoke("key_rotation", {"Step": "createSecret"})


SCENARIOS: dict[str, Scenario] = {
    "a rotation": rotation,
    "a rotation that is refused": rotation_refused,
    "a rotation that Coze refuses": rotation_at_coze,
    **{
        f"a rotation and {code}": partial(rotation_at_aws, code)
        for code in ("AccessDeniedException", "InternalServiceError", "ResourceNotFoundException")
    },
    **{f"a rotation raises {name}": partial(rotation_crash, m) for name, m in RAISED.items()},
}
