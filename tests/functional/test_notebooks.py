"""Every notebook runs from top to bottom, in a kernel of its own; those that look at a run, on the session's small one.

`make test` runs the quickstart, which makes a run itself, and one that reads a run; `make prove` all.
"""

import os
from pathlib import Path

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

from tests.functional.conftest import ROOT, Run

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
READERS = [path for path in NOTEBOOKS if path.stem != "quickstart"]
RUN = READERS if os.environ.get("SAAKH_FULL") else [ROOT / "notebooks/review-a-model.ipynb"]


def run(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=250, resources={"metadata": {"path": str(path.parent)}}).execute()


def test_the_quickstart_runs() -> None:
    run(ROOT / "notebooks/quickstart.ipynb")


@pytest.mark.parametrize("path", RUN, ids=lambda p: p.name)
def test_a_notebook_that_looks_at_a_run_runs_and_leaves_it_as_it_was(
    path: Path, small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "params.yaml"
    named.write_text(yaml.safe_dump(small_run.params.model_dump(mode="json")))
    monkeypatch.setenv("SAAKH_PARAMS", str(named))
    before = {file: file.stat().st_mtime_ns for file in small_run.ws.root.rglob("*") if file.is_file()}
    run(path)
    assert {file: file.stat().st_mtime_ns for file in small_run.ws.root.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_the_notebook_is_stored_without_outputs(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert not [c for c in cells if c.cell_type == "code" and (c.outputs or c.execution_count)]
