"""From declarations to few scans: filtered aggregates in one GROUP BY a table, and one more for each kind of cell.

Pure Ibis: no data is read here, and the same plan runs on every engine.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.columns import Table
from features.declare import Cells, Feature, view_of
from features.meaning import canonical
from features.windows import DAY_S, with_clock
from saakh.errors import DeclarationError

KEY = "application_id"


def plan(rows: ir.Table, table: Table, declared: Sequence[Feature]) -> ir.Table:
    """One row per application that has rows, one column per feature and window.

    Args:
        rows: as-of rows of one table: `application_id`, `snapshot_at` and the table's columns.
        table: their canonical table.
        declared: features of that table.
    """
    if table.state:
        rows = _latest(rows, table)
    clocked = with_clock(rows)
    sources: dict[str, list[Feature]] = {}
    for feature in declared:
        sources.setdefault(feature.source.name, []).append(feature)
    parts = [_measured(clocked, features) for features in sources.values()]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined.join(part, KEY, how="inner")
    return joined.select(KEY, *(column for f in declared for column in f.columns))


def _measured(clocked: ir.Table, features: Sequence[Feature]) -> ir.Table:
    if isinstance(features[0].source, Table):
        return _aggregated(clocked, features, _row_column, _row_where)
    windows = sorted({w for f in features for w in f.columns.values()}, key=lambda w: w or 0)
    cells = _merged([f.source for f in features if isinstance(f.source, Cells)])
    return _aggregated(_cells(clocked, cells, windows), features, _cell_column, _cell_where)


def _merged(several: Sequence[Cells]) -> Cells:
    """Cells of the same table and keys as one, so that they cost one scan."""
    measures: dict[str, ir.Value] = {}
    for cells in several:
        for name, measure in cells.measures.items():
            if name in measures and canonical(measures[name]) != canonical(measure):
                raise DeclarationError(
                    f"'{cells.name}' has two measures called '{name}'; give one of them another name"
                )
            measures[name] = measure
    return Cells(several[0].table, several[0].keys, measures)


def _cells(clocked: ir.Table, cells: Cells, windows: Iterable[int | None]) -> ir.Table:
    """Rows reduced to one per application and key, each measure once a window."""
    is_keyed = ibis.and_(*(clocked[k].notnull() for k in cells.keys))
    measures: dict[str, ir.Value] = {}
    for window in windows:
        inside = _row_where(clocked, window)
        # rows without a key keep their application in the result and count for nothing
        measures[_in_window("_rows", window)] = clocked.count(where=is_keyed if inside is None else is_keyed & inside)
        for name, measure in cells.measures.items():
            bound = bind(measure, view_of(cells.table), clocked, partial(_row_column, clocked, window), inside)
            measures[_in_window(name, window)] = bound
    return clocked.group_by([KEY, *cells.keys]).aggregate(**measures)


def _aggregated(
    rows: ir.Table,
    features: Sequence[Feature],
    column: Callable[[ir.Table, int | None, str], ir.Value],
    where: Callable[[ir.Table, int | None], ir.BooleanValue | None],
) -> ir.Table:
    measures: dict[str, ir.Value] = {}
    for feature in features:
        view = view_of(feature.source)
        expr = feature.expr if isinstance(feature.expr, ir.Scalar) else feature.expr.max()
        for name, window in feature.columns.items():
            bound = bind(expr, view, rows, partial(column, rows, window), where(rows, window))
            measures[name] = bound.cast("float64")
    return rows.group_by(KEY).aggregate(**measures)


def bind(
    expr: ir.Value,
    view: ir.Table,
    rows: ir.Table,
    column: Callable[[str], ir.Value],
    where: ir.BooleanValue | None,
) -> ir.Value:
    """The expression over real rows instead of its view, every reduction restricted to `where`."""

    def rewrite(node: ops.Node, changed: Mapping[str, Any] | None) -> ops.Node:
        if node == view.op():
            return rows.op()
        if isinstance(node, ops.Field) and node.rel == view.op():
            return column(node.name).op()
        arguments = dict(changed or zip(node.argnames, node.args, strict=True))
        if isinstance(node, ops.Reduction) and "where" in node.argnames and where is not None:
            inner = arguments["where"]
            arguments["where"] = where.op() if inner is None else ops.And(inner, where.op())
        elif changed is None:
            return node
        return type(node)(**arguments)

    return expr.op().replace(rewrite).to_expr()


def _row_column(rows: ir.Table, window: int | None, name: str) -> ir.Value:
    if name == "window_days":
        return ibis.ifelse(rows.age_s.notnull(), window or 0, ibis.null("int64"))
    if name == "gap_s" and window is not None:  # a gap belongs to a window when both its ends do
        return ibis.ifelse(rows.age_s + rows.gap_s <= window * DAY_S, rows.gap_s, ibis.null("int64"))
    return rows[name]


def _row_where(rows: ir.Table, window: int | None) -> ir.BooleanValue | None:
    return None if window is None else rows.age_s <= window * DAY_S


def _cell_column(rows: ir.Table, window: int | None, name: str) -> ir.Value:
    return rows[name] if name in rows.columns else rows[_in_window(name, window)]


def _cell_where(rows: ir.Table, window: int | None) -> ir.BooleanValue | None:
    return rows[_in_window("_rows", window)] > 0


def _in_window(name: str, window: int | None) -> str:
    return f"{name}__{window or 'all'}"


def _latest(rows: ir.Table, table: Table) -> ir.Table:
    order = [rows.event_at.desc(), *(rows[c.name] for c in table.columns if c.name != "event_at")]
    ranked = rows.mutate(_rank=ibis.row_number().over(group_by=rows[KEY], order_by=order))
    return ranked.filter(ranked["_rank"] == 0).drop("_rank")
