"""Measure a batch's features of one table on an engine: run its plan, and stand its long results up as columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.columns import Kind, Table
from features.declare import Feature
from features.joined import BUILD, JOINED, STACKED
from features.plan import plan, told
from features.reduce import KEY
from features.steps import Plan, Result
from features.tables import EVENT_TABLES
from features.windows import CLOCK
from models.arrays import Floats
from pipeline import asof
from pipeline.engines import Engine
from pipeline.question import Question
from saakh.errors import ContractError

CATEGORIES = {table.category for table in EVENT_TABLES}
COVERED = {t.name for t in EVENT_TABLES} | {t.name for t in JOINED if t.category not in CATEGORIES}
"""The tables whose coverage is told: those ingested, and those made of others that have a category of their own."""
Whole = np.ndarray[tuple[int], np.dtype[np.int64]]
Reads = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Taken:
    """What one step of measuring a table took: rows made, seconds, and whether it was done in memory."""

    table: str
    name: str
    kind: str
    rows: int
    seconds: float
    is_in_memory: bool = False


Watch = Callable[[Taken], None]


@dataclass(frozen=True)
class Coverage:
    """Which applications have rows of a table: how many, on how many days, and how old the youngest is."""

    applications: Whole
    rows: Whole
    days: Whole
    last_age_s: Whole


@dataclass(frozen=True)
class Shown:
    """What a batch shows of one table.

    `columns` are those of features, null where nothing was measured; `late` rows happened or were received too late to
    be seen. A table made of others, of their category, has no coverage of its own.
    """

    coverage: Coverage | None
    late: int
    columns: Mapping[str, pa.Array]


@dataclass(frozen=True)
class Batch:
    """Whose events may be seen: `asking` numbers the applications, `opened` says what their consents open of what.

    `snapshots` are theirs, in their order; `reads` are the columns that features read, by table.
    """

    question: Question
    asking: ir.Table
    opened: ir.Table
    snapshots: pa.ChunkedArray
    reads: Reads

    def consented(self, rows: ir.Table, table: Table) -> ir.Table:
        """Rows whose time consent opens, by the number of the application, with `is_past`."""
        return asof.consented(self.asking, self.opened, rows, table).rename({KEY: "application_id"})


class OnEngine:
    """Measuring by an engine's own queries, wherever it computes."""

    def __init__(self, engine: Engine, batch: Batch, watch: Watch | None = None) -> None:
        self.engine, self.batch, self.watch = engine, batch, watch
        self._seen: set[str] = set()
        self._made: list[str] = []

    def shown(self, table: Table, features: tuple[Feature, ...]) -> Shown:
        """What a table that was ingested shows."""
        drawn = plan(table, features)
        late = self._see(self._rows(table, self.batch.reads.get(table.name) or drawn.reads), drawn)
        applicants = self.engine.named(drawn.applicants)
        who = [column.to_numpy() for column in self.engine.arrow(applicants, [KEY]).columns]
        columns = measured(self.engine, drawn, len(self.batch.snapshots), self.watch) if len(who[0]) else {}
        return Shown(Coverage(*who) if table.name in COVERED else None, late, columns)

    def close(self) -> None:
        """Forget the tables that were made."""
        self.engine.drop(*self._made)

    def _is_stacked(self, table: Table) -> bool:
        """Whether a table's as-of rows are those of its sources, which are there, stacked."""
        events = self.batch.question.events
        return table.name in STACKED and table.name not in events and set(table.sources) <= self._seen

    def _rows(self, table: Table, reads: Sequence[str]) -> ir.Table:
        """Consented rows of a table with their clock and `is_past`."""
        question = self.batch.question
        if self._is_stacked(table):
            return BUILD[table.name]({name: self.engine.named(f"{name}_consented") for name in table.sources})
        consented = self.batch.consented(question.rows(table), table)
        known = [c for c in dict.fromkeys([*reads, "age_s", "day"]) if c in table.by_name or c in CLOCK]
        pseudonyms = [c.name for c in table.columns if c.kind is Kind.PSEUDONYM and c.name in known]
        return told(self.engine.coded(consented, pseudonyms), table, question.calendar, (*known, "is_past"))

    def _see(self, rows: ir.Table, drawn: Plan) -> int:
        """Make what a plan reads: the as-of rows, and who has any; returns how many came too late.

        The rows are kept, once computed, unless they are but those of other tables stacked.
        """
        engine, table, began = self.engine, drawn.table, perf_counter()
        if self._is_stacked(table):
            engine.view(f"{table.name}_consented", rows)
        else:
            engine.make(f"{table.name}_consented", rows)
            self._seen.add(table.name)
            self._made.append(f"{table.name}_consented")
        kept = engine.named(f"{table.name}_consented")
        past = kept.filter(kept.is_past)
        engine.view(drawn.seen, past.select(KEY, *drawn.reads))
        engine.make(drawn.applicants, present(past) if table.name in COVERED else past.select(KEY).distinct())
        self._made.append(drawn.applicants)
        counted = engine.arrow(kept.group_by("is_past").aggregate(rows=kept.count()), ["is_past"]).to_pylist()
        rows_of = {count["is_past"]: count["rows"] for count in counted}
        if self.watch:
            self.watch(Taken(table.name, drawn.seen, "as-of rows", rows_of.get(True, 0), perf_counter() - began))
        return int(rows_of.get(False, 0))


def measured(engine: Engine, plan: Plan, count: int, watch: Watch | None = None) -> dict[str, pa.Array]:
    """The columns of a plan's features for applications 0 to `count` - 1, null where nothing was measured.

    The engine holds the tables that the plan reads (`plan.seen`, `plan.applicants`). `watch` hears of each step.
    """
    columns: dict[str, pa.Array] = {}
    for literal in plan.literals:
        engine.bring_once(literal.name, dict(literal.table.schema().items()), literal.rows)
    for step in plan.steps:
        began = perf_counter()
        (engine.view if step.is_read_once else engine.make)(step.name, step.expr)
        if watch:
            watch(Taken(plan.table.name, step.name, "cells", engine.size(step.name), perf_counter() - began))
    for result in plan.results:
        began = perf_counter()
        long = engine.batches(result.expr).read_all()
        columns |= stood_up(long, result, count)
        if watch:
            watch(Taken(plan.table.name, result.name, "slices", long.num_rows, perf_counter() - began))
    engine.drop(*(step.name for step in plan.steps if not step.is_read_once))
    return columns


def present(past: ir.Table) -> ir.Table:
    """Who has any as-of rows: how many, on how many days, and how old the youngest is."""
    days = past.group_by([KEY, "day"]).aggregate(rows=past.count(), age_s=past.age_s.min())
    return days.group_by(KEY).aggregate(
        rows_seen=days["rows"].sum(), days_seen=days.count(), last_age_s=days.age_s.min()
    )


def stood_up(long: pa.Table, result: Result, count: int) -> dict[str, pa.Array]:
    """A column for each feature and slice from a result in long form, whatever the order of its rows."""
    application, cut = long[KEY].to_numpy(), long["slice"].to_numpy()
    order = np.argsort(cut, kind="stable")
    starts = np.searchsorted(cut[order], np.arange(len(result.slices) + 1))
    number = {cut: n for n, cut in enumerate(result.slices)}
    columns: dict[str, pa.Array] = {}
    for feature in result.features:
        values = _values(long, feature)
        for name, its_slice in feature.columns.items():
            n = number[its_slice]
            rows = order[starts[n] : starts[n + 1]]
            column = np.full(count, np.nan)
            column[application[rows]] = values[rows]
            columns[name] = pa.array(column, mask=np.isnan(column))
    return columns


def _values(long: pa.Table, feature: Feature) -> Floats:
    """A feature's long column, NaN for null; one that is NaN itself is a fault of its declaration."""
    column = long[feature.name]
    if pc.any(pc.is_nan(column)).as_py():
        raise ContractError(f"feature '{feature.name}' gives NaN; a value that is not there must be null")
    return column.to_numpy().astype(np.float64)
