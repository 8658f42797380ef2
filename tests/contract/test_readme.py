"""Both READMEs say what template.yaml and the code say, and the same."""

from __future__ import annotations

import ast
import json
import re
from itertools import zip_longest

import pytest
from coze_sts.cache.operations import Source
from coze_sts.canary.finding import Verdict
from coze_sts.errors import StsError
from coze_sts.exchanger import CLASSES
from coze_sts.settings import read_settings

from tests.contract.markdown import CHINESE, NONE, README, ROOT, Document, in_english
from tests.contract.template_settings import FOR_EMULATORS, parameter_of, variables
from tests.local import template

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:s-a1B2c3"
EVERY_DOOR = {"WechatSecretId": SECRET} | {
    f"Oidc{parameter}{number}": f"https://login{number}.example.com"
    for number in ("", "2", "3")
    for parameter in ("Issuer", "Audience")
}
PROOFS = {"JWT": "OIDC", "AWS_IAM": "SigV4", "NONE": ""}
METRICS = "`MemoryHit`, `TableHit`, `Waited`, `Exchanged`, `ExchangedWithoutTable`, `ServedStale`"
PARAMETERS = template.source()["Parameters"]
SOURCES = [*(ROOT / "layers/coze_sts/coze_sts").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]


@pytest.fixture(params=[README, CHINESE], ids=str)
def document(request: pytest.FixtureRequest) -> Document:
    return request.param


def default_of(parameter: str) -> str:
    return str(PARAMETERS[parameter]["Default"]) or NONE


def default_for_emulators(variable: str) -> str:
    """What stands where no emulator does."""
    named = dict.fromkeys(("COZE_SECRET_ID", "CACHE_KEY_SECRET_ID", "TOKEN_TABLE"), "named")
    return str(getattr(read_settings(named), variable.lower()))


def test_every_variable_is_explained_with_its_parameter_and_default(document: Document) -> None:
    rows = document.table("COZE_SECRET_ID")
    assert rows.keys() == variables()
    for variable, (parameter, meaning, default) in rows.items():
        named = parameter_of(variable)
        assert parameter == (named if named in PARAMETERS else NONE)
        assert meaning
        if variable in FOR_EMULATORS:
            assert default == default_for_emulators(variable)
        else:
            assert default == (default_of(named) if named in PARAMETERS else NONE)


def test_every_other_parameter_is_explained_with_its_default(document: Document) -> None:
    rows = document.table("Architecture")
    assert rows.keys() == PARAMETERS.keys() - {parameter_of(name) for name in variables()}
    assert {name: default for name, (_, default) in rows.items()} == {
        name: default_of(name) for name in rows
    }


def test_the_parameters_to_answer_exist(document: Document) -> None:
    assert document.table("AllowedOrigins").keys() <= PARAMETERS.keys()


def test_every_output_is_explained(document: Document) -> None:
    assert document.table("ApiEndpoint").keys() == template.source()["Outputs"].keys()


def test_every_route_is_listed_with_its_proof(document: Document) -> None:
    resources = template.expand(EVERY_DOOR).values()
    routes = {
        resource["Properties"]["RouteKey"]: resource["Properties"]["AuthorizationType"]
        for resource in resources
        if resource["Type"] == "AWS::ApiGatewayV2::Route"
    }
    rows = document.table("POST /token").items()
    proofs = {route: row[1] for keys, row in rows for route in re.findall(r"[A-Z]+ /[\w/]+", keys)}
    assert proofs.keys() == routes.keys()
    for route, authorization in routes.items():
        assert PROOFS[authorization] in proofs[route]
        assert authorization != "NONE" or not {"OIDC", "SigV4"} & set(proofs[route].split())


def test_every_error_is_listed_with_its_status(document: Document) -> None:
    tree, found = [StsError], set()
    while tree:
        error = tree.pop()
        found.add((error.code, str(error.status)))
        tree += error.__subclasses__()
    assert {(code, row[0]) for code, row in document.table("invalid_request").items()} == found


def test_an_answer_that_is_quoted_is_one_that_is_given(document: Document) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    quoted = re.findall(r"\*\*4\d\d [\"“]([^\"”:]+)", document.prose)
    assert len(quoted) > 3
    assert [text for text in quoted if text not in source] == []


def test_every_log_group_is_listed(document: Document) -> None:
    groups = {
        resource["Properties"]["LogGroupName"]
        for resource in template.expand({"CanarySchedule": "rate(1 hour)"}).values()
        if resource["Type"] == "AWS::Logs::LogGroup"
    }
    assert document.table(f"/aws/lambda/{template.STACK_NAME}/token").keys() == groups


def test_every_metric_is_named(document: Document) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    calls = re.findall(
        r"(?:telemetry|TELEMETRY|self)\.(?:count|_measure|_found)\(([^)]*)\)", source
    )
    counted = {name for call in calls for name in re.findall(r'"(\w+)"', call)}
    counted |= {found.value for found in (*Source, *Verdict)} | {metric for _, metric in CLASSES}
    counted |= {f"Status{hundred}xx" for hundred in (2, 4, 5)}
    assert {
        "CozeLatency",
        "BudgetUsed",
        "MemoryHit",
        "Exchange",
        "ExchangeFailed",
        "BudgetSpent",
        "TableHit",
    } <= counted
    named = {name for row in document.table(METRICS) for name in re.findall(r"\w+", row)}
    assert counted == named


def test_the_cost_of_watching_is_that_of_every_metric(document: Document) -> None:
    metrics = [name for row in document.table(METRICS) for name in re.findall(r"\w+", row)]
    (said,) = re.findall(r"for a metric, (\d+) at most|0\.30 美元，最多 (\d+) 个", document.text)
    assert "".join(said) == str(len(metrics))


def test_every_field_of_a_log_line_is_explained(document: Document) -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    notes = [call for call in calls if getattr(call.func, "attr", "") == "note"]
    noted = {keyword.arg for call in notes for keyword in call.keywords}
    assert {"status", "session", "token", "origin"} <= noted
    assert noted - {"exception_name"} <= document.table("decision").keys()


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
    assert README.code == CHINESE.code


def test_both_languages_have_tables_of_the_same_things() -> None:
    assert README.subjects == CHINESE.subjects


def test_both_languages_name_the_same_code_and_links() -> None:
    assert README.spans == CHINESE.spans
    assert {*map(in_english, README.links)} == {*map(in_english, CHINESE.links)}


def test_a_language_links_to_documents_of_its_own() -> None:
    in_chinese = {link: in_english(link).replace(".md", ".zh-CN.md") for link in CHINESE.links}
    foreign = [link for link, own in in_chinese.items() if link != own and (ROOT / own).exists()]
    assert foreign == [README.name]
    assert [link for link in README.links if ".zh-CN" in link] == [CHINESE.name]
