"""Rows to cells, cells to slices: each reduction of an expression computed in the cheapest way that is exact.

- Counts, sums, smallest and largest values *add up*: cells hold them, and a slice adds its cells up.
- Those of `gap_s` are kept apart: a gap belongs to the band of its older end, so that a window holds a gap when it holds
  both its ends.
- Distinct counts have cells by what is counted.
- Anything else, medians above all, looks at the rows of each slice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.bind import bound, fields_under, reductions, replaced
from features.windows import DAY_S, with_gap

KEY = "application"
"""The number of an application within the rows measured together."""
AGAIN = {ops.Count: "sum", ops.CountStar: "sum", ops.Sum: "sum", ops.Min: "min", ops.Max: "max"}
"""How a reduction of cells is reduced again."""
COUNTS = (ops.Count, ops.CountStar, ops.CountDistinct)
"""What is 0, not null, over nothing."""
Atoms = Mapping[ops.Reduction, str]


@dataclass(frozen=True)
class Cut:
    """How rows are cut into cells, and cells make slices.

    `bands` are ascending windows in days, `parts` columns that tell weekday from weekend and day from night. `members` says
    which cells a slice has (`slice`, `window_days`, `band`, the parts).
    """

    bands: tuple[int, ...]
    parts: tuple[str, ...]
    members: ir.Table
    is_bounded: bool

    def banded(self, rows: ir.Table, age_s: ir.Value) -> ir.Table:
        """Rows with their `band`; those older than the longest window are left out when no slice holds them."""
        bands = [(age_s > days * DAY_S).cast("int64") for days in self.bands]
        band = reduce(lambda a, b: a + b, bands, ibis.literal(0, "int64"))
        banded = rows.mutate(band=band)
        return banded.filter(banded.band < len(self.bands)) if self.is_bounded else banded

    def sliced(self, cells: ir.Table) -> ir.Table:
        """A row for each slice that a cell belongs to."""
        return cells.join(self.members, ["band", *self.parts])


def reduced(
    cut: Cut, rows: ir.Table, view: ir.Table, exprs: Mapping[str, ir.Value], keys: Sequence[str], grid: ir.Table | None
) -> ir.Table:
    """Expressions over a view, computed on rows for each applicant, slice and key.

    With a grid (`application`, `slice`, `window_days`) there is a row for each of its rows, whatever was seen; without, for
    each key seen in a slice. Columns: `application`, `slice`, the keys, `window_days`, and one for each expression.
    """
    for key in keys:
        rows = rows.filter(rows[key].notnull())
    atoms = atoms_of(exprs)
    parts = list(_parts(cut, rows, view, atoms, keys))
    if grid is None and (not parts or parts[0][0] != "event"):
        grid = _seen(cut, rows, keys)
    by = [KEY, "slice", *keys]
    return finished([*([] if grid is None else [grid]), *(part for _, part in parts)], by, atoms, exprs)


def atoms_of(exprs: Mapping[str, ir.Value]) -> Atoms:
    """The reductions of these expressions, each once, with a name."""
    return {node: f"a{i}" for i, node in enumerate(dict.fromkeys(n for e in exprs.values() for n in reductions(e)))}


def finished(tables: Sequence[ir.Table], by: Sequence[str], atoms: Atoms, exprs: Mapping[str, ir.Value]) -> ir.Table:
    """The expressions from tables that hold their reductions; the first has all rows there are."""
    whole, *parts = tables
    for part in parts:
        rest = part.drop("window_days") if "window_days" in part.columns else part
        whole = whole.left_join(rest, by, rname="{name}_again").drop(*(f"{c}_again" for c in by))
    values = {node: _filled(whole, node, name) for node, name in atoms.items()}
    return whole.select(*by, "window_days", **{name: replaced(expr, values) for name, expr in exprs.items()})


def _filled(whole: ir.Table, node: ops.Reduction, name: str) -> ir.Value:
    if name not in whole.columns:  # what reads the window alone is told by the slice
        return whole.window_days
    return whole[name].fill_null(0) if isinstance(node, COUNTS) else whole[name]


def _seen(cut: Cut, rows: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Every key that was met in a slice."""
    banded = cut.banded(rows, rows.age_s)
    return _added_up(cut, banded, {"rows_": banded.count()}, {"rows_": "sum"}, keys).drop("rows_")


def _parts(
    cut: Cut, rows: ir.Table, view: ir.Table, atoms: Atoms, keys: Sequence[str]
) -> Iterator[tuple[str, ir.Table]]:
    """The reductions, in tables by how they are computed."""
    kinds: dict[str, dict[ops.Reduction, str]] = {}
    for node, name in atoms.items():
        kinds.setdefault(_kind(node), {})[node] = name
    for kind, some in sorted(kinds.items(), key=lambda item: item[0] != "event"):
        if kind == "window":
            continue
        if kind == "event":
            yield kind, _adding(cut, rows, rows.age_s, view, some, keys)
        elif kind == "gap":
            gapped = with_gap(rows)
            gapped = gapped.filter(gapped.gap_s.notnull())
            yield kind, _adding(cut, gapped, gapped.age_s + gapped.gap_s, view, some, keys)
        elif kind == "rows":
            yield kind, _looking(cut, rows, view, some, keys)
        else:
            yield kind, _distinct(cut, rows, view, some, keys)


def _kind(node: ops.Reduction) -> str:
    fields = fields_under(node)
    if fields == {"window_days"}:
        return "window"
    if isinstance(node, ops.CountDistinct) and isinstance(node.arg, ops.Field) and "gap_s" not in fields:
        return f"distinct {node.arg.name}"
    if type(node) not in AGAIN or "window_days" in fields:
        return "rows"
    return "gap" if "gap_s" in fields else "event"


def _adding(
    cut: Cut, rows: ir.Table, age_s: ir.Value, view: ir.Table, atoms: Atoms, keys: Sequence[str]
) -> ir.Table:
    banded = cut.banded(rows, age_s)
    measures = {name: bound(node.to_expr(), view, banded) for node, name in atoms.items()}
    return _added_up(cut, banded, measures, {name: AGAIN[type(node)] for node, name in atoms.items()}, keys)


def _added_up(
    cut: Cut, banded: ir.Table, measures: Mapping[str, ir.Value], again: Mapping[str, str], keys: Sequence[str]
) -> ir.Table:
    cells = banded.group_by([KEY, *keys, "band", *cut.parts]).aggregate(**measures)
    sliced = cut.sliced(cells)
    added = {name: getattr(sliced[name], how)() for name, how in again.items()}
    return sliced.group_by([KEY, "slice", *keys]).aggregate(window_days=sliced.window_days.max(), **added)


def _looking(cut: Cut, rows: ir.Table, view: ir.Table, atoms: Atoms, keys: Sequence[str]) -> ir.Table:
    fields = set().union(*(fields_under(node) for node in atoms))
    if "gap_s" in fields:
        rows = with_gap(rows)
        rows = rows.filter(rows.gap_s.notnull())
    age_s = rows.age_s + rows.gap_s if "gap_s" in fields else rows.age_s
    wanted = [KEY, *keys, "band", *cut.parts, *sorted(fields & set(rows.columns) - {KEY, *keys, *cut.parts})]
    sliced = cut.sliced(cut.banded(rows, age_s).select(*dict.fromkeys(wanted)))
    measures = {name: bound(node.to_expr(), view, sliced) for node, name in atoms.items()}
    return sliced.group_by([KEY, "slice", *keys]).aggregate(window_days=sliced.window_days.max(), **measures)


def _distinct(cut: Cut, rows: ir.Table, view: ir.Table, atoms: Atoms, keys: Sequence[str]) -> ir.Table:
    """Distinct counts of one column: its values are a further key, and each is counted where it was met."""
    counted = next(iter(atoms)).arg.name
    met = cut.banded(rows, rows.age_s)
    met = met.filter(met[counted].notnull())
    wheres = {name: None if node.where is None else bound(node.where.to_expr(), view, met) for node, name in atoms.items()}
    measures = {name: met.count(where=where) for name, where in wheres.items()}
    again = dict.fromkeys(measures, "sum")
    values = _added_up(cut, met, measures, again, list(dict.fromkeys([*keys, counted])))
    counts = {name: values.count(where=values[name] > 0) for name in measures}
    return values.group_by([KEY, "slice", *keys]).aggregate(window_days=values.window_days.max(), **counts)
