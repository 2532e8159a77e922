"""Runs that learned from somebody go for good: out of the log, off the disk, and out of the database's pages."""

import re
import shutil
from pathlib import Path

import pytest

from pipeline import tracking, train
from pipeline.erase import stores
from pipeline.params import Params
from pipeline.retention.errors import ErasureError
from pipeline.run import STAGES
from pipeline.workspace import Workspace, read_json
from tests.labelled_run import write_labelled

PIPELINE = Path(__file__).parents[3] / "pipeline"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Params, Workspace]:
    """A workspace with two trainings in its log, one of them deleted but not collected."""
    root = tmp_path_factory.mktemp("trained")
    params, ws = write_labelled(root / "work"), Workspace(root / "work")
    train.run(params, ws)
    train.run(params.model_copy(update={"seed": 2}), ws)
    log = tracking.client(ws)
    log.delete_run(log.get_model_version(tracking.NAME, "1").run_id)
    return params, ws


def test_runs_kept_elsewhere_are_not_touched(trained, tmp_path) -> None:
    _, ws = trained
    copied = Workspace(tmp_path / "copied")
    shutil.copytree(ws.root, copied.root)
    with pytest.raises(ErasureError, match="2 of MLflow's runs keep their files outside"):
        stores.refuse_runs_elsewhere(copied)
    stores.refuse_runs_elsewhere(ws)


def test_every_run_goes_for_good_and_numbers_go_on(trained) -> None:
    params, ws = trained
    model, store = read_json(ws.root / "train/train.json")["model_sha256"].encode(), ws.root / "mlflow/mlflow.db"
    assert model in store.read_bytes()
    assert stores.clear_runs(ws) == 2
    assert not (ws.root / "mlflow/artifacts").exists()
    assert model not in store.read_bytes()
    assert stores.clear_runs(ws) == 0
    train.run(params, ws)
    version = tracking.client(ws).get_model_version_by_alias(tracking.NAME, tracking.ALIAS)
    assert int(version.version) == 3


def test_collecting_leaves_the_process_where_it_was(trained, monkeypatch, capfd) -> None:
    import mlflow

    params, ws = trained
    train.run(params, ws)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////nowhere/mlflow.db")
    before = mlflow.get_tracking_uri()
    stores.clear_runs(ws)
    assert mlflow.get_tracking_uri() == before
    assert capfd.readouterr().out == ""


def test_without_a_log_there_is_nothing_to_do(tmp_path) -> None:
    ws = Workspace(tmp_path)
    stores.refuse_runs_elsewhere(ws)
    assert stores.clear_runs(ws) == 0
    assert list(tmp_path.iterdir()) == []


def test_every_folder_a_command_makes_is_known_to_erasure() -> None:
    text = "\n".join(path.read_text("utf-8") for path in PIPELINE.rglob("*.py"))
    made = set(re.findall(r"""\.stage\("([a-z_]+)"\)""", text))
    assert made <= {*STAGES, *stores.BESIDE, stores.MLFLOW}


def test_folders_go_with_what_a_killed_stage_left_beside_them(tmp_path) -> None:
    ws = Workspace(tmp_path)
    for name in ("derive/a", ".derive.x1/a", "label/a", "notes/a"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("a")
    assert (stores.made(ws), stores.beside(ws)) == (["label", "derive"], [])
    stores.clear(ws, ["derive", "train"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["label", "notes"]
