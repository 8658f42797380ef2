"""Scenarios in which Secrets Manager fails and repeats what it holds, or holds nothing of use."""

from __future__ import annotations

import json
from functools import partial

from tests.canaries import planted
from tests.canaries.aws_faults import client_error, everything, failing
from tests.canaries.everybody import everybody, page_and_server
from tests.canaries.site import Site
from tests.canaries.tours import Scenario
from tests.canaries.visits import Visit, guest, server

CODES = (
    "ResourceNotFoundException",
    "AccessDeniedException",
    "DecryptionFailure",
    "InternalServiceError",
    "ThrottlingException",
)


def secrets_fail(code: str, site: Site) -> None:
    """All of them, from the start."""
    for visit in everybody(site):
        site.restart()
        secrets = site.app(visit.function).SECRETS
        error = client_error(code)(everything(site))
        with failing(secrets, "secrets-manager.GetSecretValue", error):
            site.ask(visit)


def secrets_fail_later(site: Site) -> None:
    """The good values in memory go on, and each failure is logged."""
    for function in ("token", "assertion"):
        app = site.app(function)
        for visit in everybody(site):
            site.ask(visit)
        stored = [app.KEYRING, app.APP if function == "assertion" else app.KEYS._current]
        error = client_error("InternalServiceError")(everything(site))
        with failing(app.SECRETS, "secrets-manager.GetSecretValue", error):
            for secret in stored:
                secret._next_fetch = 0
            for visit in everybody(site):
                site.ask(visit)


def broken_secrets(site: Site) -> None:
    """Each of another shape, the secret in it all the same."""
    config, key = site.keys.config("current"), site.keys.config("current")["private_key"]
    pem = key.replace("-----BEGIN PRIVATE KEY-----", "-----BEGIN ENCRYPTED PRIVATE KEY-----")
    no_key = {"private_key": pem}, {"private_key": key[:900]}, {"private_key": [key]}
    others = {"client_type": "web"}, {"coze_api_base": f"ftp://{key}"}, {"public_key_id": ""}
    ring = planted.CACHE_KEYS["1"]
    turnstile, wechat = planted.TURNSTILE_SECRET, planted.WECHAT_SECRET
    texts = {
        "coze": [key, json.dumps(key), json.dumps([config]), json.dumps(config)[:-1]]
        + [json.dumps(config | fault) for fault in (*no_key, *others)],
        "cache": [ring, json.dumps({"one": ring}), json.dumps({"1": ring[:9]}), f'{{"1": "{ring}'],
        "turnstile": [turnstile, json.dumps({"key": turnstile}), json.dumps([turnstile])],
        "wechat": [wechat, json.dumps({"secret": wechat}), json.dumps({"appid": 1, "secret": "é"})],
    }
    for name, several in texts.items():
        for text in several:
            _with_secret(site, name, text)


def _with_secret(site: Site, name: str, text: str) -> None:
    site.begin(site.evidence.scenario)
    site.account.store(**{name: text})
    for visit in (*page_and_server(), server("POST /backend/assertion")):
        site.ask(visit)
    if name in ("turnstile", "wechat"):
        site.ask(guest(turnstile_token=site.human()))
        site.ask(Visit(route="POST /wechat/token", body={"code": site.code()}))


SCENARIOS: dict[str, Scenario] = {
    **{f"Secrets Manager: {code}": partial(secrets_fail, code) for code in CODES},
    "Secrets Manager fails later": secrets_fail_later,
    "broken secrets": broken_secrets,
}
