"""DVC's copies of what a run wrote are removed, with the memory of the runs that made them; others' stay."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.erase.dvc import project_of
from pipeline.retention.errors import ErasureError

STAGES = """\
stages:
  drops:
    cmd: mkdir -p raw && cp {source} raw/in.csv
    deps: [{source}]
    outs: [raw]
  run:
    cmd: mkdir -p ws/ingest ws/train && tee ws/ingest/a.csv ws/ingest/b.csv < raw/in.csv | wc -l > ws/train/m.txt
    deps: [raw]
    outs: [ws/ingest, ws/train/m.txt]
  other:
    cmd: echo others > other.txt
    outs: [other.txt]
"""


def dvc(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    command = [sys.executable, "-m", "dvc", *arguments]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that ran twice, on two drops."""
    root = tmp_path_factory.mktemp("dvc")
    dvc(root, "init", "--no-scm", "--quiet")
    for name, text in (("one.csv", "erased,1\nother,2\n"), ("two.csv", "erased,1\nother,2\nthird,3\n")):
        (root / name).write_text(text)
        (root / "dvc.yaml").write_text(STAGES.format(source=name))
        dvc(root, "repro", "--quiet")
    return root


def kept(root: Path, text: str) -> list[Path]:
    """The files of the cache with this text."""
    return [p for p in (root / ".dvc/cache").rglob("*") if p.is_file() and text in p.read_text()]


def test_no_project_no_copies(tmp_path: Path) -> None:
    assert project_of(tmp_path / "ws", []) is None
    (tmp_path / ".dvc").mkdir()  # begun, and never run
    assert project_of(tmp_path / "ws", []) is None


def test_copies_of_every_run_go_and_others_stay(ran: Path) -> None:
    assert len(kept(ran, "erased")) == 2
    project = project_of(ran / "ws", [ran / "raw"])
    assert project is not None
    assert project.cache == ran / ".dvc/cache"
    assert project.remotes() == []
    for path in (ran / "raw/in.csv", ran / "ws/ingest/a.csv", ran / "ws/ingest/b.csv"):
        path.unlink()  # DVC's files are not to be written
        path.write_text("other,2\nthird,3\n")
    assert project.forget() == 8  # of both drops: the file, the folder of drops, the folder of tables, the model
    assert kept(ran, "erased") == []
    assert len(kept(ran, "others")) == 1
    assert project.forget() == 0
    (ran / "ws/train/m.txt").unlink()
    (ran / "ws/train/m.txt").write_text("2\n")
    project.commit()
    assert dvc(ran, "status").strip() == "Data and pipelines are up to date."
    (ran / "ws/ingest/a.csv").unlink()
    dvc(ran, "checkout", "--force", "--quiet")
    assert (ran / "ws/ingest/a.csv").read_text() == "other,2\nthird,3\n"


def test_a_project_that_does_not_work_says_so(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("[core\n")
    (tmp_path / "dvc.lock").write_text("stages: {}\n")
    with pytest.raises(ErasureError, match="`dvc cache` failed"):
        project_of(tmp_path / "ws", [])
