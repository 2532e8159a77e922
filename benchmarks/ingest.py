"""How fast a drop comes in, from Parquet and from CSV: `python -m benchmarks.ingest [rows] [threads]`."""

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from pipeline import ingest
from pipeline.workspace import Workspace
from tests.lender_drop import Drop, mapping

COLUMNS = {
    "person_id": "person",
    "event_at": "at",
    "available_at": "got",
    "contact_id": "contact",
    "direction": "direction",
    "duration_s": "duration",
    "is_answered": "answered",
}


def calls(rows: int) -> pa.Table:
    """Calls of people with 400 calls and 40 contacts each, in no order."""
    drawn = np.random.default_rng(1)
    people = max(1, rows // 400)
    caller, at = drawn.integers(0, people, rows), drawn.integers(1_735_689_600, 1_780_000_000, rows)
    times = [pa.array(at + late).cast(pa.timestamp("s", "UTC")) for late in (0, 600)]
    names = pa.array([f"P{n:08d}" for n in range(people)]), pa.array([f"+91{n:010d}" for n in range(40 * people)])
    return pa.table(
        {
            "person": names[0].take(pa.array(caller)),
            "at": times[0],
            "got": times[1],
            "contact": names[1].take(pa.array(caller * 40 + drawn.integers(0, 40, rows))),
            "direction": pa.array(["in", "out"]).take(pa.array(drawn.integers(0, 2, rows))),
            "duration": pa.array(drawn.integers(0, 300, rows)),
            "answered": pa.array(drawn.integers(0, 2, rows).astype(bool)),
        }
    )


def measure(drop: Drop, name: str, threads: int) -> None:
    """Ingest one file and print the figures."""
    source: dict[str, Any] = {"files": name, "table": "calls", "columns": COLUMNS}
    params = drop.params(mapping(source)).model_copy(update={"threads": threads})
    start, used = time.perf_counter(), time.process_time()
    summary = ingest.run(params, Workspace(drop.root / "run"))
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    speed = f"{summary.rows_in / seconds:,.0f} rows/s ({summary.rows_in / processor:,.0f} a second of processor)"
    print(f"{name}: {summary.rows_in:,} rows in {seconds:.1f} s, {speed}, {threads} threads, peak {peak:,.0f} MB")


def main(rows: int = 4_000_000, threads: int = 2) -> None:
    """Measure each format after a small run that loads what is loaded once."""
    with tempfile.TemporaryDirectory() as scratch:
        drop = Drop(Path(scratch))
        drop.write("warm.parquet", calls(1_000))
        table = calls(rows)
        pq.write_table(table, drop.root / "raw" / "calls.parquet", row_group_size=1 << 18)
        pacsv.write_csv(table, drop.root / "raw" / "calls.csv")
        del table
        for name in ("warm.parquet", "calls.parquet", "calls.csv"):
            measure(drop, name, threads)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
