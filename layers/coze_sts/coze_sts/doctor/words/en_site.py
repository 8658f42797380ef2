"""What is said in English of the site: its origins, its sign-in, its table."""

from __future__ import annotations

SITE = {
    "preflight.allowed": ("Pages of {origin} may call.", ""),
    "preflight.refused": (
        "Pages of {origin} may not call {endpoint}.",
        (
            "Add the origin to AllowedOrigins to the letter, without a slash at the end, and "
            "deploy again."
        ),
    ),
    "preflight.partly": (
        "Pages of {origin} may call, but not with all they send: {lacks}.",
        (
            "Deploy template.yaml as it is; if something stands before the API, let it pass on "
            "POST, authorization and content-type."
        ),
    ),
    "preflight.silent": (
        "{endpoint} did not answer ({cause}).",
        "Compare it with the stack's output ApiEndpoint.",
    ),
    "preflight.skipped": (
        "Not looked at: the endpoint or the origin is not known.",
        (
            "Say them: ENDPOINT (the output ApiEndpoint) and ORIGIN of the command, endpoint and "
            "origin of the event; AllowedOrigins of the stack stands for the latter."
        ),
    ),
    "foreign.refused": ("Pages of an origin that is nobody's may not call.", ""),
    "foreign.admitted": (
        "Pages of any origin may call: every site can fetch tokens for its visitors.",
        (
            "Name your own origins in AllowedOrigins, no wildcard; look what stands before the "
            "API adds headers of its own."
        ),
    ),
    "foreign.silent": (
        "Not known: {host} did not answer.",
        "See the line of preflight.",
    ),
    "foreign.skipped": (
        "Not looked at: the endpoint is not known.",
        "Say it: ENDPOINT of the command, endpoint of the event; it is the output ApiEndpoint.",
    ),
    "oidc.sound": ("{issuer} is reachable, says the same of itself, and has RS256 keys.", ""),
    "oidc.unreachable": (
        "The discovery document of {issuer} cannot be read ({cause}).",
        (
            "Open the issuer with /.well-known/openid-configuration behind it: API Gateway must "
            "reach that from the internet too."
        ),
    ),
    "oidc.differs": (
        "The issuer calls itself {said}, and the settings say {issuer}.",
        "Set OidcIssuer to the letter as the issuer has it: often it is a slash at the end.",
    ),
    "oidc.jwks_unreachable": (
        "The keys of {issuer} cannot be read ({cause}).",
        "Look at jwks_uri in the discovery document: it must be https and answer with JSON.",
    ),
    "oidc.no_keys": (
        "{issuer} has no RSA key for RS256 with a kid.",
        "Let the issuer sign with RS256: API Gateway accepts RSA only and finds keys by kid.",
    ),
    "oidc.skipped": (
        "Not looked at: there is no issuer, so nobody signs in.",
        "Where visitors sign in, set OidcIssuer; before the deployment set OIDC_ISSUER.",
    ),
    "table.purged": ("The table deletes rows of expired tokens (purge_at).", ""),
    "table.kept": (
        "The table keeps rows for ever: its TTL is not on for purge_at.",
        "Deploy the stack again, or turn on TTL for the attribute purge_at.",
    ),
    "table.unreadable": (
        "The table's TTL cannot be read ({cause}).",
        "Look whether TOKEN_TABLE exists, and at the role of the function.",
    ),
    "table.skipped": (
        "Not looked at: there is no table before the deployment.",
        "After it, say STACK with the stack's name.",
    ),
}
