"""docs/issuers.md: the values fit the template, and tokens of the shapes it names are taken."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path

import jwt
import pytest
from coze_sts.auth.identity import user
from werkzeug.test import Client

from tests.contract.browser import output, program
from tests.contract.markdown import Document
from tests.local import template
from tests.local.gateway import jwt_authorizer
from tests.local.gateway.errors import GatewayRefusal
from tests.local.gateway.jwt_authorizer import JwtAuthorizer, JwtConfiguration
from tests.local.oidc import OidcIssuer

NOW = 1_795_000_000
ENGLISH = Document("docs/issuers.md")
CHINESE = Document("docs/issuers.zh-CN.md")
ROWS = ENGLISH.tables[0]
YOURS = {
    "region": "eu-west-1",
    "pool_id": "eu-west-1_Ab12Cd34E",
    "client_id": "1example23456789example2345",
    "tenant": "example.eu",
    "domain": "login.example.com",
    "app": "example",
    "app_id": "60b49eb83fd80adb96f26e68",
    "project_id": "example-1a2b3",
}
FAKES = """
let signedIn = true;
const tokenOf = (fresh) => (signedIn ? (fresh ? "fresh" : "kept") : undefined);
const createSession = (options) => options;
const fetchAuthSession = async ({ forceRefresh }) => {
  const token = tokenOf(forceRefresh);
  return { tokens: token && { idToken: { toString: () => token } } };
};
const createAuth0Client = async () => {
  let fresh = false;
  return {
    getTokenSilently: async ({ cacheMode }) => { fresh = cacheMode === "off"; },
    getIdTokenClaims: async () => signedIn ? { __raw: tokenOf(fresh) } : undefined,
  };
};
const Authing = class {
  getLoginState = async ({ ignoreCache }) =>
    signedIn ? { idToken: tokenOf(ignoreCache) } : null;
};
const getAuth = () => ({
  authStateReady: async () => {},
  get currentUser() { return signedIn ? { getIdToken: async (force) => tokenOf(force) } : null; },
});
"""
USE = """
const seen = [await session.idToken(false), await session.idToken(true)];
signedIn = false;
console.log(JSON.stringify([...seen, (await session.idToken(false)) ?? null]));
"""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An issuer as the document shows it."""

    row: str
    host: str
    library: str
    subject: str

    def __str__(self) -> str:
        return self.row

    @property
    def parameters(self) -> dict[str, str]:
        """What its lines for samconfig.toml set."""
        lines = tomllib.loads(ENGLISH.block("toml", self.host))
        words = shlex.split(lines["default"]["deploy"]["parameters"]["parameter_overrides"])
        return dict(word.split("=", 1) for word in words)


SHOWN = [
    Shown(
        row="Amazon Cognito",
        host="cognito-idp",
        library="aws-amplify",
        subject="7e2b1a34-5c6d-4e7f-8a9b-0c1d2e3f4a5b",
    ),
    Shown(
        row="Auth0",
        host="auth0.com",
        library="auth0-spa-js",
        subject="google-oauth2|108204268033311374519",
    ),
    Shown(
        row="Authing",
        host="authing.cn",
        library="@authing/web",
        subject="5f719946524ee1099229496b",
    ),
    Shown(
        row="Firebase",
        host="securetoken",
        library="firebase/auth",
        subject="xY7pQ2mN8kL4vB6cD1eF3gH5jK9a",
    ),
]


def filled(text: str) -> str:
    """The text with an example's values in place of what stands in braces."""
    return re.sub(r"\{(\w+)\}", lambda found: YOURS[found[1]], text)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_template_takes_the_values_of_the_table(row: list[str]) -> None:
    parameters = {"OidcIssuer": filled(row[1]), "OidcAudience": filled(row[2])}
    assert template.refusals(parameters) == []


def test_only_an_issuer_of_auth0_ends_with_a_slash() -> None:
    assert [row[0].split()[0] for row in ROWS if row[1].endswith("/")] == ["Auth0", "Auth0"]


def test_both_languages_have_the_same_values_in_the_table() -> None:
    assert [row[1:] for row in CHINESE.tables[0]] == [row[1:] for row in ROWS]


@pytest.mark.parametrize("shown", SHOWN, ids=str)
def test_the_template_takes_the_lines_for_samconfig_which_are_of_the_tables_shape(
    shown: Shown,
) -> None:
    assert shown.parameters.keys() == {"AllowedOrigins", "OidcIssuer", "OidcAudience"}
    assert template.refusals(shown.parameters) == []
    issuer, _ = ENGLISH.table(ROWS[0][0])[shown.row]
    shape = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(issuer))
    assert re.fullmatch(shape, shown.parameters["OidcIssuer"])


class Issuer:
    """The issuer that an example names, and the authorizer that its parameters configure."""

    def __init__(self, shown: Shown) -> None:
        self.subject = shown.subject
        self.url = shown.parameters["OidcIssuer"]
        self.client = shown.parameters["OidcAudience"]
        self._oidc = OidcIssuer(issuer=self.url, audience=self.client, clock=lambda: NOW)
        configured = JwtConfiguration(issuer=self.url, audience=(self.client,))
        self._authorizer = JwtAuthorizer(configured)

    def keys(self, _issuer: str) -> dict[str, jwt.PyJWK]:
        published = Client(self._oidc).get("/jwks.json").json
        return {str(key.key_id): key for key in jwt.PyJWKSet.from_dict(published).keys}

    def token(self, **changed: str | None) -> str:
        return self._oidc.id_token(self.subject, **changed)

    def hs256(self) -> str:
        claims = {"iss": self.url, "aud": self.client, "sub": self.subject, "exp": NOW + 3600}
        return jwt.encode(claims, "s" * 32, algorithm="HS256", headers={"kid": self._oidc.kid})

    def session_name(self, token: str) -> str:
        """The session that the service gives for the token; raises GatewayRefusal."""
        context = {"authorizer": self._authorizer.authorize(f"Bearer {token}", now=NOW)}
        return user(context, session_claim="sub").name


@pytest.fixture(params=SHOWN, ids=str)
def issuer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    issuer = Issuer(request.param)
    monkeypatch.setattr(jwt_authorizer, "fetch_keys", issuer.keys)
    return issuer


def test_an_id_token_names_the_session_of_its_subject(issuer: Issuer) -> None:
    assert issuer.session_name(issuer.token()) == issuer.subject


def test_an_issuer_that_differs_by_a_slash_is_refused(issuer: Issuer) -> None:
    other = issuer.url[:-1] if issuer.url.endswith("/") else f"{issuer.url}/"
    with pytest.raises(GatewayRefusal, match="issuer"):
        issuer.session_name(issuer.token(iss=other))


def test_a_token_of_another_client_is_refused_although_its_client_id_fits(issuer: Issuer) -> None:
    with pytest.raises(GatewayRefusal, match="audience"):
        issuer.session_name(issuer.token(aud="another", client_id=issuer.client))


def test_a_token_that_is_signed_with_hs256_is_refused(issuer: Issuer) -> None:
    with pytest.raises(GatewayRefusal, match="algorithm"):
        issuer.session_name(issuer.hs256())


@pytest.mark.parametrize("issuer", SHOWN[:1], ids=str, indirect=True)
def test_an_access_token_of_cognito_passes_by_its_client_id(issuer: Issuer) -> None:
    token = issuer.token(aud=None, client_id=issuer.client)
    assert issuer.session_name(token) == issuer.subject


def run(script: str, folder: Path) -> str:
    (folder / "page.mjs").write_text(script, encoding="utf-8")
    return output(program("node"), str(folder / "page.mjs"), folder=folder)


@pytest.mark.parametrize("shown", SHOWN, ids=str)
def test_the_function_for_the_id_token_gives_the_kept_one_a_fresh_one_or_none(
    shown: Shown, tmp_path: Path
) -> None:
    page = re.sub(r"^import .*\n", "", ENGLISH.block("js", shown.library), flags=re.MULTILINE)
    assert json.loads(run(FAKES + page + USE, tmp_path)) == ["kept", "fresh", None]


def test_the_lines_that_check_a_token_show_its_claims_and_not_the_token(tmp_path: Path) -> None:
    issuer = OidcIssuer(issuer="https://example.eu.auth0.com/", audience="a", clock=lambda: NOW)
    token = issuer.id_token("alice")
    said = run(f"const idToken = '{token}';\n{ENGLISH.block('js', 'atob')}", tmp_path)
    assert said == f"RS256 {issuer.kid} {issuer.issuer} a alice\n"
