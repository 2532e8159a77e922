"""`saakh erase` and `saakh retention` as commands: what they print, and what they end with."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from pipeline.audit.heads import new_pair
from pipeline.cli import app
from pipeline.params import Params
from pipeline.pseudonyms import new_key
from pipeline.retention.enforce import today
from pipeline.retention.errors import ErasureError
from pipeline.run import run_stage
from pipeline.workspace import Workspace
from tests.lender_drop import GOOD, HEADER, TOPUPS, Drop, mapping

UNTIL = (today() + timedelta(days=30)).isoformat()


@pytest.fixture
def params(tmp_path: Path) -> Path:
    """A run of ingest, under keys for everything."""
    drop = Drop(tmp_path)
    drop.write("topups.csv", HEADER + "".join(GOOD.replace("u1", f"user-000{i}") for i in (1, 2, 3)))
    new_pair(tmp_path / "audit.pem")
    new_key(tmp_path / "seal.txt")
    run = drop.params(mapping(TOPUPS)).model_dump(mode="json") | {
        "workspace": str(tmp_path / "work"),
        "audit": {"key_file": str(tmp_path / "audit.pem")},
        "retention": {"key_file": str(tmp_path / "seal.txt")},
    }
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(run))
    read = Params.model_validate(run)
    run_stage("ingest", read, Workspace(read.workspace))
    return path


def said(params: Path, *words: str) -> str:
    ended = CliRunner().invoke(app, [*words, "--params", str(params)], catch_exceptions=False)
    assert ended.exit_code == 0
    return " ".join(ended.output.split())


def test_a_person_is_looked_for_erased_sealed_and_destroyed(params: Path) -> None:
    dry = said(params, "erase", "user-0001", "--dry-run", "--hold", "statute", "--until", UNTIL)
    assert "1 person, found under" in dry
    assert "1 topups" in dry
    assert f"a sealed copy of each would be kept for statute until {UNTIL}" in dry
    done = said(params, "erase", "user-0001", "--hold", "statute", "--until", UNTIL, "--why", "withdrawal")
    assert "ingest 2 → 2 rows" in done
    assert "1 person erased; looked for afterwards in" in done
    assert f"Sealed copies are kept until {UNTIL}" in done
    assert "Receipt, signed:" in done
    receipt = params.parent / "work/erasures/receipt-000001.json"
    assert json.loads(receipt.read_text())["why"] == "withdrawal"
    assert "signed by" in said(params, "retention", "verify", str(receipt), "--key", f"{params.parent}/audit.pem.pub")
    listed = said(params, "retention", "list")
    assert listed.startswith(UNTIL)
    assert listed.endswith("1 sealed copies.")
    name = listed.split()[2]
    said(params, "retention", "open", name, "--purpose", "statute", "--out", str(params.parent / "sealed_copy.zip"))
    assert (params.parent / "sealed_copy.zip").exists()
    due = said(params, "retention", "run", "--dry-run", "--as-of", UNTIL)
    assert due.startswith(f"1 sealed copies would be destroyed by {UNTIL}. Nothing was changed.")
    assert due.endswith("rows that have outlived their data life: none")
    kept = said(params, "retention", "run")
    assert "0 sealed copies destroyed, 1 kept." in kept
    assert "No row has outlived its data life" in kept
    assert "1 sealed copies destroyed, 0 kept." in said(params, "retention", "run", "--as-of", UNTIL)
    assert said(params, "retention", "list") == "0 sealed copies."


def test_somebody_who_is_nowhere_is_an_error_that_names_nobody(params: Path) -> None:
    with pytest.raises(ErasureError) as raised:
        said(params, "erase", "user-0009")
    assert raised.value.exit_code == 14
    assert "user-0009" not in str(raised.value)


def test_one_that_stops_says_how_to_go_on(params: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note = params.parent / "work/notes.txt"
    note.write_text("from user-0001")
    with pytest.raises(ErasureError, match=r"still name people who are erased: .*notes\.txt"):
        CliRunner().invoke(app, ["erase", "user-0001", "--params", str(params)], catch_exceptions=False)
    note.unlink()
    assert "1 person erased" in said(params, "erase")
