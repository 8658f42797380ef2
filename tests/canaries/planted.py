"""What is planted: each kind of secret and of what says who a visitor is, and where it may be."""

from __future__ import annotations

import base64
import hashlib

from tests.canaries.grep import Canary

ORIGIN = "https://www.example.com"
ISSUERS = ("https://one.example.com/", "https://two.example.com/", "https://three.example.com/")
PREFIXES = ("", "two_", "three_")
PRINCIPAL = "arn:aws:sts::123456789012:assumed-role/backend/i-0a1b2c3d"
"""Logged on purpose: it is one of the site's own servers."""

ADDRESSES = ("203.0.113.177", "2001:db8:7a3f:91c4:5d20:b8e6:1f37:c0a9")


def random_text(kind: str, length: int = 40) -> str:
    """The same in each run, and in no other text: lower-case letters and digits."""
    digest = hashlib.sha256(f"canary of {kind}".encode()).digest()
    return base64.b32encode(digest).decode().lower()[:length]


def rejected(kind: str) -> str:
    """The SHA-256 of a token that nobody has."""
    return hashlib.sha256(kind.encode()).hexdigest()


SUB, CJK_SUB = random_text("sub"), "".join(chr(0x4E00 + 331 * i % 20000) for i in range(1, 40))
SESSION_NAME = random_text("session_name")
DEVICE_ID, CUSTOM_CONSUMER = random_text("device_id"), random_text("custom_consumer")
EMAIL, FULL_NAME = f"{random_text('email')}@{random_text('host', 9)}.cn", random_text("full name")
USER_AGENT = f"Mozilla/5.0 ({random_text('user agent')})"
OPENID = "o" + random_text("openid", 27)
APPID = "wx1234567890abcdef"
CACHE_KEYS = {number: random_text(f"cache key {number}") * 2 for number in ("1", "2")}
WECHAT_SECRET = random_text("wechat secret", 32)
TURNSTILE_SECRET = "0x4AAAAAAA" + random_text("turnstile secret", 25)
TURNSTILE_TOKEN = "0." + random_text("turnstile token")
TOKEN = random_text("access token")
REJECTED = rejected("rejected_token")
WRONG_TICKET = f"g1.1.{random_text('made-up ticket')}.{random_text('made-up mac')}"
AWS_SECRET_KEY, AWS_SESSION_TOKEN = random_text("aws secret"), random_text("aws session token")
FIELD, FIELD_VALUE = random_text("unknown field"), random_text("value of an unknown field")
GARBAGE = random_text("what is no JSON")
CODE = random_text("code", 32)
REFERER = random_text("referer")
HEADERS = {
    "cookie": f"sid={random_text('cookie')}",
    "user-agent": USER_AGENT,
    "referer": f"{ORIGIN}/{REFERER}",
    "x-forwarded-for": ADDRESSES[0],
    "x-amz-security-token": random_text("x-amz-security-token"),
    "x-custom": random_text("x-custom"),
    "forwarded": f"for={random_text('forwarded')}",
}
FOREIGN_ORIGIN = f"https://{random_text('foreign origin')}.example"
QUERY = random_text("query string")
PATH = random_text("path")
IAM = {
    "accessKey": "AKIA" + random_text("iam access key", 16).upper(),
    "callerId": "AROA" + random_text("iam caller id", 16).upper(),
    "userId": "AROA" + random_text("iam user id", 16).upper(),
    "principalOrgId": f"o-{random_text('iam organisation', 16)}",
    "cognitoIdentity": None,
    "accountId": "123456789012",
    "userArn": PRINCIPAL,
}
CLAIM = random_text("another claim")
SIGNATURE = random_text("signature of a request")
"""Also the key that signs sign-in tokens here."""

SEEN_APART = {"x-forwarded-for", "user-agent", "referer"}

NAMES = {
    "sub": SUB,
    "sub in Chinese": CJK_SUB,
    "session_name": SESSION_NAME,
    "device_id": DEVICE_ID,
    "custom_consumer": CUSTOM_CONSUMER,
    "openid": OPENID,
    "email": EMAIL,
    "full name": FULL_NAME,
    "source address": ADDRESSES[0],
    "source address in IPv6": ADDRESSES[1],
    "User-Agent": USER_AGENT,
}
"""What says who somebody is: here a digest without a key tells as much."""

SECRETS = {
    "cache key 1": CACHE_KEYS["1"],
    "cache key 2": CACHE_KEYS["2"],
    "WeChat secret": WECHAT_SECRET,
    "Turnstile secret": TURNSTILE_SECRET,
    "Turnstile token": TURNSTILE_TOKEN,
    "access token": TOKEN,
    "rejected_token": REJECTED,
    "made-up ticket": WRONG_TICKET,
    "AWS secret key": AWS_SECRET_KEY,
    "AWS session token": AWS_SESSION_TOKEN,
    "unknown field": FIELD,
    "value of an unknown field": FIELD_VALUE,
    "what is no JSON": GARBAGE,
    "code": CODE,
    "session_key": random_text("session_key"),
    "unionid": random_text("unionid"),
    "foreign Origin": FOREIGN_ORIGIN.removesuffix(".example"),
    "query string": QUERY,
    "path": PATH,
    "another claim": CLAIM,
    "signature of a request": SIGNATURE,
    **{f"header {name}": HEADERS[name] for name in HEADERS.keys() - SEEN_APART},
    "header referer": REFERER,
    **{f"IAM {name}": IAM[name] or "" for name in ("accessKey", "callerId", "userId")},
    "IAM principalOrgId": IAM["principalOrgId"] or "",
}


def planted() -> list[Canary]:
    """Those that are known before anything runs."""
    return [Canary(kind=kind, text=text, named=True) for kind, text in NAMES.items()] + [
        Canary(kind=kind, text=text) for kind, text in SECRETS.items()
    ]
