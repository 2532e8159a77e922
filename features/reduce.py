"""Rows to cells, cells to slices: each reduction of an expression computed in the cheapest way that is exact.

- Counts, sums, smallest and largest values *add up*: cells hold them, and a slice adds its cells up.
- Those of `gap_s` have cells of their own: a gap belongs to the band of its older end, so that a window holds a gap
  when it holds both its ends.
- Distinct counts have cells by what is counted.
- Anything else, medians above all, looks at the rows of each slice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.bind import bound, fields_under, reductions, replaced
from features.windows import DAY_S, Slice, with_gap

KEY = "application"
"""The number of an application within the rows measured together."""
AGAIN = {ops.Count: "sum", ops.CountStar: "sum", ops.Sum: "sum", ops.Min: "min", ops.Max: "max"}
"""How a reduction of cells is reduced again."""
COUNTS = (ops.Count, ops.CountStar, ops.CountDistinct)
"""What is 0, not null, over nothing."""


@dataclass
class Cells:
    """Rows of one source reduced to a row per applicant, key, band and part: whatever several groups of features need.

    `rows` have the view's columns; `windows` bound the bands; a cell older than the longest is left out when
    `is_bounded`.
    """

    name: str
    rows: ir.Table
    view: ir.Table
    keys: tuple[str, ...]
    is_of_gaps: bool
    atoms: dict[ops.Reduction, str] = field(default_factory=dict)
    windows: set[int] = field(default_factory=set)
    parts: dict[str, None] = field(default_factory=dict)
    is_bounded: bool = True

    def need(self, node: ops.Reduction, slices: Sequence[Slice], parts: Sequence[str]) -> None:
        """Ask for a reduction over some slices."""
        self.atoms.setdefault(node, f"{'gap' if self.is_of_gaps else 'event'}_{len(self.atoms)}")
        self.windows |= {cut.window for cut in slices if cut.window}
        self.parts |= dict.fromkeys(parts)
        self.is_bounded &= all(cut.window for cut in slices)

    @property
    def bands(self) -> tuple[int, ...]:
        """The windows that bound the bands, ascending."""
        return tuple(sorted(self.windows))

    @property
    def expr(self) -> ir.Table:
        """The cells."""
        rows = self.rows
        for key in self.keys:
            rows = rows.filter(rows[key].notnull())
        if self.is_of_gaps:
            rows = with_gap(rows)
            rows = rows.filter(rows.gap_s.notnull())
        age_s = rows.age_s + rows.gap_s if self.is_of_gaps else rows.age_s
        rows = banded(rows, age_s, self.bands, self.is_bounded)
        measures = {name: bound(node.to_expr(), self.view, rows) for node, name in self.atoms.items()}
        return rows.group_by([KEY, *self.keys, "band", *self.parts]).aggregate(**measures)


def banded(rows: ir.Table, age_s: ir.Value, bands: Sequence[int], is_bounded: bool) -> ir.Table:
    """Rows with their `band`: how many of the windows are too short to hold them."""
    beyond = [(age_s > days * DAY_S).cast("int64") for days in bands]
    rows = rows.mutate(band=reduce(lambda a, b: a + b, beyond, ibis.literal(0, "int64")))
    return rows.filter(rows.band < len(bands)) if is_bounded else rows


def added_up(cells: ir.Table, members: ir.Table, names: Mapping[ops.Reduction, str], keys: Sequence[str]) -> ir.Table:
    """Cells added up to slices; `members` says which cells a slice has (`slice`, `window_days`, `band`, parts)."""
    by = [c for c in members.columns if c not in {"slice", "window_days"}]
    sliced = cells.join(members, by)
    added = {name: _again(node, sliced[name]) for node, name in names.items()}
    return sliced.group_by([KEY, "slice", *keys]).aggregate(window_days=sliced.window_days.max(), **added)


def _again(node: ops.Reduction, cell: ir.Value) -> ir.Value:
    """A reduction of cells reduced again. A sum of counts is said to be a whole number of 64 bits: DuckDB takes 128."""
    added = getattr(cell, AGAIN[type(node)])()
    return ops.Cast(added, dt.int64).to_expr() if isinstance(node, COUNTS) else added


def counted_once(
    cells: ir.Table,
    patterns: ir.Table | None,
    reach: ir.Table,
    keys: Sequence[str],
    by: Sequence[str],
    atoms: Mapping[str, str],
) -> ir.Table:
    """How many values were met in each slice, off cells by `keys`, which are `by` and the value.

    A value met in a slice was met in all longer ones of the same pattern of parts, so that the youngest band it was
    met in says all. `atoms` maps the name of a count to the cells' column that says how often the value was met;
    `patterns` says which parts a pattern has (None: there are no parts), `reach` which bands a slice has.
    """
    over = [] if patterns is None else ["pattern"]
    parted = cells if patterns is None else cells.join(patterns, [c for c in patterns.columns if c != "pattern"])
    first = {f"first_{name}": parted.band.min(where=parted[atom] > 0) for name, atom in atoms.items()}
    values = parted.group_by([KEY, *keys, *over]).aggregate(**first)
    bands = [values[name] for name in first]
    values = values.mutate(band=ibis.least(*bands) if len(bands) > 1 else bands[0])  # Spark's `least` wants two
    sliced = values.join(reach, ["band", *over])
    counts = {name: sliced.count(where=sliced[f"first_{name}"] <= sliced["last"]) for name in atoms}
    return sliced.group_by([KEY, "slice", *by]).aggregate(**counts)


def looked_at(
    rows: ir.Table,
    view: ir.Table,
    members: ir.Table,
    bands: Sequence[int],
    atoms: Mapping[ops.Reduction, str],
    keys: Sequence[str],
) -> ir.Table:
    """Reductions that do not add up, over the rows of each slice."""
    fields = set().union(*(fields_under(node) for node in atoms))
    for key in keys:
        rows = rows.filter(rows[key].notnull())
    if "gap_s" in fields:
        rows = with_gap(rows)
        rows = rows.filter(rows.gap_s.notnull())
    age_s = rows.age_s + rows.gap_s if "gap_s" in fields else rows.age_s
    by = [c for c in members.columns if c not in {"slice", "window_days"}]
    rows = banded(rows, age_s, bands, is_bounded=False)
    wanted = dict.fromkeys([KEY, *keys, *by, *sorted(fields & set(rows.columns))])
    sliced = rows.select(*wanted).join(members, by)
    measures = {name: bound(node.to_expr(), view, sliced) for node, name in atoms.items()}
    return sliced.group_by([KEY, "slice", *keys]).aggregate(window_days=sliced.window_days.max(), **measures)


def kind_of(node: ops.Reduction) -> str:
    """How a reduction of rows is computed: `event`, `gap`, `distinct`, `rows`; `window` when the slice itself tells."""
    fields = fields_under(node)
    if fields == {"window_days"}:
        return "window"
    if isinstance(node, ops.CountDistinct) and isinstance(node.arg, ops.Field) and "gap_s" not in fields:
        return "distinct"
    if type(node) not in AGAIN or "window_days" in fields:
        return "rows"
    return "gap" if "gap_s" in fields else "event"


def met(node: ops.CountDistinct, view: ir.Table) -> ops.Reduction:
    """The count of rows that says whether a distinct count met a value."""
    where = None if node.where is None else node.where.to_expr()
    return view.count(where=where).op()


def atoms_of(exprs: Mapping[str, ir.Value]) -> list[ops.Reduction]:
    """The reductions of these expressions, each once."""
    return list(dict.fromkeys(n for e in exprs.values() for n in reductions(e)))


def finished(
    tables: Sequence[ir.Table], by: Sequence[str], names: Mapping[ops.Reduction, str], exprs: Mapping[str, ir.Value]
) -> ir.Table:
    """The expressions from tables that hold their reductions by name; the first has all rows there are."""
    whole, *parts = tables
    for n, part in enumerate(parts):  # nothing is dropped on the way: each drop would name every column again
        whole = whole.left_join(part, by, rname=f"{{name}}_again_{n}")
    values = {node: _filled(whole, node, name) for node, name in names.items()}
    return whole.select(*by, "window_days", **{name: replaced(expr, values) for name, expr in exprs.items()})


def _filled(whole: ir.Table, node: ops.Reduction, name: str) -> ir.Value:
    if name == "window_days":
        return whole.window_days
    return whole[name].fill_null(0) if isinstance(node, COUNTS) else whole[name]
