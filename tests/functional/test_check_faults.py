"""Two hundred planted faults of ten kinds are all found, each at its place, and clean data never stops the run.

`make test` runs it on 100,000 rows, `make prove` (SAAKH_FULL=1) on a million.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from pipeline.check import validate
from pipeline.check.report import Report
from pipeline.check.tables import Arrival, Limits
from pipeline.engines import Embedded, Engine
from tests.conftest import Claim
from tests.valid_tables import changed, valid_tables

ROWS = 1_000_000 if os.environ.get("SAAKH_FULL") else 100_000
EACH = 20
LIMITS = Limits(datetime(2026, 6, 1, tzinfo=UTC), rejected_share_max=0.05, freshness_days_max=30)

Tables = dict[str, pa.Table]
Places = list[int]


@dataclass(frozen=True)
class Kind:
    """A kind of fault: the table it is planted in, the rule it breaks, and the table with it at some places."""

    table: str
    claim: str
    plant: Callable[[pa.Table, Places], pa.Table]
    is_copy: bool = False


def sets(column: str, value: object) -> Callable[[pa.Table, Places], pa.Table]:
    return lambda table, places: changed(table, column, dict.fromkeys(places, value))


def moves(column: str, base: str, by: int | timedelta) -> Callable[[pa.Table, Places], pa.Table]:
    """Sets a column to another one plus so much."""
    return lambda table, places: changed(table, column, {p: table.column(base)[p].as_py() + by for p in places})


def repeats(table: pa.Table, places: Places) -> pa.Table:
    return pa.concat_tables([table, table.take(places)])


KINDS = (
    Kind("calls", "contact_id is never missing", sets("contact_id", None)),
    Kind("messages", "person_id is a pseudonym of 32 hexadecimal characters", sets("person_id", "canary" * 5 + "x1")),
    Kind("payments", "direction is one of in, out", sets("direction", "sideways")),
    Kind("devices", "brand is a slug of at most 24 characters", sets("brand", "Mango Phone")),
    Kind("app_sessions", "duration_s is at least 0 and at most 86,400", sets("duration_s", 86_401)),
    Kind("web_visits", "event_at ≤ available_at", moves("available_at", "event_at", -timedelta(microseconds=1))),
    Kind("locations", "local_at is within 14 hours of event_at", moves("local_at", "event_at", timedelta(hours=15))),
    Kind("topups", "no two rows are the same", repeats, is_copy=True),
    Kind("data_usage", "bytes_night ≤ bytes_total", moves("bytes_night", "bytes_total", 1)),
    Kind("repayments", "the application is known and the same person's", sets("person_id", "f" * 32)),
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Embedded(threads=2, memory_gb=2.0)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def clean() -> Tables:
    return valid_tables(ROWS)


def test_clean_data_never_stops_the_run(engine: Engine, clean: Tables, claim: Claim) -> None:
    start = time.perf_counter()
    report = check(engine, clean)
    seconds = time.perf_counter() - start
    figures = f"{report.faults} of {report.rows:,} rows, {report.rules} rules, {seconds:.1f} s"
    claim("check: false stops on clean data", "0", figures)
    assert [(t.table, o.rule.claim) for t in report.tables for o in t.broken] == []


def test_two_hundred_planted_faults_are_all_found(engine: Engine, clean: Tables, claim: Claim) -> None:
    tables, faults = dict(clean), []
    rng = np.random.default_rng(7)
    for kind in KINDS:
        rows = clean[kind.table].num_rows
        places = sorted(rng.choice(rows, EACH, replace=False).tolist())
        tables[kind.table] = kind.plant(clean[kind.table], places)
        faults += [(kind, {p, rows + i} if kind.is_copy else {p}) for i, p in enumerate(places)]
    report = check(engine, tables)
    found = {(t.table, o.rule.claim): set(o.positions) for t in report.tables for o in t.broken}
    caught = sum(places <= found.get((kind.table, kind.claim), set()) for kind, places in faults)
    false = sum(map(len, found.values())) - sum(len(places) for _, places in faults)
    figures = f"{caught} of {len(faults)} of {len(KINDS)} kinds in {report.rows:,} rows, {false} false"
    claim("check: planted faults found", "200 of 200", figures)
    assert (caught, len(faults), false) == (200, 200, 0)


def check(engine: Engine, tables: Tables) -> Report:
    arrivals = {name: Arrival(t.num_rows, t.num_rows, 0, t.num_rows, 0) for name, t in tables.items()}
    there = {name: engine.table(t, name) for name, t in tables.items()}
    return validate(engine, there, LIMITS, arrivals)
