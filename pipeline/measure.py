"""Run a plan on an engine, and stand its long results up as columns, one a feature and slice."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.declare import Feature
from features.reduce import KEY
from features.steps import Plan, Result
from models.arrays import Floats
from pipeline.engines import Engine
from saakh.errors import ContractError


@dataclass(frozen=True)
class Taken:
    """What one step of a table's plan took: rows made, seconds."""

    table: str
    name: str
    kind: str
    rows: int
    seconds: float


Watch = Callable[[Taken], None]


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
