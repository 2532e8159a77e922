"""Nothing is lost silently: whatever a file holds, rows in = rows kept + rows rejected, and each line once."""

import os
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lender_drop import HEADER, TOPUPS, Drop, mapping

EXAMPLES = int(os.environ.get("SAAKH_EXAMPLES", "30"))
PEOPLE = st.sampled_from(["u1", "u2", "", " u1 ", "NULL"])
TIMES = st.sampled_from(
    [
        "2026-01-05 10:00:00",
        "2026-01-05T10:00:00Z",
        "2026-01-06",
        "1970-01-01",
        "2051-01-01",
        "5/1/2026",
        "",
        "2026-02-30",
    ]
)
AMOUNTS = st.sampled_from(["1", "1.0", "2.50", "-3", "1e999", "nan", "ten", "", '"1,5"', " 4"])
KINDS = st.sampled_from(["data", "Data", "talk", "coal", "", "DATA "])
FLAGS = st.sampled_from(["yes", "0", "", "maybe"])
ROWS = st.tuples(PEOPLE, TIMES, TIMES, AMOUNTS, KINDS, FLAGS).map(",".join)
BROKEN = st.sampled_from(["", ",", "u1,2026-01-05", "a,b,c,d,e,f,g"])
GOOD = st.sampled_from(["u1,2026-01-05,2026-01-05,1,data,yes", "u2,2026-01-05,2026-01-06,2,talk,no"])
LINES = st.lists(st.one_of(ROWS, GOOD, BROKEN), min_size=1, max_size=40)
CLOCK = {"days_before_receipt_max": 30, "minutes_after_receipt_max": 10}


@settings(max_examples=EXAMPLES, deadline=None)
@given(lines=LINES, clock=st.booleans())
def test_rows_in_are_rows_kept_and_rows_rejected_each_by_one_rule(lines: list[str], clock: bool) -> None:
    source = TOPUPS | ({"clock": CLOCK} if clock else {})
    with TemporaryDirectory() as folder:
        drop = Drop(Path(folder))
        drop.write("topups.csv", HEADER + "\n".join(lines) + "\n")
        found = drop.ingest(mapping(source))
        table, rejects, account = found.table("topups"), found.rejects, found.report["tables"]["topups"]
    assert account["rows_in"] == len(lines)
    assert account["rows_kept"] == table.num_rows
    assert account["rejected"] == Counter(rule for _, _, rule, _ in rejects)
    assert len({line for _, line, _, _ in rejects}) == len(rejects) == len(lines) - table.num_rows
    assert all(2 <= line <= len(lines) + 1 for _, line, _, _ in rejects)
    kept = table.to_pylist()
    assert all(row["event_at"] <= row["available_at"] for row in kept)
    assert all(value is not None for row in kept for name, value in row.items() if name != "retailer_id")
    assert len({tuple(row.values()) for row in kept}) == len(kept)


@settings(max_examples=EXAMPLES // 4, deadline=None)
@given(lines=LINES, seed=st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_no_table(lines: list[str], seed: Random) -> None:
    shuffled = list(lines)
    seed.shuffle(shuffled)
    with TemporaryDirectory() as folder:
        drop = Drop(Path(folder))
        drop.write("topups.csv", HEADER + "\n".join(lines) + "\n")
        once = drop.ingest(mapping(TOPUPS), to="once").bytes
        drop.write("topups.csv", HEADER + "\n".join(shuffled) + "\n")
        again = drop.ingest(mapping(TOPUPS), to="again").bytes
    assert once["topups.parquet"] == again["topups.parquet"]
    assert once["consents.parquet"] == again["consents.parquet"]
