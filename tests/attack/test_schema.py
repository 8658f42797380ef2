"""Requests that schemathesis makes of openapi.yaml: no answer that is not documented, no 5xx."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

from tests.attack.schemathesis_hooks import Target
from tests.attack.site import Site
from tests.contract.markdown import ROOT
from tests.contract.openapi import document
from tests.local.stack import DEMO_BACKEND

CONFIG = Path(__file__).with_name("schemathesis.toml")
SECONDS = 240


def served(site: Site) -> dict[str, Any]:
    """openapi.yaml without what this site does not have, and with its own example."""
    found = deepcopy(document())
    found["components"]["parameters"]["Origin"]["schema"]["examples"] = [site.stack.url]
    for path, item in found["paths"].items():
        for method in item.keys() - {"parameters"}:
            if f"{method.upper()} {path}" not in site.routes:
                del item[method]
    del found["components"]["schemas"]["GuestBody"]["properties"]["turnstile_token"]
    return found


def run(site: Site, folder: Path, target: Target, *options: str) -> str:
    """What schemathesis says; it fails where schemathesis found something."""
    file = folder / "openapi.json"
    file.write_text(json.dumps(served(site)), encoding="utf-8")
    command = ["-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", str(file)]
    done = subprocess.run(
        [sys.executable, *command, "--url", site.stack.url, "--no-color", *options],
        cwd=folder,
        env={
            **os.environ,
            **target.environment(),
            "NO_PROXY": "127.0.0.1",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'coze_sts'}",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_with_every_proof_no_answer_is_undocumented_and_none_is_5xx(
    site: Site, tmp_path: Path
) -> None:
    bearers = {
        route.split()[1]: site.issuer(route).id_token("mallory")
        for route in site.routes
        if site.kind(route) == "JWT"
    }
    guests = [site.send("POST /guest/token", site.origin).json for _ in range(9)]
    target = Target(
        origin=site.stack.url,
        tickets=[guest["guest_ticket"] for guest in guests],
        bearers=bearers,
        access_key=DEMO_BACKEND.access_key,
        secret_key=DEMO_BACKEND.secret_key,
    )
    said = run(site, tmp_path, target)
    assert f"Tested: {len(site.routes)}" in said


def test_without_proof_nothing_opens(site: Site, tmp_path: Path) -> None:
    target = Target(
        origin=site.stack.url,
        tickets=[],
        bearers={},
        access_key=DEMO_BACKEND.access_key,
        secret_key="",
    )
    guarded = [route for route in site.routes if site.kind(route) != "NONE"]
    options = ["--include-path-regex=^/(token|backend)", "--max-examples=10"]
    options.append("--exclude-checks=positive_data_acceptance")
    with site.untouched():
        said = run(site, tmp_path, target, *options)
    assert f"Tested: {len(guarded)}" in said
