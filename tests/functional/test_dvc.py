"""Under DVC: the same bytes as `saakh run`, and a changed parameter reruns only what depends on it.

`make test` changes a parameter of the last stages; SAAKH_FULL=1 also one that most stages run again for.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipeline.run import STAGES, run_stage
from pipeline.workspace import Workspace, digest
from tests.functional.conftest import ROOT, small_params

FULL = bool(os.environ.get("SAAKH_FULL"))
COPIED = (
    "pipeline",
    "features",
    "models",
    "saakh",
    "data/mappings",
    "data/policies",
    "data/lending",
    "dvc.yaml",
    ".dvcignore",
)
LEFT_OUT = ("social", "lifestyle", "brand")
"""Families that are not derived here: what reruns what does not depend on how much is measured."""


def dvc(folder: Path, *arguments: str) -> str:
    bin_folder = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1", "NO_COLOR": "1"}
    command = [str(bin_folder / "dvc"), *arguments]
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def set_params(folder: Path, **changed: dict) -> None:
    raw = yaml.safe_load((ROOT / "params.yaml").read_text())
    raw["simulate"]["people"] = 300
    raw["evaluate"]["resamples"] = 100
    raw["selfcheck"]["refits"] = 0
    raw["derive"]["leave_out"] = list(LEFT_OUT)
    for section, values in changed.items():
        raw[section] |= values
    (folder / "params.yaml").write_text(yaml.safe_dump(raw))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout, linked into a folder of its own, run once by DVC on a small population."""
    folder = tmp_path_factory.mktemp("dvc")
    for name in COPIED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(ROOT / name)
    set_params(folder)
    dvc(folder, "init", "--no-scm", "--quiet")
    dvc(folder, "repro", "--quiet")
    return folder


def reruns(folder: Path, **changed: dict) -> list[str]:
    """The stages that DVC runs after these changes; afterwards everything is as it was (from DVC's run cache)."""
    set_params(folder, **changed)
    try:
        lines = dvc(folder, "repro").splitlines()
    finally:
        set_params(folder)
        dvc(folder, "repro", "--quiet")
    return [line.split("'")[1] for line in lines if line.startswith("Running stage")]


def test_dvc_writes_the_same_bytes_as_saakh_run(project: Path, tmp_path: Path) -> None:
    params = small_params(tmp_path)
    params = params.model_copy(
        update={
            "simulate": params.simulate.model_copy(update={"people": 300}),
            "evaluate": params.evaluate.model_copy(update={"resamples": 100}),
            "selfcheck": params.selfcheck.model_copy(update={"refits": 0}),
            "derive": params.derive.model_copy(update={"leave_out": LEFT_OUT}),
        }
    )
    for stage in ("simulate", *STAGES):
        run_stage(stage, params, Workspace(params.workspace))
    for name in (
        "ingest/calls.parquet",
        "check/check.json",
        "cohort/cohort.parquet",
        "label/labels.parquet",
        "derive/features.parquet",
        "train/model.txt",
        "evaluate/metrics.json",
        "selfcheck/selfcheck.json",
        "explain/report.html",
        "export/scorecard-0.1.0.saakh",
    ):
        assert digest(params.workspace / name) == digest(project / "data/sample" / name), name


def test_nothing_changed_reruns_nothing(project: Path) -> None:
    assert reruns(project) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"export": {"pdo": 40}}, ["explain", "export"]),
        pytest.param(
            {"label": {"dpd_days": 45}},
            ["label", "derive", "train", "evaluate", "selfcheck", "explain", "export"],
            marks=pytest.mark.skipif(not FULL, reason="seven stages more: make prove (SAAKH_FULL=1) runs it"),
        ),
    ],
)
def test_a_changed_parameter_reruns_only_what_depends_on_it(project: Path, changed: dict, expected: list[str]) -> None:
    assert sorted(reruns(project, **changed)) == sorted(expected)


def test_dvc_shows_the_metrics(project: Path) -> None:
    shown = json.loads(dvc(project, "metrics", "show", "--json"))
    assert "auc" in json.dumps(shown)
    assert "metrics.json" in dvc(project, "metrics", "show")


def test_the_page_about_single_applicants_stays_out_of_the_cache_which_all_may_read(project: Path) -> None:
    page = project / "data/sample/explain/applicants.html"
    assert page.stat().st_mode & 0o777 == 0o600
    kept = {digest(path) for path in (project / ".dvc/cache/files").rglob("*") if path.is_file()}
    assert digest(page.with_name("report.html")) in kept
    assert digest(page) not in kept
