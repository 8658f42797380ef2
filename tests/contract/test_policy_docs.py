"""docs/policy.md says what the parser and the schema say, in both languages."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from coze_sts.errors import Misconfigured
from coze_sts.policy import Policy, parse_policy

from tests.contract.markdown import ROOT, Document
from tests.factories import make_settings

ENGLISH = Document("docs/policy.md")
CHINESE = Document("docs/policy.zh-CN.md")
PLACES = {"originRule": ("origin", "源"), "issuerRule": ("issuer", "签发者")}
PARTS = json.loads((ROOT / "layers/coze_sts/policy.schema.json").read_text("utf-8"))["$defs"]


@pytest.fixture(params=[ENGLISH, CHINESE], ids=str)
def document(request: pytest.FixtureRequest) -> Document:
    return request.param


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """A part of the schema, with what it refers to put in."""
    if "$ref" not in part:
        return part
    return resolved(PARTS[part["$ref"].removeprefix("#/$defs/")])


def test_every_key_is_explained_with_where_it_may_stand(document: Document) -> None:
    rows = document.table("guests")
    assert rows.keys() == {key for rule in PLACES for key in PARTS[rule]["properties"]}
    for key, (where, meaning, _) in rows.items():
        named = re.split(", |、", where)
        rules = {rule for rule, words in PLACES.items() if set(words) & set(named)}
        assert rules == {rule for rule in PLACES if key in PARTS[rule]["properties"]}
        assert meaning


def test_the_bounds_are_the_schemas(document: Document) -> None:
    for key, (*_, value) in document.table("guests").items():
        part = resolved(PARTS["originRule"]["properties"][key])
        bounds = [part[bound] for bound in ("minimum", "maximum") if bound in part]
        assert [int(number) for number in re.findall(r"\d+", value)] == bounds


def test_the_example_is_a_policy(document: Document) -> None:
    policy = parse_policy(document.block("json"))
    assert policy.origins
    assert policy.issuers


def test_the_faults_are_worded_as_the_service_words_them(document: Document) -> None:
    rule = {"guest": False, "token_duration_seconds": 59}
    with pytest.raises(Misconfigured) as refused:
        parse_policy(json.dumps({"origins": {"https://www.example.com": rule}}))
    assert document.block("text", "guest").strip() == str(refused.value)
    with pytest.raises(Misconfigured) as refused:
        Policy(origins={"https://ww.example.com": {}}).check(make_settings())
    assert document.block("text", "ALLOWED_ORIGINS").strip() == str(refused.value)


def test_both_languages_have_the_same_parts() -> None:
    assert CHINESE.blocks == ENGLISH.blocks
    assert CHINESE.outline == ENGLISH.outline
    assert set(CHINESE.links) - {"policy.md"} == set(ENGLISH.links) - {"policy.zh-CN.md"}
