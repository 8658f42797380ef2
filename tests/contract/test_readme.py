"""Both READMEs say what template.yaml and the code say, and the same."""

from __future__ import annotations

import json
import re
from itertools import zip_longest

import pytest
from coze_sts.errors import StsError

from tests.contract.markdown import CHINESE, NONE, README, ROOT, Document
from tests.contract.template_settings import parameter_of, variables
from tests.local import template

WITH_ISSUER = {"OidcIssuer": "https://login.example.com", "OidcAudience": "web"}
PROOFS = {"JWT": "OIDC", "AWS_IAM": "SigV4", "NONE": ""}
PARAMETERS = template.source()["Parameters"]
SOURCES = [*(ROOT / "layers/coze_sts/coze_sts").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]


@pytest.fixture(params=[README, CHINESE], ids=str)
def document(request: pytest.FixtureRequest) -> Document:
    return request.param


def default_of(parameter: str) -> str:
    return str(PARAMETERS[parameter]["Default"]) or NONE


def test_every_variable_is_explained_with_its_parameter_and_default(document: Document) -> None:
    rows = document.table("COZE_SECRET_ID")
    assert rows.keys() == variables()
    for variable, (parameter, meaning, default) in rows.items():
        named = parameter_of(variable)
        assert parameter == (named if named in PARAMETERS else NONE)
        assert default == (default_of(named) if named in PARAMETERS else NONE)
        assert meaning


def test_every_other_parameter_is_explained_with_its_default(document: Document) -> None:
    rows = document.table("OidcIssuer")
    assert rows.keys() == PARAMETERS.keys() - {parameter_of(name) for name in variables()}
    assert {name: default for name, (_, default) in rows.items()} == {
        name: default_of(name) for name in rows
    }


def test_the_parameters_to_answer_exist(document: Document) -> None:
    assert document.table("AllowedOrigins").keys() <= PARAMETERS.keys()


def test_every_output_is_explained(document: Document) -> None:
    assert document.table("ApiEndpoint").keys() == template.source()["Outputs"].keys()


def test_every_route_is_listed_with_its_proof(document: Document) -> None:
    resources = template.expand(WITH_ISSUER).values()
    routes = {
        resource["Properties"]["RouteKey"]: resource["Properties"]["AuthorizationType"]
        for resource in resources
        if resource["Type"] == "AWS::ApiGatewayV2::Route"
    }
    rows = document.table("POST /token")
    assert rows.keys() == routes.keys()
    for route, authorization in routes.items():
        proof = rows[route][1]
        assert PROOFS[authorization] in proof
        assert authorization != "NONE" or not {"OIDC", "SigV4"} & set(proof.split())


def test_every_error_is_listed_with_its_status(document: Document) -> None:
    tree, found = [StsError], set()
    while tree:
        error = tree.pop()
        found.add((error.code, str(error.status)))
        tree += error.__subclasses__()
    assert {(code, row[0]) for code, row in document.table("invalid_request").items()} == found


def test_every_log_group_is_listed(document: Document) -> None:
    groups = {
        resource["Properties"]["LogGroupName"]
        for resource in template.expand().values()
        if resource["Type"] == "AWS::Logs::LogGroup"
    }
    assert document.table(f"/aws/lambda/{template.STACK_NAME}/token").keys() == groups


def test_every_metric_is_named(document: Document) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    counted = set(re.findall(r'(?:\.count|_found)\("(\w+)"', source))
    assert {"MemoryHit", "Exchange"} <= counted
    assert {name for name in counted if f"`{name}`" not in document.prose} == set()


def test_every_make_target_that_is_named_exists(document: Document) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", makefile, re.MULTILINE))
    named = set(re.findall(r"^(?:\w+=\S+ )*make (\w+)", document.block("sh", "make test"), re.M))
    named |= set(re.findall(r"`(?:\w+=\S+ )?make (\w+)`", document.prose))
    assert named >= {"dev", "test", "lint", "lock"}
    assert named <= targets


def test_every_file_that_is_named_exists(document: Document) -> None:
    linked = {link for link in document.links if "://" not in link}
    listed = document.table("template.yaml").keys()
    events = re.findall(r"\bevents/[\w.-]+\.json", document.text)
    assert events
    assert [path for path in {*linked, *listed, *events} if not (ROOT / path).exists()] == []


def test_what_is_json_or_python_parses(document: Document) -> None:
    for language, content in document.blocks:
        if language == "json":
            json.loads(content)
        if language == "python":
            compile(content, document.name, "exec")


def test_each_language_links_to_the_other() -> None:
    assert CHINESE.name in README.links
    assert README.name in CHINESE.links


def test_both_languages_have_the_same_sections_lists_and_tables_in_the_same_order() -> None:
    for number, (here, there) in enumerate(zip_longest(README.outline, CHINESE.outline)):
        assert here == there, f"item {number} differs"


def test_both_languages_have_the_same_code() -> None:
    def code(document: Document) -> list[tuple[str, str]]:
        return [(name, "" if name == "mermaid" else text) for name, text in document.blocks]

    assert code(README) == code(CHINESE)


def test_both_languages_have_tables_of_the_same_things() -> None:
    def subjects(document: Document) -> list[list[str]]:
        return [[row[0] for row in table] for table in document.tables]

    assert subjects(README) == subjects(CHINESE)


def test_both_languages_name_the_same_code_and_links() -> None:
    def spans(document: Document) -> set[str]:
        return set(re.findall(r"`([^`\n]+)`", document.prose))

    assert spans(README) == spans(CHINESE)
    assert set(README.links) ^ set(CHINESE.links) == {README.name, CHINESE.name}
