"""Which files are scanned, and what is said of those that cannot be."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from coze_leak_scan.__main__ import run
from coze_leak_scan.walk import files

from tests.leak_scan import made_up


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    for name in ["index.html", "sub/a.js", "node_modules/b.js", ".git/c", "logo.PNG", ".env"]:
        put(site / name)
    return site


def put(path: Path, text: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(made_up.token() if text is None else text)
    return path


def leaking(*paths: Path, everything: bool = False) -> set[str]:
    outcome = run([str(path) for path in paths], everything=everything)
    assert outcome.faults == []
    return {Path(hit.path).name for hit in outcome.findings}


def test_a_folder_is_scanned_without_git_node_modules_and_pictures(site: Path) -> None:
    assert leaking(site) == {"index.html", "a.js", ".env"}


def test_all_of_a_folder_is_scanned_when_asked(site: Path) -> None:
    everything = {"index.html", "a.js", "b.js", "c", "logo.PNG", ".env"}
    assert leaking(site, everything=True) == everything


@pytest.mark.parametrize(
    ("name", "found"), [("node_modules", "b.js"), (".git", "c"), ("logo.PNG", "logo.PNG")]
)
def test_what_is_named_is_scanned_whatever_it_is(site: Path, name: str, found: str) -> None:
    assert leaking(site / name) == {found}


def test_links_are_not_followed_out_of_the_folder_nor_in_circles(
    site: Path, tmp_path: Path
) -> None:
    outside = put(tmp_path / "outside" / "secret.js")
    (site / "file.js").symlink_to(outside)
    (site / "folder").symlink_to(outside.parent, target_is_directory=True)
    (site / "circle").symlink_to(site, target_is_directory=True)
    (site / "nowhere").symlink_to(tmp_path / "missing")
    assert leaking(site) == {"index.html", "a.js", ".env"}
    assert leaking(site / "file.js") == {"file.js"}


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    outcome = run([str(tmp_path / "missing.js")])
    assert outcome.exit_status == 2
    assert "missing.js" in outcome.faults[0]


def test_a_file_that_cannot_be_read_to_its_end_is_told() -> None:
    outcome = run(["/proc/self/mem"])
    assert outcome.exit_status == 2
    assert "/proc/self/mem" in outcome.faults[0]


def test_a_folder_that_cannot_be_listed_is_told(site: Path) -> None:
    errors: list[OSError] = []
    listing = files(str(site), everything=False, on_error=errors.append)
    next(listing)
    shutil.rmtree(site / "sub")
    assert "a.js" not in {Path(path).name for path in listing}
    assert [error.filename for error in errors] == [str(site / "sub")]


def test_a_link_to_itself_and_a_pipe_are_told_and_not_waited_for(tmp_path: Path) -> None:
    circle, pipe = tmp_path / "circle", tmp_path / "pipe"
    circle.symlink_to(circle)
    os.mkfifo(pipe)
    outcome = run([str(circle), str(pipe)])
    assert outcome.exit_status == 2
    assert len(outcome.faults) == 2
    assert run([str(put(tmp_path / "a.js", "")), str(tmp_path)]).exit_status == 0


def test_a_folder_with_nothing_to_scan_is_not_called_clean(tmp_path: Path) -> None:
    clean = put(tmp_path / "a" / "a.js", "1")
    (tmp_path / "empty").mkdir()
    assert run([str(tmp_path / "empty")]).exit_status == 2
    assert run([str(clean), str(tmp_path / "empty")]).exit_status == 2


def test_a_leak_outweighs_what_could_not_be_scanned(site: Path) -> None:
    outcome = run([str(site), str(site / "missing")])
    assert outcome.exit_status == 1
    assert outcome.faults
