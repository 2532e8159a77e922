"""Derive: what each application's consented past says, one row per application, one column per feature and slice."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.catalogue import fingerprint
from features.columns import Table
from features.declare import Feature
from features.joined import JOINED
from features.plan import reads_by_table
from features.tables import EVENT_TABLES
from features.windows import CALENDAR, DAY_S, Calendar
from pipeline.arrays.batch import InMemory
from pipeline.engines import Engine, open_engine, write_batches, write_table
from pipeline.garbage import seldom_collected
from pipeline.gate import NO_BOUNDS, Bounds, openings
from pipeline.graph.columns import beside, graph_columns
from pipeline.measure import COVERED, Batch, OnEngine, Shown, Watch
from pipeline.params import Params
from pipeline.question import Question, asked
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, write_json

KEY = "application_id"
STATUSES = ("present", "silent", "closed", "absent", "barred")
COHORT = (KEY, "person_id", "snapshot_at", "asked_at")
Account = dict[str, Any]
COVERAGE = (KEY, "source", "status", "rows_seen", "days_seen", "last_lag_days")
BATCH_EVENTS_PER_GB = 2_000_000
"""Events measured together for each gigabyte of memory: more would spill, fewer would start too often."""


@dataclass(frozen=True)
class Derived:
    """What the stage makes of a batch of people, sorted by person and application.

    `matrix` has one row an application and one column a feature and slice, `coverage` one an application and source;
    `too_late` counts, by table, the consented events that happened or were received too late to be seen.
    """

    matrix: pa.Table
    coverage: pa.Table
    too_late: Mapping[str, int]


def derive(
    engine: Engine,
    cohort: pa.Table,
    consents: ir.Table,
    events: Mapping[str, ir.Table],
    features: Sequence[Feature],
    purpose: str,
    calendar: Calendar = CALENDAR,
    tell: Tell = quiet,
    bounds: Bounds = NO_BOUNDS,
) -> Derived:
    """The feature matrix and the coverage of its sources, of one batch.

    Args:
        engine: where to compute.
        cohort: `application_id`, `person_id`, `snapshot_at`, `asked_at`.
        consents: the canonical consents.
        events: canonical tables by name; those not there were never ingested.
        features: what to measure.
        purpose: what the data are wanted for.
        calendar: what night and weekend mean.
        tell: hears of each table done.
        bounds: the policy's on artefacts for this purpose.

    A feature is null where its source is closed by refusal or shows nothing at all: missing is not zero. Coverage has a
    row per application and source: `present`, `silent` (open, no event), `closed` (no consent), `absent` (not
    ingested) or `barred` (by policy, and not read), the number of rows and of days seen, and the days since the last.
    """
    question = Question(consents, events, tuple(features), purpose, calendar, bounds)
    return measure(engine, cohort.sort_by([("person_id", "ascending"), (KEY, "ascending")]), question, tell)


def measure(
    engine: Engine, cohort: pa.Table, question: Question, tell: Tell = quiet, watch: Watch | None = None
) -> Derived:
    """The features of a batch of the cohort, in its order; `watch` hears of each step of each plan.

    Each table is measured in memory where the engine's rows are near and the features allow it, else on the engine.
    """
    numbered = cohort.select(COHORT).set_column(0, KEY, pa.array(np.arange(len(cohort))))
    asking = engine.table(numbered, "asking")
    who = asking.select(KEY, "person_id", "asked_at")
    engine.make("opened", openings(who, question.consents, question.purpose, question.bounds))
    opened = engine.named("opened")
    may_show = engine.arrow(opened.select(KEY, "category").distinct(), ["category", KEY])
    batch = Batch(question, asking, opened, cohort["snapshot_at"], reads_by_table(question.features))
    in_memory, on_engine = InMemory(engine, batch, watch), OnEngine(engine, batch, watch)
    columns: dict[str, pa.Array] = {}
    coverage: list[pa.Table] = []
    too_late: dict[str, int] = {}
    tables = (*EVENT_TABLES, *JOINED)
    for done, table in enumerate(tables):
        tell(table.name, done, len(tables))
        features = tuple(f for f in question.features if f.table is table)
        shown = None
        if question.is_ingested(table) and (features or table.name in COVERED):
            shown = in_memory.shown(table, features) or on_engine.shown(table, features)
            columns |= shown.columns
            too_late |= {table.name: shown.late} if table.name in COVERED else {}
        if table.name in COVERED:
            missing = "barred" if table.name in question.barred else "absent"
            coverage.append(_covered(cohort, may_show, table, shown, missing))
    on_engine.close()
    tell("derive", len(tables), len(tables))
    nothing = pa.nulls(len(cohort), pa.float64())
    wanted = {column: columns.get(column, nothing) for f in question.features for column in f.columns}
    return Derived(pa.table({KEY: cohort[KEY], **wanted}), pa.concat_tables(coverage), too_late)


def _covered(cohort: pa.Table, may_show: pa.Table, table: Table, shown: Shown | None, missing: str) -> pa.Table:
    """What each application shows of one source: its status, the rows and days seen, the days since the last.

    `may_show` has the categories that each application may show anything of. `missing` is the status of a table that
    was not read.
    """
    count = len(cohort)
    rows, days, lag = np.zeros(count, np.int64), np.zeros(count, np.int64), np.full(count, -1)
    status = np.full(count, missing, dtype=object)
    if shown is not None and shown.coverage is not None:
        status[:] = "closed"
        status[may_show.filter(pc.equal(may_show["category"], table.category.value))[KEY].to_numpy()] = "silent"
        seen = shown.coverage
        at = seen.applications
        status[at] = "present"
        rows[at], days[at], lag[at] = seen.rows, seen.days, seen.last_age_s // DAY_S
    columns = [[table.name] * count, pa.array(status, pa.string()), rows, days, pa.array(lag, mask=lag < 0)]
    return pa.Table.from_arrays([cohort[KEY].combine_chunks(), *map(pa.array, columns)], names=COVERAGE)


def run(params: Params, ws: Workspace, tell: Tell = quiet, only: Collection[str] | None = None) -> Summary:
    """Read the cohort and every ingested table, write the feature matrix, its specs and the coverage of its sources.

    With `only`, no other columns are measured than these and those that share a feature and a window with one.
    """
    with timed("derive") as summary, closing(open_engine(params)) as engine, seldom_collected():
        cohort = engine.arrow(
            engine.read(ws.need("cohort", "cohort.parquet"), COHORT).select(COHORT), ["person_id", KEY]
        )
        question = asked(params, ws, engine)
        question = question if only is None else question.only(only)
        graph = graph_columns(engine, cohort, question, params)
        batches = Batches(engine, cohort, question, params.memory_gb, tell)
        account = _write(ws, batches, question, graph, params.policy)
        summary.rows_in = account["events_seen"] + sum(account["events_too_late"].values())
        summary.rows_out = account["applications"]
        summary.counts = {
            "features": len(question.features) + len(question.graph),
            "columns": account["columns"],
            "events seen": account["events_seen"],
            "events too late to be seen": sum(account["events_too_late"].values()),
        }
    return summary


@dataclass
class Batches:
    """The cohort measured people by people, so that memory is bounded; what was counted on the way."""

    engine: Engine
    cohort: pa.Table
    question: Question
    memory_gb: float
    tell: Tell

    def __post_init__(self) -> None:
        self.coverage: list[pa.Table] = []
        self.too_late: dict[str, int] = {}

    def __iter__(self) -> Iterator[pa.Table]:
        parts = list(self._parts())
        for done, part in enumerate(parts):
            self.tell("derive", done, len(parts))
            tell = self.tell if len(parts) == 1 else quiet
            derived = measure(self.engine, part, self._of(part, len(parts)), tell)
            self.coverage.append(derived.coverage)
            for name, count in derived.too_late.items():
                self.too_late[name] = self.too_late.get(name, 0) + count
            yield derived.matrix
        self.tell("derive", len(parts), len(parts))

    def _parts(self) -> Iterator[pa.Table]:
        """Stretches of whole people, of about as many events as fit in memory together."""
        events = sum(self.engine.count(rows.count()) for rows in self.question.events.values())
        person = self.cohort["person_id"].to_numpy(zero_copy_only=False)
        firsts = np.flatnonzero(np.r_[True, person[1:] != person[:-1]])
        rows = events * len(person) / len(firsts)  # each application sees its own
        wanted = int(np.ceil(rows / max(1.0, BATCH_EVENTS_PER_GB * self.memory_gb))) or 1
        cuts = [*firsts[np.unique(np.linspace(0, len(firsts), wanted, endpoint=False, dtype=int))], len(self.cohort)]
        for first, last in pairwise(cuts):
            yield self.cohort.slice(first, last - first)

    def _of(self, part: pa.Table, parts: int) -> Question:
        """The question about these people; tables lie in the order of people, so that each reads its own stretch."""
        if parts == 1:
            return self.question
        low, high = part["person_id"][0].as_py(), part["person_id"][-1].as_py()
        events: dict[str, ir.Table] = {}
        for name, rows in self.question.events.items():  # by name, so that what reads it is planned once
            self.engine.view(f"{name}_in_batch", rows.filter(rows.person_id.between(low, high)))
            events[name] = self.engine.named(f"{name}_in_batch")
        return replace(self.question, events=events)


def _write(ws: Workspace, batches: Batches, question: Question, graph: pa.Table, policy: Sequence[str]) -> Account:
    """Write what is derived, and its account, which is returned."""
    folder, specs = ws.stage("derive"), question.specs
    schema = pa.schema([(KEY, pa.string()), *((spec.name, pa.float64()) for spec in specs)])
    stream = (b for part in batches for b in beside(part, graph).cast(schema).to_batches())
    rows = write_batches(folder / "features.parquet", pa.RecordBatchReader.from_batches(schema, stream))
    coverage = pa.concat_tables(batches.coverage)
    write_table(folder / "coverage.parquet", coverage)
    write_json(folder / "specs.json", [spec.as_dict() for spec in specs])
    status = coverage.group_by(["source", "status"], use_threads=False).aggregate([([], "count_all")])
    shares = {t.name: dict.fromkeys(STATUSES, 0) for t in (*EVENT_TABLES, *JOINED) if t.name in COVERED}
    for row in status.to_pylist():
        shares[row["source"]][row["status"]] = row["count_all"]
    account = {
        "applications": rows,
        "columns": len(specs),
        "policies": list(policy),
        "catalogue_fingerprint": fingerprint(specs),
        "events_seen": int(pc.sum(coverage["rows_seen"]).as_py()),
        "events_too_late": batches.too_late,
        "coverage": shares,
    }
    write_json(folder / "derive.json", account)
    return account
