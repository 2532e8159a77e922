"""The closing screen of a run, whatever the run came to."""

from pathlib import Path

from rich.console import Console

from pipeline.closing import _quality
from pipeline.workspace import Workspace, write_json


def test_a_run_whose_later_loans_all_ended_alike_still_ends_with_its_screen(tmp_path: Path) -> None:
    nothing = {"value": None, "low": None, "high": None}
    side = {"rows": 30, "bads": 0, "auc": nothing, "gini": nothing, "ks": {"value": 0.25, "low": None, "high": None}}
    write_json(tmp_path / "evaluate/metrics.json", {"confidence": 0.95, "out_of_time": side})
    console = Console(width=120, file=(tmp_path / "screen.txt").open("w"))
    console.print(_quality(Workspace(tmp_path), "out_of_time"))
    console.file.close()
    assert "AUC not defined   Gini not defined   KS 0.250" in (tmp_path / "screen.txt").read_text()
