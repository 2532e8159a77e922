"""What a check leaves behind: the same bytes every time, no value of a row, nothing that asks the network."""

import json
import re
import socket
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline import check
from pipeline.engines import write_table
from pipeline.ingest.account import REJECTS
from pipeline.params import Params
from pipeline.workspace import Workspace
from saakh.errors import ContractError, MissingInputError, UnreadableInputError
from tests.browser import barriers, chromium
from tests.valid_tables import changed, valid_tables

PARAMS = Params(policy="explicit-consent", as_of=datetime(2026, 6, 1, tzinfo=UTC))
HERE = ("applications", "repayments", "calls", "brand_events")
CANARY, NUMBER, YEAR = "canary", 987_654_321, 2187
DAMAGE = {
    ("calls", "person_id"): {2: CANARY},
    ("calls", "contact_id"): {4: None},
    ("calls", "direction"): {5: f"{CANARY}-out"},
    ("calls", "duration_s"): {3: NUMBER},
    ("calls", "available_at"): {1: datetime(YEAR, 3, 4)},
    ("brand_events", "brand"): {0: f"{CANARY} Phones"},
    ("repayments", "paid_minor"): {0: NUMBER},
    ("repayments", "application_id"): {1: f"{CANARY}-loan"},
}


def tables(damage: dict[tuple[str, str], dict[int, object]]) -> dict[str, pa.Table]:
    kept = {name: t for name, t in valid_tables(400).items() if name in HERE}
    for (name, column), at in damage.items():
        kept[name] = changed(kept[name], column, at)
    return kept


def ingested(root: Path, damage: dict[tuple[str, str], dict[int, object]] | None = None) -> Workspace:
    ws, accounts = Workspace(root), {}
    for name, table in tables(damage or {}).items():
        write_table(ws.stage("ingest") / f"{name}.parquet", table)
        rows = table.num_rows
        accounts[name] = {"rows_in": rows, "rows_kept": rows, "rejected": {}}
    write_table(ws.stage("ingest") / "rejects.parquet", REJECTS.empty_table())
    (ws.stage("ingest") / "ingest.json").write_text(json.dumps({"tables": accounts}))
    return ws


def written(ws: Workspace) -> dict[str, bytes]:
    folder = ws.root / "check"
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_check_that_holds_writes_its_report_three_ways(tmp_path: Path) -> None:
    ws = ingested(tmp_path)
    summary = check.run(PARAMS, ws)
    told = json.loads((tmp_path / "check/check.json").read_text())
    rows = sum(t.num_rows for t in tables({}).values())
    assert (told["passed"], told["rows"], told["faults"], len(told["tables"])) == (True, rows, 0, 4)
    assert summary.counts == {"tables": 4, "rules": told["rules"], "faults": 0}
    assert "Every rule holds" in (tmp_path / "check/check.html").read_text()
    assert "expectations/calls.html" in (tmp_path / "check/data_docs/index.html").read_text()


def test_a_broken_rule_stops_the_run_and_is_named_by_table_rule_and_position(tmp_path: Path) -> None:
    ws = ingested(tmp_path, {("calls", "duration_s"): {3: -1, 5: -2}})
    with pytest.raises(ContractError) as stopped:
        check.run(PARAMS, ws)
    said = "calls: 'duration_s is at least 0 and at most 86,400' fails in 2 of 66 rows, at 3, 5"
    assert said in str(stopped.value)
    assert stopped.value.exit_code == 8
    told = json.loads((tmp_path / "check/check.json").read_text())
    fault = next(r for t in told["tables"] if t["table"] == "calls" for r in t["rules"] if r["status"] == "broken")
    assert (fault["faults"], fault["positions"]) == (2, [3, 5])
    assert "duration_s is at least 0" in (tmp_path / "check/check.html").read_text()


def test_no_value_of_a_row_is_told_anywhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    ws = ingested(tmp_path, DAMAGE)
    with pytest.raises(ContractError) as stopped:
        check.run(PARAMS, ws)
    told = {"message": str(stopped.value), "output": "".join(capfd.readouterr()), "log": caplog.text}
    told |= {name: content.decode() for name, content in written(ws).items()}
    people = tables({})["calls"].column("person_id").to_pylist()
    secrets = re.compile("|".join([CANARY, str(NUMBER), f"{NUMBER:,}", str(YEAR), *set(people)]))
    assert {name: secrets.search(text) for name, text in told.items() if secrets.search(text)} == {}
    assert json.loads(told["check.json"])["faults"] >= len(DAMAGE)


@pytest.mark.parametrize("damage", [{}, DAMAGE], ids=["clean", "damaged"])
def test_two_checks_write_the_same_bytes_with_one_thread_or_two(tmp_path: Path, damage: dict) -> None:
    outputs = []
    for name, threads in (("one", 1), ("two", 2)):
        ws = ingested(tmp_path / name, damage)
        try:
            check.run(PARAMS.model_copy(update={"threads": threads}), ws)
        except ContractError:
            assert damage
        outputs.append(written(ws))
    assert len(outputs[0]) > 10
    assert outputs[0] == outputs[1]


def test_a_check_opens_no_connection_and_its_pages_load_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a check tried to open a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    ws = ingested(tmp_path)
    check.run(PARAMS, ws)
    loads = re.compile(
        r"""<script[^>]+src|(?:src|srcset)\s*=\s*["']?(?:https?:)?//|<link[^>]+//|url\(\s*["']?https?:|@import"""
    )
    pages = {name: content.decode() for name, content in written(ws).items() if name.endswith(".html")}
    assert len(pages) > 8
    assert [name for name, page in pages.items() if loads.search(page)] == []


def test_no_page_of_a_check_keeps_anybody_out_in_light_or_dark(tmp_path: Path) -> None:
    ws = ingested(tmp_path, DAMAGE)
    with pytest.raises(ContractError):
        check.run(PARAMS, ws)
    docs = tmp_path / "check/data_docs"
    result = next((docs / "validations/calls").rglob("*.html"))
    with chromium() as browser:
        for path in (tmp_path / "check/check.html", docs / "index.html", docs / "expectations/calls.html", result):
            assert barriers(browser, path) == []


def test_a_second_check_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    ws = ingested(tmp_path)
    check.run(PARAMS, ws)
    (tmp_path / "ingest/brand_events.parquet").unlink()
    check.run(PARAMS, ws)
    assert "brand_events" not in " ".join(written(ws))
    assert sorted(p.name for p in (tmp_path / "check").iterdir()) == ["check.html", "check.json", "data_docs"]


def test_without_ingest_the_stage_to_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="run `saakh ingest` first"):
        check.run(PARAMS, Workspace(tmp_path))


@pytest.mark.parametrize("keep", [0.5, 0.0], ids=["cut short", "emptied"])
def test_a_damaged_table_is_unreadable(tmp_path: Path, keep: float) -> None:
    ws = ingested(tmp_path)
    path = tmp_path / "ingest/calls.parquet"
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(UnreadableInputError, match=r"calls\.parquet"):
        check.run(PARAMS, ws)


def test_a_table_damaged_in_its_middle_is_unreadable(tmp_path: Path) -> None:
    ws = ingested(tmp_path)
    path = tmp_path / "ingest/calls.parquet"
    content = path.read_bytes()
    path.write_bytes(content[:40] + bytes(len(content[40:200])) + content[200:])
    with pytest.raises(UnreadableInputError):
        check.run(PARAMS, ws)
    assert not (tmp_path / "check").exists()


def test_an_ingest_without_applications_is_a_matter_of_the_mapping(tmp_path: Path) -> None:
    ws = ingested(tmp_path)
    (ws.stage("ingest") / "applications.parquet").unlink()
    with pytest.raises(ContractError, match="add a source for it to the mapping"):
        check.run(PARAMS, ws)
