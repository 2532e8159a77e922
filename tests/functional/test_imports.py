"""The import contracts hold, and break on a planted import; help loads nothing heavy."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.functional.conftest import ROOT

PLANTED = [
    ("saakh/scale.py", "import pandas"),
    ("features/windows.py", "import models"),
    ("models/splits.py", "import features.tables"),
    ("pipeline/label.py", "import duckdb"),
    ("pipeline/derive.py", "import pyspark"),
    ("pipeline/label.py", "import typer"),
    ("pipeline/label.py", "import fastapi"),
    ("pipeline/serve/app.py", "import pyarrow"),
    ("saakh/scale.py", "import cryptography"),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for name in ("saakh", "features", "models", "pipeline"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_the_import_contracts_hold(copy: Path) -> None:
    found = lint(copy)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(("module", "line"), PLANTED)
def test_a_planted_import_breaks_a_contract(copy: Path, module: str, line: str) -> None:
    path = copy / module
    before = path.read_text()
    path.write_text(f"{before}\n{line}\n")
    try:
        assert lint(copy).returncode == 1
    finally:
        path.write_text(before)


def test_help_loads_no_heavy_library() -> None:
    script = (
        "import sys, contextlib, io\nsys.argv=['saakh','--help']\n"
        "from pipeline.cli import app\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    try: app()\n    except SystemExit: pass\n"
        "heavy={'pandas','ibis','duckdb','lightgbm','sklearn','mlflow','shap','great_expectations','pyarrow','plotly'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert shown.stdout.strip() == "[]"
