"""What each file in events/ must get; README.md names the errors."""

from dataclasses import dataclass

from tests.isolation_canary.checks import ANOTHERS_KEY, AT_THE_DOORS, UNSIGNED

TOKEN = frozenset({"access_token", "token", "token_type", "expires_in", "expires_at"})
GUEST = TOKEN | {"guest_ticket", "guest_ticket_expires_at"}
CARRIED_OVER = TOKEN | {"guest_carried_over"}
ASSERTION = frozenset({"assertion", "token_endpoint", "expires_in"})
GUEST_NAME = "guest_[a-z2-7]{26}"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A status and a body of these fields; ``session`` is a pattern of the token's session."""

    status: int = 200
    fields: frozenset[str] = TOKEN
    session: str = ""


@dataclass(frozen=True)
class Refusal:
    """A status and an error code."""

    status: int
    error: str


BAD_REQUEST = Refusal(400, "invalid_request")
UNPROVED = Refusal(401, "invalid_token")
DENIED = Refusal(403, "access_denied")

FORGOTTEN = Answer(status=204, fields=frozenset())

# One for each route, but for those in INCOMPLETE.
ROUTES = {
    "health": Answer(fields=frozenset({"status"})),
    "user-token": Answer(session="alice"),
    "user-token-forget": FORGOTTEN,
    "user-token-second-issuer": Answer(session="staff_alice"),
    "user-token-second-issuer-forget": FORGOTTEN,
    "user-token-third-issuer": Answer(session="partner:alice"),
    "user-token-third-issuer-forget": FORGOTTEN,
    "guest-token": Answer(fields=GUEST, session=GUEST_NAME),
    "backend-token": Answer(session="u-42"),
    "backend-token-forget": FORGOTTEN,
    "backend-assertion": Answer(fields=ASSERTION),
}

# Each function of the API once and a token: `sam local invoke` makes a container each time.
INVOKED = ("health", "guest-token", "backend-assertion")

ANSWERED = ROUTES | {
    "user-token-after-rejection": Answer(session="alice"),
    "guest-token-base64": Answer(fields=GUEST, session=GUEST_NAME),
    "backend-token-for-device": Answer(session="李雷"),
}

# What they need is made when it is asked for and works once, so a file holds a made-up one.
INCOMPLETE = {
    "user-token-carries-guest-over": UNPROVED,
    "wechat-token": UNPROVED,
}

REFUSED = INCOMPLETE | {
    "refused-backend-assertion-bad-session-name": BAD_REQUEST,
    "refused-backend-assertion-without-authorizer": UNPROVED,
    "refused-backend-token-body-too-long": BAD_REQUEST,
    "refused-backend-token-device-and-consumer": BAD_REQUEST,
    "refused-backend-token-field-twice": BAD_REQUEST,
    "refused-backend-token-forget-without-authorizer": UNPROVED,
    "refused-backend-token-invisible-character": BAD_REQUEST,
    "refused-backend-token-no-session-name": BAD_REQUEST,
    "refused-backend-token-number-as-name": BAD_REQUEST,
    "refused-backend-token-rejected-token-malformed": BAD_REQUEST,
    "refused-backend-token-unknown-field": BAD_REQUEST,
    "refused-backend-token-with-visitors-login": UNPROVED,
    "refused-backend-token-without-authorizer": UNPROVED,
    "refused-guest-token-forged-ticket": UNPROVED,
    "refused-guest-token-not-json": BAD_REQUEST,
    "refused-guest-token-of-foreign-page": DENIED,
    "refused-guest-token-without-origin": DENIED,
    "refused-unknown-route": Refusal(404, "not_found"),
    "refused-user-token-claims-prefix-of-second-issuer": DENIED,
    "refused-user-token-claims-to-be-guest": DENIED,
    "refused-user-token-claims-to-be-of-wechat": DENIED,
    "refused-user-token-forget-without-authorizer": UNPROVED,
    "refused-user-token-forget-without-origin": DENIED,
    "refused-user-token-of-foreign-page": DENIED,
    "refused-user-token-of-unknown-issuer": DENIED,
    "refused-user-token-page-names-session": BAD_REQUEST,
    "refused-user-token-without-authorizer": UNPROVED,
    "refused-user-token-without-origin": DENIED,
    "refused-wechat-token-no-code": BAD_REQUEST,
    "refused-wechat-token-of-foreign-page": DENIED,
}

# In the order in which Secrets Manager sends them, and one that it never sends.
ROTATION = ("rotation-1-create", "rotation-2-set", "rotation-3-test", "rotation-4-finish")
UNKNOWN_STEP = "refused-rotation-unknown-step"

# What DoctorFunction is asked, and what it refuses.
DOCTOR = "doctor"
UNKNOWN_FIELD = "refused-doctor-unknown-field"
# What EventBridge sends, and what the canary finds whatever the name by which it reaches this
# machine: nobody can read the keys of the issuers in the events, and the gateway's own functions
# may not know Coze by the name that containers have for it.
CANARY = "canary"
REFUSALS = AT_THE_DOORS - {ANOTHERS_KEY} | {f"{UNSIGNED}/2", f"{UNSIGNED}/3"}
