"""Init: a first mapping that is honest about what it does not know, and shows nobody's values."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from pipeline.init import draft
from saakh.errors import ConfigError, MissingInputError


def drafted(folder: Path, out: Path) -> tuple[dict[str, Any], str]:
    draft(folder, out)
    return yaml.safe_load(out.read_text()), out.read_text()


def test_columns_units_and_values_are_guessed_from_names(tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    rows = "".join(f"C{n},17676090{n:02d},{('INCOMING', 'OUTGOING')[n % 2]},+91{n},1.5,Y,\n" for n in range(20))
    head = "customer_id,timestamp,call_type,other_number,duration_minutes,is_answered,tower\n"
    (folder / "calls_2026-01.csv").write_text(head + rows)
    (folder / "calls_2026-02.csv").write_text(head + rows)
    content, text = drafted(folder, tmp_path / "m.yaml")
    [calls] = content["sources"]
    assert calls == {
        "files": "calls_*.csv",
        "table": "calls",
        "columns": {
            "person_id": "customer_id",
            "event_at": {"from": "timestamp", "unit": "seconds"},
            "contact_id": "other_number",
            "direction": {"from": "call_type", "values": {"INCOMING": "in", "OUTGOING": "out"}},
            "duration_s": {"from": "duration_minutes", "unit": "minutes"},
            "is_answered": "is_answered",
            "available_at": {"like": "event_at"},
        },
    }
    assert "# not read: tower" in text
    assert content["consent"]["categories"] == ["communication"]


def test_a_value_of_few_rows_is_never_shown(tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    rows = "".join(f"u{n},{'repaid' if n < 9 else 'Settled by uncle'}\n" for n in range(12))
    (folder / "loans.csv").write_text("user_id,loan_outcome\n" + rows)
    content, text = drafted(folder, tmp_path / "m.yaml")
    assert content["sources"][0]["columns"]["outcome"] == {"from": "loan_outcome", "values": {"repaid": "good"}}
    assert "uncle" not in text
    assert "u1" not in text


def test_what_is_not_known_is_marked_to_be_settled(tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    (folder / "fixes").mkdir(parents=True)
    (folder / "qqq.csv").write_text("alpha,beta\n1,2\n")
    fixes = {"user": ["a"], "lat": [1.0], "lng": [2.0], "date": ["31/12/2025"], "full_name": ["x"], "tags": [[1]]}
    pq.write_table(pa.table(fixes), folder / "fixes" / "part-0.parquet")
    content, text = drafted(folder, tmp_path / "m.yaml")
    known, unknown = content["sources"]
    assert known["files"] == "fixes/*.parquet"
    assert known["location"] == {"latitude": "lat", "longitude": "lng", "cell_degrees": 0.02}
    assert known["columns"]["event_at"] == {"from": "date", "format": "%d/%m/%Y"}
    assert (unknown["table"], unknown["columns"]) == ("TODO", {})
    assert "# TODO refused: full_name." in text
    assert "# TODO day first, or month first?" in text


def test_stored_times_need_no_guess_and_files_of_two_shapes_are_two_sources(tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    (folder / "payments").mkdir(parents=True)
    pq.write_table(pa.table({"user": ["a"], "time": [datetime(2026, 1, 1)]}), folder / "payments" / "a.parquet")
    pq.write_table(pa.table({"user": ["a"], "amount_paise": [5]}), folder / "payments" / "b.parquet")
    content, _ = drafted(folder, tmp_path / "m.yaml")
    first, second = content["sources"]
    assert (first["files"], second["files"]) == ("payments/a.parquet", "payments/b.parquet")
    assert first["columns"]["event_at"] == "time"
    assert second["columns"]["amount_minor"] == "amount_paise"


def test_a_mapping_is_never_overwritten_and_an_empty_folder_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("mine")
    with pytest.raises(ConfigError, match="there already"):
        draft(tmp_path, tmp_path / "m.yaml")
    with pytest.raises(MissingInputError, match="no file in"):
        draft(tmp_path, tmp_path / "n.yaml")


@pytest.mark.parametrize("name", ["topups.csv", "unknown.csv"])
@pytest.mark.parametrize(
    "row", ["asha,+919812345678,talk", "asha,2026-01-05T10:00:00Z,talk", "asha,19.99,talk", "asha,asha@example.org"]
)
def test_a_row_in_place_of_a_header_is_not_repeated(tmp_path: Path, name: str, row: str) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / name).write_text(f"{row}\n{row}\n")
    draft(tmp_path / "drop", tmp_path / "mine.yaml")
    text = (tmp_path / "mine.yaml").read_text()
    assert "is a header missing?" in text
    assert not [value for value in row.split(",")[:2] if value in text]


def test_a_column_name_of_two_lines_leaves_the_draft_readable(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop/topups.csv").write_text('user,"two\nlines"\nu1,x\n')
    draft(tmp_path / "drop", tmp_path / "mine.yaml")
    assert yaml.safe_load((tmp_path / "mine.yaml").read_text())["sources"][0]["table"] == "topups"


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_the_delimiter_is_seen_in_the_header(tmp_path: Path, mark: str) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop/topups.csv").write_text(f"user{mark}amount_rupees\nu1{mark}5\n")
    [source] = drafted(tmp_path / "drop", tmp_path / "mine.yaml")[0]["sources"]
    assert source["delimiter"] == mark
    assert source["columns"]["person_id"] == "user"
