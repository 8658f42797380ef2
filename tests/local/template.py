"""template.yaml as CloudFormation sees it: transformed, conditions applied, values filled in.

Needs neither AWS nor credentials. The local stack reads its routes, variables, table and secrets
here, so that they are declared in one place; the tests read what a deployment would create.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

PATH = Path(__file__).parents[2] / "template.yaml"
ACCOUNT_ID = "123456789012"
STACK_NAME = "coze-sts"

# It has something to say of each deployment preference, on stderr.
logging.getLogger("samtranslator.feature_toggle").setLevel(logging.ERROR)

NO_UPLOADS: Mapping[str, str] = MappingProxyType({})
_NO_VALUE = object()


def expand(
    parameters: Mapping[str, object] | None = None,
    *,
    partition: str = "aws",
    region: str = "us-east-1",
) -> dict[str, Any]:
    """The resources of a stack with these parameters; those not named have their defaults.

    What only a deployment knows stays a symbol: `${TokenTable}` for a Ref of a resource,
    `${TokenTable.Arn}` for an attribute. Raises KeyError for a reference to what is not created.
    """
    template = _translated(region, _preference(parameters))
    return _Resolver(template, parameters or {}, partition=partition, region=region).created()


def outputs(
    parameters: Mapping[str, object] | None = None,
    *,
    partition: str = "aws",
    region: str = "us-east-1",
) -> dict[str, str]:
    """The outputs of that stack, with the symbols that `expand` uses."""
    template = _translated(region, _preference(parameters))
    resolver = _Resolver(template, parameters or {}, partition=partition, region=region)
    return {name: resolver.resolve(out["Value"]) for name, out in template["Outputs"].items()}


def refusals(parameters: Mapping[str, object], *, region: str = "us-east-1") -> list[str]:
    """Why CloudFormation would refuse these parameters before it creates anything."""
    template = source()
    resolver = _Resolver(template, parameters, partition="aws", region=region)
    rules = [
        rule
        for rule in template["Rules"].values()
        if "RuleCondition" not in rule or resolver.resolve(rule["RuleCondition"])
    ]
    assertions = [a for rule in rules for a in rule["Assertions"]]
    return [
        f"{name} {declared['ConstraintDescription']}"
        for name, declared in template["Parameters"].items()
        if not _fits(resolver.resolve({"Ref": name}), declared)
    ] + [a["AssertDescription"] for a in assertions if not resolver.resolve(a["Assert"])]


@cache
def source() -> dict[str, Any]:
    """The template as it is written, with its tags (`!Ref`) as functions; not to be changed."""
    template: dict[str, Any] = yaml_parse(PATH.read_text(encoding="utf-8"))
    return template


def versions(template: dict[str, Any], *, uploads: Mapping[str, str] = NO_UPLOADS) -> set[str]:
    """The logical IDs of the versions that would be published; a new one is a new version.

    `uploads` names the upload of a resource whose code is not what it was, as its hash does.
    """
    translated = _translate(template, region="us-east-1", preference="AllAtOnce", uploads=uploads)[
        "Resources"
    ]
    return {name for name in translated if translated[name]["Type"] == "AWS::Lambda::Version"}


def _preference(parameters: Mapping[str, object] | None) -> str:
    """The one parameter that the transform itself goes by."""
    return str((parameters or {}).get("DeploymentPreference", "AllAtOnce"))


@cache
def _translated(region: str, preference: str) -> dict[str, Any]:
    return _translate(source(), region=region, preference=preference)


def _translate(
    template: dict[str, Any],
    *,
    region: str,
    preference: str,
    uploads: Mapping[str, str] = NO_UPLOADS,
) -> dict[str, Any]:
    """What the Serverless transform makes of the template, after `sam package`."""
    packaged = deepcopy(template)
    for name, resource in packaged["Resources"].items():
        for uri in {"CodeUri", "ContentUri"} & resource["Properties"].keys():
            resource["Properties"][uri] = f"s3://bucket/{uploads.get(name, 'key')}"
    translator = Translator(None, Parser(), boto_session=SimpleNamespace(region_name=region))
    translated: dict[str, Any] = translator.translate(
        packaged,
        parameter_values={"DeploymentPreference": preference},
        get_managed_policy_map=dict,
    )
    translator.metrics.publish()  # to nowhere; it complains at exit of what was not published
    return translated


def _parameter(value: object, *, kind: str) -> str | list[str]:
    if kind == "CommaDelimitedList":
        return [item.strip() for item in str(value).split(",")]
    return str(value)


def _fits(value: str | list[str], declared: Mapping[str, Any]) -> bool:
    if isinstance(value, list):
        return all(_fits(item, declared) for item in value)
    if "AllowedValues" in declared:
        return value in map(str, declared["AllowedValues"])
    if declared["Type"] == "Number":
        return value.isdecimal() and declared["MinValue"] <= int(value) <= declared["MaxValue"]
    return re.fullmatch(declared["AllowedPattern"], value) is not None


class _Resolver:
    """Evaluates the intrinsic functions that template.yaml uses, and no others."""

    def __init__(
        self,
        template: dict[str, Any],
        parameters: Mapping[str, object],
        *,
        partition: str,
        region: str,
    ) -> None:
        if unknown := parameters.keys() - template["Parameters"].keys():
            raise KeyError(f"template.yaml has no parameter {', '.join(sorted(unknown))}")
        self._template = template
        self._values: dict[str, Any] = {
            name: _parameter(parameters.get(name, declared["Default"]), kind=declared["Type"])
            for name, declared in template["Parameters"].items()
        } | {
            "AWS::AccountId": ACCOUNT_ID,
            "AWS::NoValue": _NO_VALUE,
            "AWS::Partition": partition,
            "AWS::Region": region,
            "AWS::StackName": STACK_NAME,
        }
        self._functions = {
            "Ref": self._ref,
            "Condition": self._condition,
            "Fn::And": lambda args: all(map(self.resolve, args)),
            "Fn::Equals": lambda args: self.resolve(args[0]) == self.resolve(args[1]),
            "Fn::GetAtt": lambda args: self._symbol(".".join(args)),
            "Fn::If": lambda args: self.resolve(args[1 if self._condition(args[0]) else 2]),
            "Fn::Join": lambda args: args[0].join(self.resolve(args[1])),
            "Fn::Not": lambda args: not self.resolve(args[0]),
            "Fn::Or": lambda args: any(map(self.resolve, args)),
            "Fn::Split": lambda args: self.resolve(args[1]).split(args[0]),
            "Fn::Sub": self._sub,
        }

    def created(self) -> dict[str, Any]:
        created = {}
        for name, resource in self._template["Resources"].items():
            if self._exists(name):
                created[name] = self.resolve({k: resource[k] for k in resource if k != "Condition"})
        return created

    def resolve(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for value in map(self.resolve, node) if value is not _NO_VALUE]
        if not isinstance(node, dict):
            return node
        name, argument = next(iter(node.items()), ("", None))
        if len(node) == 1 and (name in self._functions or name.startswith("Fn::")):
            return self._functions[name](argument)
        resolved = {key: self.resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not _NO_VALUE}

    def _condition(self, name: str) -> bool:
        return bool(self.resolve(self._template["Conditions"][name]))

    def _exists(self, name: str) -> bool:
        condition = self._template["Resources"][name].get("Condition")
        return condition is None or self._condition(condition)

    def _ref(self, name: str) -> Any:
        return self._values[name] if name in self._values else self._symbol(name)

    def _symbol(self, path: str) -> str:
        if not self._exists(path.partition(".")[0]):
            raise KeyError(f"{path} is referred to, but these parameters do not create it")
        return f"${{{path}}}"

    def _sub(self, argument: str | list[Any]) -> str:
        text, extra = (argument, {}) if isinstance(argument, str) else argument
        own = {name: self.resolve(value) for name, value in extra.items()}

        def value(match: re.Match[str]) -> str:
            name = match[1]
            return str(own[name] if name in own else self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", value, text)
