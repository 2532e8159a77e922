"""The runtime as a lending service has it: the wheel, numpy, and nothing else."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

from tests.small_scorecard import packed, scorecard

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys, saakh
card = saakh.load(sys.argv[1])
score = card.score({"input_0_30d": 0.5, "input_1_30d": None})
assert card.verify().vectors >= 200
assert "site-packages" in saakh.__file__, saakh.__file__
try:
    saakh.load(sys.argv[1], trust="0" * 64)
except saakh.ArtifactError as error:
    assert "not signed" in str(error)
print(repr(score.points), score.band, *(reason.code for reason in score.reasons))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The runtime's wheel, built from a copy so that nothing is left in the source."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(
        ROOT / "saakh", folder / "saakh", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "*.so")
    )
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(folder / "saakh"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_scores_in_an_environment_with_numpy_only(wheel, tmp_path):
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    for part in Path(np.__file__).parents[1].glob("numpy*"):
        (site / part.name).symlink_to(part)
    install = [sys.executable, "-m", "pip", "--python", str(tmp_path / "venv" / "bin" / "python"), "install"]
    subprocess.run([*install, "--no-index", "--quiet", str(wheel)], check=True, capture_output=True)
    (tmp_path / "scorecard.saakh").write_bytes(packed())
    said = subprocess.run(
        [tmp_path / "venv" / "bin" / "python", "-c", PROGRAM, "scorecard.saakh"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    here = scorecard().score({"input_0_30d": 0.5, "input_1_30d": None})
    assert said.stdout.split() == [repr(here.points), here.band, *(r.code for r in here.reasons)]


def test_the_wheel_holds_the_runtime_and_its_types_and_is_small(wheel):
    import zipfile

    with zipfile.ZipFile(wheel) as opened:
        names, size = opened.namelist(), sum(i.file_size for i in opened.infolist())
    assert {"saakh/__init__.py", "saakh/scorecard.py", "saakh/py.typed"} <= set(names)
    assert not [n for n in names if not n.startswith(("saakh/", "saakh-0.1.0.dist-info/"))]
    assert size < 1_000_000
