"""The gate of the OIDC routes: only a token of this route's issuer, for this site, now."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.attack.site import Site, bearer
from tests.attack.tokens import (
    claims,
    encoded,
    es256,
    forged,
    hs256,
    own_key,
    part,
    ps256,
    public_jwk,
    public_pem,
    rs256,
    rs512,
    text_of,
    unsigned,
)
from tests.attack.wire import Answer
from tests.local.oidc import OidcIssuer

ROUTE = "POST /token"
HOUR = 3600


def ask(site: Site, token: str, route: str = ROUTE) -> Answer:
    with site.untouched():
        return site.send(route, [*bearer(token), *site.origin])


def test_what_is_not_changed_is_let_in(site: Site) -> None:
    """Else every refusal below could be for another reason."""
    answer = site.send(ROUTE, [*bearer(forged(site.stack.oidc)), *site.origin])
    assert site.session(answer) == "victim"


def by_attacker(issuer: OidcIssuer, **header: Any) -> str:
    return forged(issuer, header=header, sign=rs256(own_key()))


ATTACKER = "https://evil.example/jwks.json"
FORGED: dict[str, Callable[[OidcIssuer], str]] = {
    "alg None": lambda i: forged(i, header={"alg": "None"}, sign=unsigned),
    "alg nOnE": lambda i: forged(i, header={"alg": "nOnE"}, sign=unsigned),
    "alg none, signed": lambda i: forged(i, header={"alg": "none"}),
    "alg empty": lambda i: forged(i, header={"alg": ""}, sign=unsigned),
    "alg missing": lambda i: forged(i, header={"alg": None}),
    "alg a list": lambda i: forged(i, header={"alg": ["RS256"]}),
    "alg an object": lambda i: forged(i, header={"alg": {"RS256": 1}}),
    "alg in small letters": lambda i: forged(i, header={"alg": "rs256"}),
    "alg HS256 with the modulus": lambda i: forged(
        i,
        header={"alg": "HS256"},
        sign=hs256(i.private_key.public_key().public_numbers().n.to_bytes(256, "big")),
    ),
    "alg HS256 with the PEM, stripped": lambda i: forged(
        i, header={"alg": "HS256"}, sign=hs256(public_pem(i).strip())
    ),
    "alg HS256 with nothing": lambda i: forged(i, header={"alg": "HS256"}, sign=hs256(b"")),
    "alg RS256 over an HMAC": lambda i: forged(i, sign=hs256(public_pem(i))),
    "alg PS256": lambda i: forged(i, header={"alg": "PS256"}, sign=ps256(i.private_key)),
    "alg RS256 over PSS": lambda i: forged(i, sign=ps256(i.private_key)),
    "alg RS256 over RS512": lambda i: forged(i, sign=rs512(i.private_key)),
    "alg ES256": lambda i: forged(i, header={"alg": "ES256"}, sign=es256),
    "no signature": lambda i: forged(i, sign=unsigned),
    "a signature of zeros": lambda i: forged(i, sign=lambda _: bytes(256)),
    "the attacker's key": by_attacker,
    "kid missing": lambda i: by_attacker(i, kid=None),
    "kid missing, the issuer's key": lambda i: forged(i, header={"kid": None}),
    "kid empty": lambda i: by_attacker(i, kid=""),
    "kid of a path": lambda i: by_attacker(i, kid="../../../../dev/null"),
    "kid of a URL": lambda i: by_attacker(i, kid=ATTACKER),
    "kid of SQL": lambda i: by_attacker(i, kid="' UNION SELECT 'x"),
    "kid of 5,000 letters": lambda i: by_attacker(i, kid="k" * 5000),
    "kid with a NUL": lambda i: forged(i, header={"kid": f"{i.kid}\0"}),
    "kid with a space": lambda i: forged(i, header={"kid": f"{i.kid} "}),
    "kid a list": lambda i: forged(i, header={"kid": [i.kid]}),
    "kid a number": lambda i: by_attacker(i, kid=0),
    "kid an object": lambda i: by_attacker(i, kid={i.kid: 1}),
    "kid true": lambda i: by_attacker(i, kid=True),
    "jku": lambda i: by_attacker(i, jku=ATTACKER),
    "jku and an unknown kid": lambda i: by_attacker(i, jku=ATTACKER, kid="evil"),
    "x5u": lambda i: by_attacker(i, x5u=ATTACKER),
    "x5c": lambda i: by_attacker(i, x5c=[encoded(b"certificate")]),
    "jwk": lambda i: by_attacker(i, jwk=public_jwk(own_key(), kid=i.kid)),
    "jwk and an unknown kid": lambda i: by_attacker(
        i, jwk=public_jwk(own_key(), kid="evil"), kid="evil"
    ),
    "a header that is a list": lambda i: forged(i, header=["RS256"]),
    "a header that is a text": lambda i: forged(i, header='"RS256"'),
    "a header that is no JSON": lambda i: forged(i, header="{alg:RS256}"),
    "a header 3,000 deep": lambda i: forged(i, header='{"a":' * 1000 + "1" + "}" * 1000),
    "b64 false": lambda i: forged(i, header={"b64": False, "crit": ["b64"]}),
    "b64 false and not critical": lambda i: forged(i, header={"b64": False}),
    "crit of what nobody knows": lambda i: forged(i, header={"crit": ["exp2"], "exp2": 1}),
    "crit empty": lambda i: forged(i, header={"crit": []}),
    "crit a text": lambda i: forged(i, header={"crit": "exp"}),
    "five parts": lambda i: forged(i) + ".x.y",
    "two parts": lambda i: forged(i).rpartition(".")[0],
    "a nested token": lambda i: forged(i, header={"cty": "JWT"}, payload=forged(i)),
    "a payload that is a list": lambda i: forged(i, payload=[claims(i)]),
    "a payload that is a text": lambda i: forged(i, payload='"victim"'),
    "a payload that is null": lambda i: forged(i, payload="null"),
    "a payload that is no JSON": lambda i: forged(i, payload="{sub:victim}"),
    "an empty payload": lambda i: forged(i, payload=""),
    "claims 1,500 deep": lambda i: forged(
        i, payload=text_of(claims(i), x="[" * 1500 + "]" * 1500)
    ),
    "a claim of 5,000 digits": lambda i: forged(i, payload=text_of(claims(i), x="1" * 5000)),
    "a claim that is NaN": lambda i: forged(i, payload=text_of(claims(i), x="NaN")),
    "a signature in another alphabet": lambda i: forged(i).replace("-", "+").replace("_", "/")
    + "=",
    "an unsigned part behind": lambda i: forged(i) + part({"sub": "victim"}),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_a_token_that_the_issuer_did_not_sign_as_it_is_is_401(site: Site, name: str) -> None:
    answer = ask(site, FORGED[name](site.stack.oidc))
    assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})


def now() -> int:
    return int(time.time())


UNFIT: dict[str, Callable[[OidcIssuer], dict[str, Any]]] = {
    "iss with a slash": lambda i: {"iss": f"{i.issuer}/"},
    "iss in capitals": lambda i: {"iss": i.issuer.upper()},
    "iss with a path": lambda i: {"iss": f"{i.issuer}/.well-known"},
    "iss a list": lambda i: {"iss": [i.issuer]},
    "iss empty": lambda _: {"iss": ""},
    "iss null": lambda _: {"iss": None},
    "aud a list of others": lambda _: {"aud": ["someone", "else"]},
    "aud an empty list": lambda _: {"aud": []},
    "aud a list in a list": lambda i: {"aud": [[i.audience]]},
    "aud an object": lambda i: {"aud": {i.audience: True}},
    "aud a longer name": lambda i: {"aud": f"{i.audience}-x"},
    "aud a shorter name": lambda i: {"aud": i.audience[:-1]},
    "aud in capitals": lambda i: {"aud": i.audience.upper()},
    "aud two in a text": lambda i: {"aud": f"x {i.audience}"},
    "aud null beside client_id": lambda i: {"aud": None, "client_id": i.audience},
    "exp a second ago": lambda _: {"exp": now() - 1},
    "exp a text": lambda _: {"exp": str(now() + HOUR)},
    "exp true": lambda _: {"exp": True},
    "exp null": lambda _: {"exp": None},
    "exp a list": lambda _: {"exp": [now() + HOUR]},
    "exp negative": lambda _: {"exp": -now()},
    "nbf ahead": lambda _: {"nbf": now() + HOUR},
    "nbf a text": lambda _: {"nbf": "0"},
    "nbf null": lambda _: {"nbf": None},
    "iat ahead": lambda _: {"iat": now() + HOUR},
    "iat a text": lambda _: {"iat": "0"},
    "iat a list": lambda _: {"iat": [0]},
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_token_for_others_or_of_another_time_is_401(site: Site, name: str) -> None:
    issuer = site.stack.oidc
    answer = ask(site, forged(issuer, payload=claims(issuer, **UNFIT[name](issuer))))
    assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["1e400", "NaN", "Infinity"])
def test_a_time_that_never_comes_is_401(site: Site, name: str, value: str) -> None:
    issuer = site.stack.oidc
    answer = ask(site, forged(issuer, payload=text_of(claims(issuer), **{name: value})))
    assert answer.status == 401


SUBJECTS: dict[str, str] = {
    "a list": '["victim"]',
    "a list of two": '["victim", "mallory"]',
    "an empty list": "[]",
    "an object": '{"id": "victim"}',
    "an empty object": "{}",
    "true": "true",
    "false": "false",
    "null": "null",
    "a fraction": "1.5",
    "a number beyond exact integers": "1e21",
    "a number near nothing": "1e-9",
    "a number beyond doubles": "1e400",
    "NaN": "NaN",
    "an empty text": '""',
    "a space": '" "',
    "200 letters": json.dumps("v" * 200),
    "a guest's name": '"guest_aaaa"',
    "a guest's name in capitals": '"GUEST_aaaa"',
    "a name of the second issuer's": '"second_victim"',
    "a name and a NUL": json.dumps("victim\0"),
    "a name that turns": json.dumps("victim\u202e"),
    "a name and nothing seen": json.dumps("victim\u200b"),
    "a name not in NFC": json.dumps("victime\u0301"),
    "a lone surrogate": r'"\ud800"',
    "what a list is written as": '"[victim]"',
    "what an object is written as": '"map[id:victim]"',
    "what an object is in JSON": json.dumps('{"id":"victim"}'),
    "what null is written as": '"<nil>"',
}


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_subject_that_names_nobody_is_refused(site: Site, name: str) -> None:
    issuer = site.stack.oidc
    payload = text_of({k: v for k, v in claims(issuer).items() if k != "sub"}, sub=SUBJECTS[name])
    assert ask(site, forged(issuer, payload=payload)).status in {401, 403}


def test_a_token_without_a_subject_is_refused(site: Site) -> None:
    issuer = site.stack.oidc
    payload = {name: value for name, value in claims(issuer).items() if name != "sub"}
    assert ask(site, forged(issuer, payload=payload)).status == 403


def test_of_a_claim_that_stands_twice_the_last_counts_for_everything(site: Site) -> None:
    """RFC 7519 section 4 leaves that or a refusal; a mixture would let a token change hands."""
    issuer = site.stack.oidc
    twice = text_of(claims(issuer, sub="first"), sub='"last"')
    answer = site.send(ROUTE, [*bearer(forged(issuer, payload=twice)), *site.origin])
    assert answer.status == 401 or site.session(answer) == "last"
    for name, value in {"iss": '"https://x.example"', "aud": '"x"', "exp": "1"}.items():
        assert (
            ask(site, forged(issuer, payload=text_of(claims(issuer), **{name: value}))).status
            == 401
        )


@pytest.mark.parametrize(("route", "other"), [("POST /token", 2), ("POST /token/2", 1)])
def test_a_token_of_another_issuer_opens_no_other_route(site: Site, route: str, other: int) -> None:
    issuer, foreign = site.issuer(route), site.second if other == 2 else site.stack.oidc
    for token in (
        foreign.id_token("victim"),
        foreign.id_token("victim", aud=issuer.audience),
        forged(issuer, sign=rs256(foreign.private_key)),
        forged(issuer, header={"kid": foreign.kid}, sign=rs256(foreign.private_key)),
        forged(foreign, payload=claims(issuer)),
    ):
        assert ask(site, token, route).status == 401
