"""Ingest on small drops: every row kept or counted, nothing half-written, no trace of the order of input."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.tables import BY_NAME
from pipeline.canonical import schema
from pipeline.pseudonyms import Pseudonyms
from saakh.errors import (
    ContractError,
    EmptyInputError,
    MappingError,
    MissingInputError,
    SaakhError,
    UnreadableInputError,
)
from tests.lender_drop import GOOD, HEADER, KEY, TIMES, TOPUPS, Drop, mapping


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    return Drop(tmp_path)


def test_a_row_arrives_typed_pseudonymous_and_on_two_clocks(drop: Drop) -> None:
    drop.write("topups.csv", HEADER + GOOD)
    table = drop.ingest(mapping(TOPUPS, time_zone="Asia/Kolkata")).table("topups")
    assert table.schema == schema(BY_NAME["topups"])
    assert table.to_pylist() == [
        {
            "person_id": Pseudonyms(bytes.fromhex(KEY)).one("person", "u1"),
            "event_at": datetime(2026, 1, 5, 4, 30),
            "available_at": datetime(2026, 1, 5, 4, 35),
            "local_at": datetime(2026, 1, 5, 10, 0),
            "amount_minor": 1999,
            "retailer_id": None,
            "bundle": "data",
            "is_advance": False,
        }
    ]


def test_every_faulty_row_is_rejected_by_its_first_rule_with_file_line_and_column(drop: Drop) -> None:
    rows = [
        GOOD,
        GOOD.replace("u1", ""),
        GOOD.replace("2026-01-05 10:00:00", "5 January"),
        GOOD.replace("19.99", "many"),
        GOOD.replace("19.99", "-1"),
        GOOD.replace("data", "coal"),
        GOOD.replace("no", "perhaps"),
        "u1,2026-01-05\n",
        GOOD.replace("2026-01-05 10:00:00", "1999-12-31 23:59:59"),
        GOOD.replace("2026", "2050"),
        GOOD,
        GOOD.replace("19.99", "").replace("data", "coal"),
    ]
    drop.write("topups.csv", HEADER + "".join(rows))
    found = drop.ingest(mapping(TOPUPS))
    assert found.rejects == [
        ("topups.csv", 3, "missing", "user"),
        ("topups.csv", 4, "bad_time", "at"),
        ("topups.csv", 5, "not_a_number", "rupees"),
        ("topups.csv", 6, "out_of_range", "rupees"),
        ("topups.csv", 7, "unknown_value", "kind"),
        ("topups.csv", 8, "unknown_value", "advance"),
        ("topups.csv", 9, "wrong_number_of_fields", ""),
        ("topups.csv", 10, "time_out_of_range", "at"),
        ("topups.csv", 11, "time_out_of_range", "at"),
        ("topups.csv", 12, "duplicate", ""),
        ("topups.csv", 13, "missing", "rupees"),
    ]
    account = found.report["tables"]["topups"]
    assert (account["rows_in"], account["rows_kept"], sum(account["rejected"].values())) == (12, 1, 11)
    assert found.report["rows_in"] == found.report["rows_kept"] + found.report["rows_rejected"] == 12


def test_no_value_of_a_row_and_no_id_leaves_through_the_account(drop: Drop) -> None:
    drop.write("topups.csv", HEADER + GOOD.replace("u1", "+919812345678") + "+919812345678,soon,,1,secret,no\n")
    found = drop.ingest(mapping(TOPUPS))
    for name, content in found.bytes.items():
        for value in (b"919812345678", b"secret", KEY.encode()):
            assert value not in content, name


def test_columns_out_of_the_mapping_are_listed_and_never_read(drop: Drop) -> None:
    drop.write("topups.csv", "note,tower," + HEADER + "hello,7," + GOOD)
    found = drop.ingest(mapping(TOPUPS | {"drop": {"tower": "finer than a cell"}}))
    [file] = found.report["files"]
    assert (file["not_read"], file["dropped"]) == (["note"], {"tower": "finer than a cell"})
    assert not any(b"hello" in content for content in found.bytes.values())


@pytest.mark.parametrize("name", ["topups.csv", "topups.jsonl", "topups.parquet"])
def test_a_refused_column_stops_the_run_before_anything_is_written(drop: Drop, name: str) -> None:
    row = {"user": "u1", "Message_Text": "hi", "at": "2026-01-05", "got": "2026-01-05", "rupees": 1}
    row |= {"kind": "data", "advance": True}
    if name.endswith("parquet"):
        drop.write(name, pa.Table.from_pylist([row]))
    elif name.endswith("jsonl"):
        drop.write(name, json.dumps({k: v for k, v in row.items() if k != "Message_Text"}) + "\n" + json.dumps(row))
    else:
        drop.write(name, ",".join(row) + "\n" + ",".join(map(str, row.values())) + "\n")
    with pytest.raises(ContractError, match=rf"{name} holds Message_Text, which the mapping refuses"):
        drop.ingest(mapping(TOPUPS | {"files": name}, refuse=["message_text"]))
    assert not (drop.root / "run" / "ingest").exists()


def test_the_order_of_rows_and_files_leaves_no_trace_in_the_tables(drop: Drop) -> None:
    rows = [
        GOOD.replace("u1", f"u{n % 7}").replace("19.99", str(n % 5)).replace("05 10", f"0{1 + n % 3} 10")
        for n in range(90)
    ]
    source = TOPUPS | {"files": "topups*.csv"}
    drop.write("topups1.csv", HEADER + "".join(rows))
    once = drop.ingest(mapping(source), to="once")
    drop.write("topups1.csv", HEADER + "".join(sorted(rows[:40])))
    drop.write("topups2.csv", HEADER + "".join(reversed(rows[40:])))
    again = drop.ingest(mapping(source), to="again")
    assert once.bytes["topups.parquet"] == again.bytes["topups.parquet"]
    assert once.bytes["consents.parquet"] == again.bytes["consents.parquet"]
    keys = [tuple(row.values()) for row in once.table("topups").drop_columns("retailer_id").to_pylist()]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_two_runs_give_the_same_bytes(drop: Drop) -> None:
    drop.write("topups.csv", HEADER + GOOD + GOOD + GOOD.replace("u1", "u2"))
    assert drop.ingest(mapping(TOPUPS), to="one").bytes == drop.ingest(mapping(TOPUPS), to="two").bytes


def test_rows_alike_in_part_are_no_duplicates_and_of_equal_ones_the_first_stays(drop: Drop) -> None:
    drop.write("topups.csv", HEADER + GOOD + GOOD.replace("19.99", "20") + GOOD + GOOD.replace("19.99", "20.00"))
    found = drop.ingest(mapping(TOPUPS))
    assert found.column("topups", "amount_minor") == [1999, 2000]
    assert found.rejects == [("topups.csv", 4, "duplicate", ""), ("topups.csv", 5, "duplicate", "")]


def test_two_rows_of_one_key_that_differ_are_kept_for_the_check_to_stop_at(drop: Drop) -> None:
    columns = {"application_id": "loan", "person_id": "user", "applied_at": "at", "is_accepted": "ok"}
    drop.write("loans.csv", "loan,user,at,ok\nL1,u1,2026-01-01,yes\nL1,u1,2026-01-02,yes\nL1,u1,2026-01-01,yes\n")
    found = drop.ingest(mapping({"files": "loans.csv", "table": "applications", "columns": columns}))
    assert found.column("applications", "applied_at") == [datetime(2026, 1, 1), datetime(2026, 1, 2)]
    assert found.rejects == [("loans.csv", 4, "duplicate", "")]


def test_a_repaired_clock_is_counted_and_sets_the_local_time_too(drop: Drop) -> None:
    wrong = GOOD.replace("2026-01-05 10:00:00", "1970-01-01 00:00:00").replace("u1", "u2")
    drop.write("topups.csv", HEADER + GOOD + wrong)
    found = drop.ingest(mapping(TOPUPS | {"clock": {"days_before_receipt_max": 30, "minutes_after_receipt_max": 10}}))
    assert found.report["tables"]["topups"]["clock_repaired"] == 1
    assert set(found.column("topups", "local_at")) == {datetime(2026, 1, 5, 15, 30), datetime(2026, 1, 5, 15, 35)}
    assert found.rejects == []


def test_a_consent_asserted_by_the_source_is_a_row_per_person_category_and_purpose(drop: Drop) -> None:
    drop.write(
        "topups.csv", HEADER + GOOD + GOOD.replace("u1", "u2") + GOOD.replace("u1", "u3").replace("data", "coal")
    )
    found = drop.ingest(mapping(TOPUPS))
    consents = found.table("consents")
    assert consents.schema == schema(BY_NAME["consents"])
    assert consents.num_rows == 2 * 2 * 2
    assert set(consents["basis"].to_pylist()) == {"asserted_by_source"}
    assert set(consents["starts_at"].to_pylist()) == {datetime(2000, 1, 1)}
    assert consents["expires_at"].null_count == 8
    assert found.report["consent"]["basis"] == "asserted_by_source"
    assert found.report["tables"]["consents"]["rows_kept"] == 8


def test_typed_parquet_and_text_give_the_same_table(drop: Drop) -> None:
    drop.write("topups.csv", HEADER + GOOD)
    text = drop.ingest(mapping(TOPUPS), to="text").table("topups")
    row = {"user": "u1", "at": datetime(2026, 1, 5, 10), "got": datetime(2026, 1, 5, 10, 5), "rupees": 19.99}
    drop.write("topups.parquet", pa.Table.from_pylist([row | {"kind": "data", "advance": False}]))
    assert drop.ingest(mapping(TOPUPS | {"files": "topups.parquet"}), to="typed").table("topups").equals(text)


def test_a_table_the_source_left_empty_is_there_and_one_it_does_not_have_is_not(drop: Drop) -> None:
    empty = pa.table(
        {"user": pa.array([], pa.string()), "at": pa.array([], pa.timestamp("us")), "place": pa.array([], pa.string())}
    )
    drop.write("visits.parquet", empty)
    drop.write("topups.csv", HEADER + GOOD)
    columns = {"person_id": "user", "event_at": "at", "available_at": {"like": "event_at"}, "domain_category": "place"}
    visits = {"files": "visits.parquet", "table": "web_visits", "columns": columns | {"duration_s": {"constant": 0}}}
    found = drop.ingest(mapping(TOPUPS, visits))
    assert found.table("web_visits").num_rows == 0
    assert found.table("web_visits").schema == schema(BY_NAME["web_visits"])
    assert not (found.folder / "calls.parquet").exists()


def failing() -> dict[str, tuple[dict[str, Any], dict[str, Any], type[SaakhError], str]]:
    """What is wrong: files, mapping, the error's class and what it says."""
    columns = TOPUPS["columns"] | {"bundle": "kid"}
    content = HEADER + GOOD
    return {
        "column": (
            {"topups.csv": content},
            TOPUPS | {"columns": columns},
            MappingError,
            "unknown column 'kid'; did",
        ),
        "json": ({"t.jsonl": '{"user": 1}\n'}, TOPUPS | {"files": "t.jsonl"}, MappingError, "t.jsonl .*'at'"),
        "no header": ({"topups.csv": GOOD + GOOD}, TOPUPS, MappingError, "none of the columns .* is a header missing"),
        "deep": ({"t.jsonl": "[" * 100_000}, TOPUPS | {"files": "t.jsonl"}, UnreadableInputError, "line 1 is not"),
        "twice": ({"topups.csv": "user," + HEADER + "u," + GOOD}, TOPUPS, ContractError, "user more than once"),
        "no file": ({"other.csv": content}, TOPUPS, MissingInputError, "matches topups.csv"),
        "no rows": ({"topups.csv": HEADER}, TOPUPS, EmptyInputError, "hold no row"),
        "damaged": (
            {"t.parquet": b"PAR1 and no more"},
            TOPUPS | {"files": "t.parquet"},
            UnreadableInputError,
            "t.parquet",
        ),
    }


@pytest.mark.parametrize("what", failing())
def test_a_failed_run_says_why_and_leaves_the_former_one_untouched(drop: Drop, what: str) -> None:
    files, source, kind, said = failing()[what]
    drop.write("topups.csv", HEADER + GOOD)
    before = drop.ingest(mapping(TOPUPS)).bytes
    (drop.root / "raw" / "topups.csv").unlink()
    for name, content in files.items():
        drop.write(name, content)
    with pytest.raises(kind, match=said) as caught:
        drop.ingest(mapping(source))
    assert "u1" not in str(caught.value)
    folder = drop.root / "run"
    assert {path.name: path.read_bytes() for path in (folder / "ingest").iterdir()} == before
    assert [path.name for path in folder.iterdir()] == ["ingest"]


def test_a_file_damaged_in_its_middle_leaves_nothing_behind(drop: Drop) -> None:
    rows = pa.table({name: [f"{name}{n}" for n in range(300_000)] for name in ("user", *TIMES.values())})
    path = drop.write("topups.parquet", rows.append_column("rupees", pa.array([1] * 300_000)))
    content = path.read_bytes()
    path.write_bytes(content[:500] + bytes(len(content) // 2) + content[500 + len(content) // 2 :])
    columns = {"person_id": "user", **TIMES, "amount_minor": "rupees", "bundle": {"constant": "data"}}
    source = {"files": "topups.parquet", "table": "topups", "columns": columns | {"is_advance": {"constant": False}}}
    with pytest.raises(UnreadableInputError, match=r"topups\.parquet cannot be read"):
        drop.ingest(mapping(source))
    assert list((drop.root / "run").iterdir()) == []


def test_null_is_written_for_what_is_missing_and_never_nan(drop: Drop) -> None:
    rows = {"loan": ["a", "b"], "user": ["u", "v"], "at": [datetime(2026, 1, 1)] * 2, "amount": [float("nan"), 5.0]}
    drop.write("loans.parquet", pa.table(rows))
    columns = {"application_id": "loan", "person_id": "user", "applied_at": "at", "is_accepted": {"constant": True}}
    columns["amount_minor"] = {"from": "amount", "unit": "major"}
    found = drop.ingest(mapping({"files": "loans.parquet", "table": "applications", "columns": columns}))
    assert sorted(found.column("applications", "amount_minor"), key=str) == [500, None]
    assert pq.read_schema(found.folder / "applications.parquet").field("amount_minor").type == pa.int64()


def test_an_empty_field_is_missing_whatever_else_means_missing(drop: Drop) -> None:
    drop.write("topups.csv", HEADER + GOOD.replace("u1", "") + GOOD.replace("u1", "NA") + GOOD)
    found = drop.ingest(mapping(TOPUPS | {"missing": ["NA"]}))
    assert found.rejects == [("topups.csv", 2, "missing", "user"), ("topups.csv", 3, "missing", "user")]
