"""template.yaml sets what settings.py reads, under the same names and with the same defaults."""

from __future__ import annotations

from typing import Any

import pytest
from coze_sts.settings import read_settings

from tests.contract.template_settings import parameter_of, variables
from tests.local import template

SOURCE = template.source()
FUNCTIONS = {
    name: resource["Properties"]
    for name, resource in template.expand().items()
    if resource["Type"] == "AWS::Lambda::Function"
}
OF_THE_STACK = {"TOKEN_TABLE": "TokenTable"}
"""What no parameter can set, and the resource that it names."""


def references(node: Any) -> set[str]:
    """The names that a value of the template refers to."""
    if isinstance(node, dict):
        own = {node["Ref"]} if "Ref" in node else set()
        return own.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_gets_every_variable_that_settings_read_and_no_other(name: str) -> None:
    assert FUNCTIONS[name]["Environment"]["Variables"].keys() == variables()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_adds_no_variable_of_its_own(name: str) -> None:
    assert "Environment" not in SOURCE["Resources"][name]["Properties"]


def test_a_variable_is_set_by_the_parameter_of_its_name() -> None:
    declared = SOURCE["Globals"]["Function"]["Environment"]["Variables"]
    for variable, value in declared.items():
        if value == {"Ref": "AWS::NoValue"}:
            continue  # for `sam local` only
        named = OF_THE_STACK.get(variable, parameter_of(variable))
        assert named in SOURCE["Resources" if variable in OF_THE_STACK else "Parameters"]
        assert named in references(value)


def test_the_defaults_of_the_template_are_those_of_settings() -> None:
    required = {"COZE_SECRET_ID", "CACHE_KEY_SECRET_ID", "TOKEN_TABLE"}
    for properties in FUNCTIONS.values():
        environment = {k: str(v) for k, v in properties["Environment"]["Variables"].items()}
        bare = {name: environment[name] for name in required}
        assert read_settings(environment) == read_settings(bare)
