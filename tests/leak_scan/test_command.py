"""The command, the action and the hook do what their users start."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from coze_leak_scan.messages import SNIPPET

from tests.leak_scan import made_up

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "leak_scan"
SCRIPT = FOLDER / "scan.py"


def start(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *map(str, arguments)],
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    page = tmp_path / "site" / "index.html"
    page.parent.mkdir()
    page.write_text(f"<script>token: '{made_up.token()}'</script>")
    return page


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    page = tmp_path / "clean" / "index.html"
    page.parent.mkdir()
    page.write_text("<script>token: 'pat_********'</script>")
    return page


def test_the_exit_status_is_0_for_clean_1_for_a_leak_2_for_cannot(leaky: Path, clean: Path) -> None:
    statuses = [start(path).returncode for path in (clean.parent, leaky.parent, "missing")]
    assert statuses == [0, 1, 2]
    assert start(clean, leaky).returncode == 1


@pytest.mark.parametrize(
    "arguments", [[], ["--unknown", "."], ["--lang", "fr", "."], ["--al", "."]]
)
def test_what_the_command_does_not_know_is_2(arguments: list[str]) -> None:
    assert start(*arguments).returncode == 2


def test_what_is_typed_by_mistake_is_not_repeated() -> None:
    said = start(f"--token={made_up.token()}", ".")
    assert said.returncode == 2
    assert made_up.token() not in said.stderr


def test_it_runs_as_a_module(leaky: Path) -> None:
    command = [sys.executable, "-m", "coze_leak_scan", "--json", "--lang=zh", str(leaky)]
    environment = os.environ | {"PYTHONPATH": str(FOLDER), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["findings"][0]["path"] == str(leaky)


def test_a_console_without_these_letters_gets_the_report_all_the_same(leaky: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--lang=zh", str(leaky)]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"createSession" in done.stdout


def action() -> dict:
    return yaml.safe_load((FOLDER / "action.yml").read_text(encoding="utf-8"))


def act(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Runs the action's one step as GitHub does."""
    (step,) = action()["runs"]["steps"]
    values = {name: given["default"] for name, given in action()["inputs"].items()} | inputs
    fills = re.compile(r"\$\{\{ inputs\.(\w+) \}\}")
    environment = {
        name: fills.sub(lambda found: values[found.group(1)], text)
        for name, text in step["env"].items()
    }
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env=os.environ | environment | {"GITHUB_ACTION_PATH": str(FOLDER)},
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_the_action_fails_a_leaky_site_and_passes_a_clean_one(leaky: Path, clean: Path) -> None:
    assert act(leaky.parent).returncode == 1
    assert act(clean.parent).returncode == 0
    assert act(clean.parent, path="../site", lang="zh").returncode == 1
    assert act(clean.parent, path="dist").returncode == 2


def test_the_action_uses_nothing_else_and_writes_no_input_into_its_script() -> None:
    (step,) = action()["runs"]["steps"]
    assert action()["runs"]["using"] == "composite"
    assert "uses" not in step
    assert "${{" not in step["run"]


@pytest.mark.parametrize("path", ["$(touch owned)", '"; touch owned; "', "--help", "-"])
def test_the_action_takes_its_path_for_a_path(clean: Path, path: str) -> None:
    assert act(clean.parent, path=path).returncode == 2
    assert act(clean.parent, lang=path).returncode == 2
    assert not (clean.parent / "owned").exists()


def test_the_action_runs_no_code_of_the_site(clean: Path) -> None:
    for name in ("argparse.py", "json.py", "coze_leak_scan.py"):
        (clean.parent / name).write_text("raise SystemExit(99)")
    assert act(clean.parent).returncode == 0


def test_the_hook_is_a_program_that_takes_names_of_files(leaky: Path, clean: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert (hook["id"], hook["language"]) == ("coze-leak-scan", "script")
    entry = ROOT / hook["entry"]
    statuses = [
        subprocess.run([entry, *names], cwd=clean.parent, capture_output=True, check=False)
        for names in ([clean.name], [clean.name, leaky])
    ]
    assert [done.returncode for done in statuses] == [0, 1]


def test_this_repository_is_clean() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    tracked = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert len(tracked) > 100
    done = start(*(path for path in tracked if path.exists()))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_every_file_is_python_3_9() -> None:
    sources = [SCRIPT, *(FOLDER / "coze_leak_scan").glob("*.py")]
    assert len(sources) > 10
    for source in sources:
        text = source.read_text(encoding="utf-8")
        ast.parse(text, feature_version=(3, 9))
        assert "from __future__ import annotations" in text or source.name == "__init__.py"


def test_the_snippet_that_is_printed_is_the_one_that_the_documents_show() -> None:
    guide = ROOT / "docs" / "leak-scan.md"
    assert f"```html\n{SNIPPET}\n```" in guide.read_text(encoding="utf-8")
