"""For each outcome what brings it about."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from coze_sts.errors import Misconfigured
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.doctor.clinic import BOT, NOBODY, ORIGIN, Clinic, KmsKey

DISCOVERY = "GET /.well-known/openid-configuration"
KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d"
Illness = Callable[[Clinic], object]


def nothing(_clinic: Clinic) -> None:
    """In good health."""


def no_secret(clinic: Clinic) -> None:
    clinic.text = Misconfigured("Secret coze does not exist.")


def no_json(clinic: Clinic) -> None:
    clinic.text = "-----BEGIN PRIVATE KEY-----"


def short_key(clinic: Clinic) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    clinic.config["private_key"] = pem.decode()


def kms_file(clinic: Clinic) -> str:
    """The file of docs/kms.md."""
    kept = {k: clinic.config[k] for k in clinic.config if k != "private_key"}
    return json.dumps(kept | {"signing_key_arn": KEY_ARN})


def signed_by_kms(clinic: Clinic) -> None:
    clinic.kms = KmsKey(clinic.config["private_key"])
    clinic.text = kms_file(clinic)


def kms_elsewhere(clinic: Clinic) -> None:
    clinic.text = kms_file(clinic)


def private_key_beside_kms(clinic: Clinic) -> None:
    clinic.text = json.dumps(clinic.config | {"signing_key_arn": KEY_ARN})


def kms_raises(refusal: Exception, *, signatures: int = 0) -> Illness:
    def illness(clinic: Clinic) -> None:
        clinic.kms = KmsKey(clinic.config["private_key"])
        clinic.kms.refusal, clinic.kms.signatures = refusal, signatures
        clinic.text = kms_file(clinic)

    return illness


def kms_says(code: str) -> Illness:
    return kms_raises(ClientError({"Error": {"Code": code}}, "Sign"))


def kid_with_colons(clinic: Clinic) -> None:
    clinic.config["public_key_id"] = ":".join(["a1"] * 20)


def region(*, here: bool, there: bool) -> Illness:
    def illness(clinic: Clinic) -> None:
        if not here:
            clinic.here.forget_key(kid=clinic.config["public_key_id"])
        if there:
            clinic.register(clinic.there)

    return illness


def other_region_fails(clinic: Clinic) -> None:
    region(here=False, there=True)(clinic)
    clinic.there.fail_next(status=503, body={"error_code": "internal_error"})


def none_of_cozes_hosts(clinic: Clinic) -> None:
    region(here=False, there=True)(clinic)
    clinic.regions = ("https://api.coze.cn", "https://api.coze.com")


def coze_fails(clinic: Clinic) -> None:
    clinic.here.fail_next(status=500, body=b"")


def coze_is_away(clinic: Clinic) -> None:
    clinic.config["coze_api_base"] = NOBODY


def without(permission: str) -> Illness:
    return lambda clinic: clinic.here.withdraw_permission(permission)


def coze_says(request: str, code: int, *, status: int = 200) -> Illness:
    return lambda clinic: clinic.coze.say(request, {"code": code, "msg": "no"}, status=status)


def unpublished(channel: Any) -> Illness:
    return lambda clinic: clinic.here.unpublish(channel)


def no_conversations(clinic: Clinic) -> None:
    for permission in ("createConversation", "listConversation"):
        clinic.here.withdraw_permission(permission)


def no_bot(clinic: Clinic) -> None:
    del clinic.question["bot_id"]


def setting(**variables: str) -> Illness:
    return lambda clinic: clinic.variables.update(variables)


def endpoint(url: str | None) -> Illness:
    return lambda clinic: setattr(clinic, "endpoint", url)


def discovery(**changed: object) -> Illness:
    def illness(clinic: Clinic) -> None:
        issuer = clinic.variables["OIDC_ISSUER"]
        clinic.oidc.say(DISCOVERY, {"issuer": issuer, "jwks_uri": f"{issuer}/jwks.json"} | changed)

    return illness


def keys(*keys: object) -> Illness:
    return lambda clinic: clinic.oidc.say("GET /jwks.json", {"keys": list(keys)})


def ttl(described: object) -> Illness:
    return lambda clinic: setattr(clinic, "ttl", described)


def clock_off(seconds: float) -> Illness:
    return lambda clinic: setattr(clinic, "seconds_off", seconds)


DENIED = ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeTimeToLive")

ILLNESSES: dict[str, Illness] = {
    "settings.read": nothing,
    "settings.faulty": setting(TOKEN_DURATION_SECONDS="5"),
    "secret.read": nothing,
    "secret.unreadable": no_secret,
    "config.read": nothing,
    "config.faulty": no_json,
    "config.skipped": no_secret,
    "key.long": nothing,
    "key.kms": signed_by_kms,
    "key.elsewhere": kms_elsewhere,
    "key.in_kms": private_key_beside_kms,
    "key.faulty": short_key,
    "key.skipped": no_json,
    "kid.shaped": nothing,
    "kid.odd": kid_with_colons,
    "kid.skipped": private_key_beside_kms,
    "clock.right": clock_off(20),
    "clock.wrong": clock_off(40),
    "clock.unknown": coze_is_away,
    "clock.skipped": no_secret,
    "exchange.done": nothing,
    "exchange.refused": region(here=False, there=False),
    "exchange.denied": lambda clinic: clinic.here.disable_app(client_id=clinic.config["client_id"]),
    "exchange.failing": coze_fails,
    "exchange.unsigned": kms_says("DisabledException"),
    "exchange.kms_failing": kms_says("ThrottlingException"),
    "exchange.skipped": no_secret,
    "region.right": nothing,
    "region.other": region(here=False, there=True),
    "region.neither": region(here=False, there=False),
    "region.unreached": other_region_fails,
    "region.unknown": none_of_cozes_hosts,
    "region.skipped": coze_fails,
    "permission.granted": nothing,
    "permission.seems": nothing,
    "permission.lacking": without("getMetadata"),
    "permission.token": coze_says("GET /v1/conversations", 4100, status=401),
    "permission.together": without("chat"),
    "permission.unclear": coze_says("GET /v1/conversations", 1, status=500),
    "permission.bot": no_bot,
    "permission.skipped": coze_fails,
    "api.published": nothing,
    "api.unpublished": unpublished("api"),
    "api.refused": coze_says(f"GET /v1/bots/{BOT}", 4200, status=404),
    "api.unclear": without("getMetadata"),
    "api.skipped": no_bot,
    "chat_sdk.published": nothing,
    "chat_sdk.unpublished": unpublished("chat_sdk"),
    "chat_sdk.unclear": no_conversations,
    "chat_sdk.skipped": no_bot,
    "opening.there": nothing,
    "opening.empty": lambda clinic: clinic.coze.say(f"GET /v1/bots/{BOT}", {"code": 0, "data": {}}),
    "opening.skipped": unpublished("api"),
    "preflight.allowed": nothing,
    "preflight.refused": lambda clinic: clinic.allow("https://www.example.org"),
    "preflight.partly": lambda clinic: clinic.allow(ORIGIN, headers="content-type"),
    "preflight.silent": endpoint(NOBODY),
    "preflight.skipped": setting(ALLOWED_ORIGINS=""),
    "foreign.refused": nothing,
    "foreign.admitted": lambda clinic: clinic.allow("*"),
    "foreign.silent": endpoint(NOBODY),
    "foreign.skipped": endpoint(None),
    "oidc.sound": nothing,
    "oidc.unreachable": setting(OIDC_ISSUER=NOBODY),
    "oidc.differs": discovery(issuer="https://login.example.com/"),
    "oidc.jwks_unreachable": discovery(jwks_uri="file:///etc/passwd"),
    "oidc.no_keys": keys({"kty": "EC", "kid": "1"}),
    "oidc.skipped": setting(OIDC_ISSUER=""),
    "table.purged": nothing,
    "table.kept": ttl({"TimeToLiveStatus": "DISABLED"}),
    "table.unreadable": ttl(DENIED),
    "table.skipped": ttl(None),
}
