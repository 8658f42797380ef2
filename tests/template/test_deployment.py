"""How a new version takes over, and that nothing that changed is left behind."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.local import template

ROOT = template.PATH.parent
GRADUAL = [
    value
    for value in template.source()["Parameters"]["DeploymentPreference"]["AllowedValues"]
    if value != "AllAtOnce"
]
FUNCTIONS = ["TokenFunction", "AssertionFunction"]
CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
SAM = """#!/bin/sh
echo "$@" > "$1"
[ "$1" = build ] || exit 0
mkdir -p .aws-sam/build && cp template.yaml .aws-sam/build/template.yaml
"""


def integration(resources: dict[str, Any], function: str) -> str:
    name = function.replace("Function", "Integration")
    return str(resources[name]["Properties"]["IntegrationUri"])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_at_once_means_that_the_api_calls_the_function_itself(function: str) -> None:
    resources = template.expand()
    permission = resources[f"{function}Permission"]["Properties"]["FunctionName"]
    assert integration(resources, function).endswith(f"/${{{function}.Arn}}/invocations")
    assert permission == f"${{{function}}}"
    assert not [each for each in resources.values() if "CodeDeploy" in each["Type"]]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("preference", GRADUAL)
def test_little_by_little_means_that_the_api_calls_an_alias_that_moves(
    function: str, preference: str
) -> None:
    resources = template.expand({"DeploymentPreference": preference})
    alias = resources[f"{function}Aliaslive"]
    permission = resources[f"{function}Permission"]["Properties"]["FunctionName"]
    group = resources[f"{function}DeploymentGroup"]["Properties"]
    assert integration(resources, function).endswith(f"/${{{function}.Arn}}:live/invocations")
    assert permission == f"${{{function}Aliaslive}}"
    assert "CodeDeployLambdaAliasUpdate" in alias["UpdatePolicy"]
    assert group["DeploymentConfigName"] == f"CodeDeployDefault.Lambda{preference}"
    assert "DEPLOYMENT_FAILURE" in group["AutoRollbackConfiguration"]["Events"]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("preference", ["AllAtOnce", GRADUAL[0]])
def test_with_snapstart_the_api_calls_an_alias_because_only_versions_have_snapshots(
    function: str, preference: str
) -> None:
    resources = template.expand({"SnapStart": "on", "DeploymentPreference": preference})
    permission = resources[f"{function}Permission"]["Properties"]["FunctionName"]
    assert resources[function]["Properties"]["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert integration(resources, function).endswith(f"/${{{function}.Arn}}:live/invocations")
    assert permission == f"${{{function}Aliaslive}}"
    gradual = "CodeDeployLambdaAliasUpdate" in str(resources[f"{function}Aliaslive"])
    assert gradual == (preference in GRADUAL)


def test_only_what_the_api_calls_has_snapshots_and_only_where_they_are_wanted() -> None:
    for value, expected in {"on": set(FUNCTIONS), "off": set[str]()}.items():
        resources = template.expand({"SnapStart": value, "CanarySchedule": "rate(1 hour)"})
        of_versions = {name for name in resources if "PublishedVersions" in str(resources[name])}
        assert of_versions == expected


def test_nothing_that_snapstart_refuses_is_asked_for() -> None:
    resources = template.expand({"SnapStart": "on"})
    for function in FUNCTIONS:
        refused = {"EphemeralStorage", "FileSystemConfigs", "ImageUri", "PackageType"}
        assert refused.isdisjoint(resources[function]["Properties"])
        assert "ProvisionedConcurrencyConfig" not in str(resources[f"{function}Aliaslive"])


def test_no_version_of_before_stays_behind_to_be_paid_for() -> None:
    resources = template.expand({"SnapStart": "on"}).values()
    policies = [r["DeletionPolicy"] for r in resources if r["Type"] == "AWS::Lambda::Version"]
    assert policies == ["Delete"] * len(FUNCTIONS)


@pytest.mark.parametrize("partition", ["aws", "aws-cn"])
def test_a_gradual_deployment_names_no_partition(partition: str) -> None:
    region = {"aws": "us-east-1", "aws-cn": "cn-north-1"}[partition]
    parameters = {"DeploymentPreference": GRADUAL[0]}
    resources = template.expand(parameters, partition=partition, region=region)
    arns = re.findall(r"arn:([a-z-]+):", str(resources))
    assert set(arns) == {partition}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_api_calls_an_alias_only_once_it_may(function: str) -> None:
    name = function.replace("Function", "Integration")
    assert template.source()["Resources"][name]["DependsOn"] == f"{function}Permission"


def deployed(folder: Path) -> tuple[str, set[str]]:
    """What `make deploy` hands to SAM, and the versions that come of the template in it."""
    sam = folder / "bin" / "sam"
    sam.parent.mkdir(exist_ok=True)
    sam.write_text(SAM)
    sam.chmod(0o755)
    path = f"{sam.parent}:{os.environ['PATH']}"
    subprocess.run(
        ["make", "--silent", "deploy", "ENV=prod"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        check=True,
        timeout=60,
    )
    said = (folder / "deploy").read_text()
    (stamped,) = re.findall(r"--template-file (\S+)", said)
    return said, template.versions(yaml_parse((folder / stamped).read_text(encoding="utf-8")))


def test_make_deploy_publishes_a_version_where_only_a_parameter_changed(tmp_path: Path) -> None:
    for name in ("Makefile", "template.yaml", "samconfig.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    said, before = deployed(tmp_path)
    assert "--config-env prod" in said
    assert len(before) == len(FUNCTIONS)
    assert deployed(tmp_path)[1] == before
    config = tmp_path / "samconfig.toml"
    config.write_text(config.read_text().replace("GuestSessions=on", "GuestSessions=off"))
    assert deployed(tmp_path)[1].isdisjoint(before)


def test_make_deploy_builds_for_the_processor_that_it_deploys(tmp_path: Path) -> None:
    """Both commands take the parameters of the template from the same part of the file."""
    for name in ("Makefile", "template.yaml", "samconfig.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    deployed(tmp_path)
    for command in ("build", "deploy"):
        assert "--config-env prod" in (tmp_path / command).read_text()
    for part in CONFIG.values():
        if isinstance(part, dict):
            holding = {name for name in part if "parameter_overrides" in part[name]["parameters"]}
            assert holding == {"global"}


@pytest.mark.parametrize(
    ("said", "chosen"), [({}, "dev"), ({"ENV": "prod"}, "prod"), (None, "prod")]
)
def test_make_deploy_takes_env_from_before_and_after_its_name(
    said: dict[str, str] | None, chosen: str
) -> None:
    arguments = ["ENV=prod"] if said is None else []
    printed = subprocess.run(
        ["make", "--dry-run", "deploy", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **(said or {})},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert set(re.findall(r"--config-env (\S+)", printed)) == {chosen}


def functions_of(versions: set[str]) -> list[str]:
    return sorted(name.partition("Version")[0] for name in versions)


def test_a_change_of_the_layer_alone_makes_a_version_for_every_alias() -> None:
    before = template.versions(template.source())
    after = template.versions(template.source(), uploads={"StsLayer": "other"})
    assert functions_of(before) == functions_of(after) == sorted(FUNCTIONS)
    assert after.isdisjoint(before)


def test_where_nothing_changed_there_is_no_new_version() -> None:
    assert template.versions(template.source()) == template.versions(template.source())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_change_of_one_function_makes_a_version_of_it_alone(function: str) -> None:
    before = template.versions(template.source())
    after = template.versions(template.source(), uploads={function: "other"})
    assert functions_of(before - after) == functions_of(after - before) == [function]


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_what_is_deployed_is_what_the_template_takes(name: str) -> None:
    chosen = CONFIG[name]["deploy"]["parameters"] | CONFIG[name]["global"]["parameters"]
    parameters = dict(each.split("=", 1) for each in chosen["parameter_overrides"])
    assert template.refusals(parameters) == []
    template.expand(parameters)
    assert chosen["capabilities"] == "CAPABILITY_IAM"


def test_production_is_deployed_little_by_little_with_somebody_to_tell() -> None:
    parameters = CONFIG["prod"]["global"]["parameters"]["parameter_overrides"]
    assert {each.partition("=")[0] for each in parameters} >= {"AlarmEmail", "DeploymentPreference"}
