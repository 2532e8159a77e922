"""Derive: what each application's consented past says, one row per application, one column per feature and slice."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise
from time import perf_counter
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.catalogue import fingerprint
from features.columns import Kind, Table
from features.declare import Feature
from features.joined import BUILD, JOINED, STACKED
from features.plan import plan, told
from features.reduce import KEY as NUMBER
from features.steps import Plan
from features.tables import EVENT_TABLES
from features.windows import CALENDAR, CLOCK, DAY_S, Calendar
from pipeline import asof
from pipeline.engines import Engine, open_engine, write_batches, write_table
from pipeline.garbage import seldom_collected
from pipeline.gate import NO_BOUNDS, Bounds, openings
from pipeline.graph.columns import beside, graph_columns
from pipeline.measure import Taken, Watch, measured, present
from pipeline.params import Params
from pipeline.question import Question, asked
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, write_json

KEY = "application_id"
CATEGORIES = {table.category for table in EVENT_TABLES}
COVERED = {t.name for t in EVENT_TABLES} | {t.name for t in JOINED if t.category not in CATEGORIES}
"""The tables whose coverage is told: those ingested, and those made of others that have a category of their own."""
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
    """The features of a batch of the cohort, in its order; `watch` hears of each step of each plan."""
    numbered = cohort.select(COHORT).set_column(0, KEY, pa.array(np.arange(len(cohort))))
    asking = engine.table(numbered, "asking")
    who = asking.select(KEY, "person_id", "asked_at")
    engine.make("opened", openings(who, question.consents, question.purpose, question.bounds))
    opened = engine.named("opened")
    may_show = engine.arrow(opened.select(KEY, "category").distinct(), ["category", KEY])
    columns: dict[str, pa.Array] = {}
    coverage: list[pa.Table] = []
    too_late: dict[str, int] = {}
    tables = (*EVENT_TABLES, *JOINED)
    reads = _reads(question.features)
    for done, table in enumerate(tables):
        tell(table.name, done, len(tables))
        features = tuple(f for f in question.features if f.table is table)
        needed = reads.get(table.name) or plan(table, features).reads
        rows = _rows(engine, table, question, asking, opened, needed)
        if rows is not None and (features or table.name in COVERED):
            is_kept = not _is_stacked(table, question.events)
            seen, late = see(engine, rows, plan(table, features), watch, is_kept=is_kept)
            columns |= measured(engine, plan(table, features), len(cohort), watch) if seen else {}
            too_late |= {table.name: late} if table.name in COVERED else {}
        if table.name in COVERED:
            missing = "barred" if table.name in question.barred else "absent"
            coverage.append(_covered(engine, cohort, may_show, table, missing if rows is None else ""))
    made = [t.name for t in tables if not _is_stacked(t, question.events)]
    engine.drop(*(f"{name}_consented" for name in made), *(f"{t.name}_applicants" for t in tables))
    tell("derive", len(tables), len(tables))
    nothing = pa.nulls(len(cohort), pa.float64())
    wanted = {column: columns.get(column, nothing) for f in question.features for column in f.columns}
    return Derived(pa.table({KEY: cohort[KEY], **wanted}), pa.concat_tables(coverage), too_late)


def _reads(features: Sequence[Feature]) -> Mapping[str, tuple[str, ...]]:
    """The columns of each table's as-of rows that are read, by its own plan or by that of a table stacked of it."""
    by_table: dict[Table, list[Feature]] = {}
    for feature in features:
        by_table.setdefault(feature.table, []).append(feature)
    reads = {table.name: plan(table, tuple(some)).reads for table, some in by_table.items()}
    for table in JOINED:
        for source in table.sources if table.name in STACKED and table.name in reads else ():
            reads[source] = tuple(dict.fromkeys([*reads.get(source, ()), *reads[table.name]]))
    return reads


def _is_stacked(table: Table, events: Mapping[str, ir.Table]) -> bool:
    """Whether a table's as-of rows are those of its sources, stacked."""
    return table.name in STACKED and table.name not in events and set(table.sources) <= set(events)


def _rows(
    engine: Engine, table: Table, question: Question, asking: ir.Table, opened: ir.Table, reads: Sequence[str]
) -> ir.Table | None:
    """Consented rows of a table with their clock and `is_past`; None when it was not ingested."""
    events = question.events
    if _is_stacked(table, events):
        return BUILD[table.name]({name: engine.named(f"{name}_consented") for name in table.sources})
    if table.name in events:
        rows = events[table.name]
    elif table.sources and set(table.sources) <= set(events):
        rows = BUILD[table.name](events)
    else:
        return None
    consented = asof.consented(asking, opened, rows, table).rename({NUMBER: KEY})
    known = [c for c in dict.fromkeys([*reads, "age_s", "day"]) if c in table.by_name or c in CLOCK]
    pseudonyms = [c.name for c in table.columns if c.kind is Kind.PSEUDONYM and c.name in known]
    return told(engine.coded(consented, pseudonyms), table, question.calendar, (*known, "is_past"))


def see(
    engine: Engine, rows: ir.Table, drawn: Plan, watch: Watch | None = None, *, is_kept: bool = True
) -> tuple[int, int]:
    """Make what a plan reads: the as-of rows, and who has any; returns how many they are, and how many came too late.

    The rows are kept, once computed, unless they are but those of other tables stacked.
    """
    table, began = drawn.table, perf_counter()
    (engine.make if is_kept else engine.view)(f"{table.name}_consented", rows)
    kept = engine.named(f"{table.name}_consented")
    past = kept.filter(kept.is_past)
    engine.view(drawn.seen, past.select(NUMBER, *drawn.reads))
    engine.make(drawn.applicants, present(past) if table.name in COVERED else past.select(NUMBER).distinct())
    counted = engine.arrow(kept.group_by("is_past").aggregate(rows=kept.count()), ["is_past"]).to_pylist()
    rows_of = {count["is_past"]: count["rows"] for count in counted}
    if watch:
        watch(Taken(table.name, drawn.seen, "as-of rows", rows_of.get(True, 0), perf_counter() - began))
    return rows_of.get(True, 0), rows_of.get(False, 0)


def _covered(engine: Engine, cohort: pa.Table, may_show: pa.Table, table: Table, missing: str) -> pa.Table:
    """What each application shows of one source: its status, the rows and days seen, the days since the last.

    `may_show` has the categories that each application may show anything of. `missing` is the status of a table that
    was not read; empty for one that was.
    """
    count = len(cohort)
    rows, days, lag = np.zeros(count, np.int64), np.zeros(count, np.int64), np.full(count, -1)
    status = np.full(count, missing, dtype=object)
    if not missing:
        status[:] = "closed"
        status[may_show.filter(pc.equal(may_show["category"], table.category.value))[KEY].to_numpy()] = "silent"
        who = engine.arrow(engine.named(f"{table.name}_applicants"), [NUMBER])
        at = who[NUMBER].to_numpy()
        status[at] = "present"
        rows[at], days[at] = who["rows_seen"].to_numpy(), who["days_seen"].to_numpy()
        lag[at] = who["last_age_s"].to_numpy() // DAY_S
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
        wanted = int(np.ceil(events / max(1.0, BATCH_EVENTS_PER_GB * self.memory_gb))) or 1
        person = self.cohort["person_id"].to_numpy(zero_copy_only=False)
        firsts = np.flatnonzero(np.r_[True, person[1:] != person[:-1]])
        cuts = [*firsts[np.unique(np.linspace(0, len(firsts), wanted, endpoint=False, dtype=int))], len(self.cohort)]
        for first, last in pairwise(cuts):
            yield self.cohort.slice(first, last - first)

    def _of(self, part: pa.Table, parts: int) -> Question:
        """The question about these people; tables lie in the order of people, so that each reads its own stretch."""
        if parts == 1:
            return self.question
        low, high = part["person_id"][0].as_py(), part["person_id"][-1].as_py()
        events = {n: t.filter(t.person_id.between(low, high)) for n, t in self.question.events.items()}
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
