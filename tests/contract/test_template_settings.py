"""template.yaml sets what settings.py reads, under the same names and with the same defaults."""

from __future__ import annotations

from typing import Any

import pytest
from coze_sts.settings import read_settings

from tests.contract.template_settings import FOR_EMULATORS, parameter_of, variables
from tests.local import template

SOURCE = template.source()
FUNCTIONS = {
    name: resource["Properties"]
    for name, resource in template.expand({"CanarySchedule": "rate(1 hour)"}).items()
    if resource["Type"] == "AWS::Lambda::Function"
}
DECLARED = SOURCE["Globals"]["Function"]["Environment"]["Variables"]
FOR_POWERTOOLS = {"POWERTOOLS_SERVICE_NAME"}
"""What Powertools reads by itself."""
OF_THE_STACK = {
    "TOKEN_TABLE": "TokenTable",
    "BINDING_TABLE": "BindingTable",
    "API_ENDPOINT": "TokenApi",
}
"""What no parameter can set, and the resource that it names."""


def references(node: Any) -> set[str]:
    """The names that a value of the template refers to."""
    if isinstance(node, dict):
        own = {node["Ref"]} if "Ref" in node else {*node.get("Fn::GetAtt", [])[:1]}
        return own.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_gets_every_variable_that_settings_read_and_no_other(name: str) -> None:
    expected = (variables() - FOR_EMULATORS) | FOR_POWERTOOLS
    assert FUNCTIONS[name]["Environment"]["Variables"].keys() == expected


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_adds_no_variable_of_its_own(name: str) -> None:
    assert "Environment" not in SOURCE["Resources"][name]["Properties"]


def test_what_emulators_need_is_there_for_sam_local_and_never_on_aws() -> None:
    unset = {name for name, value in DECLARED.items() if value == {"Ref": "AWS::NoValue"}}
    assert unset == {"AWS_ENDPOINT_URL"} | FOR_EMULATORS


def test_a_variable_is_set_by_the_parameter_of_its_name() -> None:
    for variable in variables() - FOR_EMULATORS:
        value = DECLARED[variable]
        named = OF_THE_STACK.get(variable, parameter_of(variable))
        assert named in SOURCE["Resources" if variable in OF_THE_STACK else "Parameters"]
        assert named in references(value)


def test_the_defaults_of_the_template_are_those_of_settings() -> None:
    named = {"COZE_SECRET_ID", "CACHE_KEY_SECRET_ID", *OF_THE_STACK}
    for properties in FUNCTIONS.values():
        environment = {k: str(v) for k, v in properties["Environment"]["Variables"].items()}
        bare = {name: environment[name] for name in named}
        assert read_settings(environment) == read_settings(bare)
