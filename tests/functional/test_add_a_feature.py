"""The tutorial works to the letter: its commands are run, and its text is written, in a copy of the repository."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL = (ROOT / "docs" / "add-a-feature.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(sh|python|markdown)\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)
PLACES = re.findall(r"Replace the stub in `([^`]+)`", TUTORIAL)
PROGRAMS = {"saakh": [sys.executable, "-m", "pipeline.cli"], "python": [sys.executable]}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy with the examples of one topic alone, so that few features are derived."""
    unwanted = shutil.ignore_patterns("__pycache__", "functional", "unit", "property")
    for folder in ("features", "models", "pipeline", "saakh", "tests", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=unwanted)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for page in (tmp_path / "tests" / "spec").glob("*/*.md"):
        if page.name != "calls.md":
            page.unlink()
    return tmp_path


def run(checkout: Path, command: str) -> subprocess.CompletedProcess[str]:
    program, *arguments = shlex.split(command)
    environment = {**os.environ, "PYTHONPATH": str(checkout), "COLUMNS": "200"}
    return subprocess.run(
        [*PROGRAMS[program], *arguments], cwd=checkout, env=environment, check=False, capture_output=True, text=True
    )


def replace(file: Path, kind: str, text: str) -> None:
    """Put the block where the stub of the same name is, at the end of its file."""
    before = file.read_text(encoding="utf-8")
    start = before.rindex("\n@feature(" if kind == "python" else f"\n{text.splitlines()[0]}\n") + 1
    assert "TODO" in before[start:]
    file.write_text(before[:start] + text, encoding="utf-8")


@pytest.mark.timeout(600)
def test_the_tutorial_works_as_it_is_written(checkout: Path) -> None:
    places, said = iter(PLACES), {}
    for kind, text in BLOCKS:
        if kind == "sh":
            for command in text.splitlines():
                said[command] = run(checkout, command)
                assert said[command].returncode == 0, said[command].stdout + said[command].stderr
        else:
            replace(checkout / next(places), kind, text)
    catalogue = (checkout / "docs" / "catalogue.md").read_text(encoding="utf-8")
    assert (
        "| [`call_lunch_share`](../tests/spec/lifestyle/calls.md#call_lunch_share) | Share of calls between"
        in catalogue
    )
    [tested] = [ended.stdout for command, ended in said.items() if command.startswith("python -m pytest")]
    assert re.search(r"[1-9]\d* passed", tested) or "[100%]" in tested
    for check in (["check"], ["format", "--check"]):
        style = [sys.executable, "-m", "ruff", *check, PLACES[0]]
        ended = subprocess.run(style, cwd=checkout, check=False, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout


@pytest.mark.timeout(600)
def test_an_unfinished_feature_runs_but_is_not_listed(checkout: Path) -> None:
    assert run(checkout, BLOCKS[0][1]).returncode == 0
    shown = run(checkout, "saakh features show call_lunch_share")
    assert "TODO: what it measures" in shown.stdout
    refused = run(checkout, "saakh features docs")
    assert refused.returncode == 12
    assert "feature 'call_lunch_share' is unfinished" in " ".join(refused.stderr.split())
    untested = run(checkout, "python -m pytest tests/spec -k call_lunch_share")
    assert untested.returncode != 0
    assert "work it out by hand" in untested.stdout + untested.stderr
