"""A complete small run, made once for all tests that look at what a run leaves behind."""

import os
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

import pytest
import yaml

from pipeline import explain
from pipeline.params import Params
from pipeline.run import STAGES, run_stage
from pipeline.workspace import Workspace
from tests.synthetic_run import write_run

ROOT = Path(__file__).parents[2]
APPLICATIONS = 600


@dataclass(frozen=True)
class Run:
    """A run and its parameters."""

    params: Params
    ws: Workspace


def small_params(folder: Path, **changed: object) -> Params:
    """The sample's parameters, every folder under `folder`; a small population unless at full size."""
    raw = yaml.safe_load((ROOT / "params.yaml").read_text())
    raw["workspace"] = str(folder / "work")
    raw["simulate"] |= {"out": str(folder / "raw"), "oracle": str(folder / "oracle")}
    if not os.environ.get("SAAKH_FULL"):
        raw["simulate"]["people"] = 400
        raw["evaluate"]["resamples"] = 200
        raw["selfcheck"]["refits"] = 1
    raw["decide"]["terms"] = str(ROOT / raw["decide"]["terms"])
    raw["ingest"] |= {
        "source": str(folder / "raw"),
        "mapping": str(ROOT / raw["ingest"]["mapping"]),
        "key_file": str(folder / "raw/key.txt"),
    }
    return Params.model_validate(raw | changed)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Simulated, then run to the scorecard; the oracle is gone before the first stage, so none can read it."""
    params = small_params(tmp_path_factory.mktemp("run"))
    ws = Workspace(params.workspace)
    run_stage("simulate", params, ws)
    rmtree(params.simulate.oracle)
    for stage in STAGES:
        run_stage(stage, params, ws)
    return Run(params, ws)


@pytest.fixture(scope="session")
def explained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Params, Path]:
    """A run of made-up inputs and its pages, made once for all tests that look at them; and its folder."""
    params = write_run(tmp_path_factory.mktemp("explained"), APPLICATIONS)
    explain.run(params, Workspace(params.workspace))
    return params, params.workspace
