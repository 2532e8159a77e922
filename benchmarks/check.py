"""How long a check takes, import of Great Expectations included: `python -m benchmarks.check [rows] [threads]`."""

import json
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from pipeline.engines import write_table
from pipeline.ingest.account import REJECTS
from pipeline.params import Params
from pipeline.workspace import Workspace
from tests.valid_tables import valid_tables


def main(rows: int = 1_300_000, threads: int = 2) -> None:
    """Write clean canonical tables of so many rows, check them in this fresh process, and print the figures."""
    with tempfile.TemporaryDirectory() as scratch:
        ws, accounts = Workspace(Path(scratch)), {}
        for name, table in valid_tables(rows).items():
            write_table(ws.stage("ingest") / f"{name}.parquet", table)
            accounts[name] = {"rows_in": table.num_rows, "rows_kept": table.num_rows, "rejected": {}}
        write_table(ws.stage("ingest") / "rejects.parquet", REJECTS.empty_table())
        (ws.stage("ingest") / "ingest.json").write_text(json.dumps({"tables": accounts}))
        start, used = time.perf_counter(), time.process_time()
        from pipeline import check  # noqa: PLC0415 - its import is part of what is measured

        summary = check.run(
            Params(policy="explicit-consent", as_of=datetime(2026, 6, 1, tzinfo=UTC), threads=threads), ws
        )
        seconds, processor = time.perf_counter() - start, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts = ", ".join(f"{count:,} {what}" for what, count in summary.counts.items())
    print(f"{summary.rows_in:,} rows, {counts}, {threads} threads")
    print(f"{seconds:.1f} s ({processor:.1f} s of processor), peak {peak:,.0f} MB with the making of the tables")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
