"""A complete small run, made once for all tests that look at what a run leaves behind."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from pipeline.params import Params
from pipeline.run import STAGES, run_stage
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """A run and its parameters."""

    params: Params
    ws: Workspace


def small_params(folder: Path, **changed: object) -> Params:
    """The sample's parameters, with a small population and every folder under `folder`."""
    raw = yaml.safe_load((ROOT / "params.yaml").read_text())
    raw["workspace"] = str(folder / "work")
    raw["simulate"] |= {"out": str(folder / "raw"), "oracle": str(folder / "oracle"), "people": 400}
    raw["ingest"] |= {
        "source": str(folder / "raw"),
        "mapping": str(ROOT / raw["ingest"]["mapping"]),
        "key_file": str(folder / "raw/key.txt"),
    }
    raw["evaluate"]["resamples"] = 200
    return Params.model_validate(raw | changed)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Simulated, and run from raw drops to scorecard."""
    params = small_params(tmp_path_factory.mktemp("run"))
    ws = Workspace(params.workspace)
    for stage in ("simulate", *STAGES):
        run_stage(stage, params, ws)
    return Run(params, ws)
