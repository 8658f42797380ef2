"""Imports go one way, and what talks to the world is in one place each (see the README's house)."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "coze_sts"
PACKAGE = LAYER / "coze_sts"
FUNCTIONS = ROOT / "functions"

LEVELS = (
    {"functions"},
    {"audit", "broker", "canary", "doctor", "doors", "key_rotation", "wiring"},
    {"admission", "performer", "sessions", "token_route"},
    {"exchanger"},
    {"budget"},
    {"auth", "cache", "coze", "http_event", "policy"},
    {"policy_rules"},
    {
        *{
            "access_token",
            "allowance",
            "api_base",
            "aws",
            "errors",
            "issuers",
            "keyring",
            "settings",
        },
        *{"snapshot", "stored_secret", "strict_json", "telemetry", "variables", "web"},
    },
)
"""Each level imports from the levels below it; only the leaves may import from each other."""

FORBIDDEN_NAMES = {"token", "secrets", "types", "http"}
"""A module of such a name on the path stands in for the standard library's own."""

COMMANDS = {"coze_sts.audit.__main__", "coze_sts.doctor.__main__"}
"""`make audit` and `make doctor`, which the operator runs with credentials of their own."""

HTTP_LIBRARIES = {"requests", "urllib3", "httpx", "aiohttp", "socket"}
HTTP_MODULES = {"http.client", "urllib.request"}
LAZY = (
    "coze_sts.web",
    *("coze_sts.coze.mint", "coze_sts.coze.assertion", "coze_sts.coze.grant"),
    "coze_sts.coze.private_key",
)


@dataclass(frozen=True, kw_only=True)
class Import:
    """One imported module; `typing_only` where no running program imports it."""

    importer: str
    module: str
    typing_only: bool


def shipped() -> list[Path]:
    return sorted([*PACKAGE.rglob("*.py"), *FUNCTIONS.rglob("*.py")])


def name_of(path: Path) -> str:
    """`coze_sts.coze.grant`, `functions.token.app`."""
    base = LAYER if path.is_relative_to(LAYER) else ROOT
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def room(module: str) -> str:
    """The part of the house that a module belongs to: a folder, or a module beside them."""
    parts = module.split(".")
    return "functions" if parts[0] == "functions" else (parts[1] if len(parts) > 1 else "")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def is_typing_guard(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imports_in(path: Path) -> Iterator[Import]:
    for node, typing_only in walk(tree_of(path), typing_only=False):
        for module in modules_of(node):
            yield Import(importer=name_of(path), module=module, typing_only=typing_only)


def walk(node: ast.AST, *, typing_only: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        inside = typing_only or (is_typing_guard(node) and child in node.body)  # type: ignore[attr-defined]
        yield child, inside
        yield from walk(child, typing_only=inside)


def modules_of(node: ast.AST) -> list[str]:
    """`from coze_sts import wiring` imports `coze_sts.wiring`."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "a relative import hides where it goes"
        assert node.module
        submodules = [f"{node.module}.{alias.name}" for alias in node.names]
        ours = {name_of(path) for path in shipped()}
        return [name if name in ours else node.module for name in submodules]
    return []


@cache
def all_imports() -> frozenset[Import]:
    return frozenset(found for path in shipped() for found in imports_in(path))


def ours() -> set[tuple[str, str]]:
    """Which room imports from which other room; what is only typed counts too."""
    pairs = {
        (room(i.importer), room(i.module))
        for i in all_imports()
        if i.module.split(".")[0] in {"coze_sts", "functions"}
    }
    return {(one, other) for one, other in pairs if one != other}


def importers(modules: set[str], *, typing_too: bool = False) -> set[str]:
    """Who imports one of `modules` or something in it."""
    return {
        i.importer
        for i in all_imports()
        if any(i.module == m or i.module.startswith(f"{m}.") for m in modules)
        and (typing_too or not i.typing_only)
    }


def level(name: str) -> int:
    return next(number for number, rooms in enumerate(LEVELS) if name in rooms)


def test_every_module_has_its_place_in_the_house() -> None:
    rooms = {room(name_of(path)) for path in shipped()} - {""}
    assert rooms == set().union(*LEVELS)


def test_imports_go_one_way() -> None:
    """So the three stages never import each other, and nothing imports a function."""
    leaves = len(LEVELS) - 1
    wrong = {
        (one, other)
        for one, other in ours()
        if level(one) > level(other) or level(one) == level(other) != leaves
    }
    assert wrong == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for found in all_imports():
        if found.module.startswith("coze_sts."):
            graph.setdefault(found.importer, set()).add(found.module)
    assert list(TopologicalSorter(graph).static_order())


def test_the_rules_look_at_the_imports_that_there_are() -> None:
    """A rule that sees nothing holds for ever."""
    stages = {"auth", "cache", "coze"}
    assert {(one, other) for one, other in ours() if one == "broker"} >= {
        ("broker", stage) for stage in stages
    }
    assert {one for one, other in ours() if other == "broker"} == {"functions"}
    assert all((stage, "errors") in ours() for stage in stages)
    assert "coze_sts.cache.store" in importers({"mypy_boto3_dynamodb"}, typing_too=True)
    assert "coze_sts.cache.store" not in importers({"mypy_boto3_dynamodb"})
    assert len(shipped()) > 25


def test_http_is_spoken_in_web_only() -> None:
    assert importers(HTTP_LIBRARIES | HTTP_MODULES) == {"coze_sts.web"}


def test_aws_clients_are_built_under_functions_and_by_the_operators_commands_only() -> None:
    assert importers({"boto3"}) == COMMANDS
    assert all(name.startswith("functions.") for name in importers({"coze_sts.aws"}))
    sessions = importers({"botocore.session"}) - {"coze_sts.aws"}
    assert all(name.startswith("functions.") for name in sessions)


def test_no_function_has_the_operators_commands() -> None:
    assert {one for one, other in ours() if other == "audit"} == set()
    assert importers(COMMANDS) == set()


def test_only_its_own_function_has_the_doctor() -> None:
    outside = {name for name in importers({"coze_sts.doctor"}) if room(name) != "doctor"}
    assert outside == {"functions.doctor.app"}


def test_the_environment_is_read_in_settings_only() -> None:
    readers = {
        name_of(path)
        for path in shipped()
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"})
        or (isinstance(node, ast.alias) and node.name in {"environ", "environb", "getenv"})
    }
    assert readers == {"coze_sts.settings"}


@pytest.mark.parametrize("path", shipped(), ids=name_of)
def test_a_module_fits_on_a_few_pages_and_hides_no_other(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 200
    parts = name_of(path).split(".")
    # A function's own folder is the root of its code, and so no name in it.
    assert FORBIDDEN_NAMES.isdisjoint(parts[2:] if parts[0] == "functions" else parts)


ENVIRONMENT = {
    "COZE_SECRET_ID": "coze",
    "CACHE_KEY_SECRET_ID": "cache",
    "TOKEN_TABLE": "tokens",
    "AWS_DEFAULT_REGION": "eu-west-1",
}


def loaded_after(statement: str) -> set[str]:
    """Which of LAZY a new interpreter has loaded after `statement`, and nothing else."""
    program = f"import sys; {statement}; print(*(name for name in {LAZY} if name in sys.modules))"
    path = f"{LAYER}:{ROOT}"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=ENVIRONMENT | {"PYTHONPATH": path},
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    return set(run.stdout.split())


def test_a_request_that_finds_a_token_never_loads_what_only_an_exchange_needs() -> None:
    """It would more than double the cold start of a hit."""
    handler = f"import runpy; runpy.run_path({str(FUNCTIONS / 'token' / 'app.py')!r})"
    assert loaded_after(handler) == set()


def test_who_asks_turnstile_or_wechat_loads_no_http_before_there_is_something_to_ask() -> None:
    assert loaded_after("import coze_sts.auth.turnstile, coze_sts.auth.wechat") == set()


def test_an_exchange_loads_what_the_tests_above_look_for() -> None:
    assert loaded_after("import coze_sts.coze.mint, coze_sts.coze.private_key") == set(LAZY)
