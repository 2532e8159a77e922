"""From declarations to few scans: rows become cells once, cells become slices, and every feature is read off the slices.

A row's age falls into one *band* between two windows, and its time into one part of each axis (weekday or weekend, day or
night). Rows are reduced to cells of applicant × band × parts (× key). A slice, which is a window whole or by parts, is a
union of cells, so further windows and splits cost no further scan of the rows. What is left is long: one row per applicant
and slice, where every feature is computed once, whatever its number of columns.

Pure Ibis over tables that exist by name alone: no data is read here, and the same plan runs on every engine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import ibis
import ibis.expr.types as ir

from features.bind import bound, fields_under
from features.columns import Table
from features.declare import Feature
from features.meaning import canonical
from features.reduce import KEY, Cut, atoms_of, finished, reduced
from features.sources import TYPES, Cells, Rows, Source, rows_of, view_of
from features.windows import CALENDAR, CLOCK, Axis, Calendar, Slice, with_clock
from saakh.errors import DeclarationError

GAP = frozenset({"gap_s", "window_days"})
"""What the plan itself adds to a view."""


@dataclass(frozen=True)
class Literal:
    """A small table the plan itself brings: which slices there are, and which cells each has."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int | bool | None, ...], ...]

    @property
    def table(self) -> ir.Table:
        """The table by name."""
        return ibis.table({c: "boolean" if c.startswith("is_") else "int64" for c in self.columns}, name=self.name)


@dataclass(frozen=True)
class Step:
    """A table computed once, by name, from those before it."""

    name: str
    expr: ir.Table

    @property
    def table(self) -> ir.Table:
        """The table by name."""
        return ibis.table(self.expr.schema(), name=self.name)


@dataclass(frozen=True)
class Result:
    """Features in long form: a row per applicant and slice (`slice` counts through `slices`), a column per feature."""

    name: str
    expr: ir.Table
    features: tuple[Feature, ...]
    slices: tuple[Slice, ...]


@dataclass(frozen=True)
class Plan:
    """What to compute of one table: literals, then steps, then results, each in order.

    It reads two tables by name: `seen`, as-of rows of the table with `application` and the columns in `reads`; and
    `applicants`, the applications that have such rows.
    """

    table: Table
    seen: str
    applicants: str
    reads: tuple[str, ...]
    literals: tuple[Literal, ...]
    steps: tuple[Step, ...]
    results: tuple[Result, ...]


def told(rows: ir.Table, table: Table, calendar: Calendar, reads: Sequence[str]) -> ir.Table:
    """As-of rows (`application`, `snapshot_at` and the table's columns) as a plan reads them, with their clock."""
    clocked = with_clock(rows, calendar) if table.time == "event_at" else rows
    return clocked.select(KEY, *reads)


@lru_cache(maxsize=256)
def plan(table: Table, declared: tuple[Feature, ...]) -> Plan:
    """How to measure these features of one table; the same object for the same question."""
    groups: dict[tuple[str, tuple[Axis, ...]], list[Feature]] = {}
    for feature in declared:
        groups.setdefault((feature.source.name, feature.splits), []).append(feature)
    reads = _reads(table, declared)
    kinds = {c.name: TYPES[c.kind] for c in table.columns} | CLOCK
    seen = ibis.table({KEY: "int64"} | {name: kinds[name] for name in reads}, name=f"{table.name}_seen")
    drawn = _Drawing(table, seen)
    for number, group in enumerate(groups.values()):
        drawn.measure(f"{table.name}_{number}", tuple(group))
    applicants = drawn.applicants.get_name()
    return Plan(table, seen.get_name(), applicants, reads, tuple(drawn.literals), tuple(drawn.steps), tuple(drawn.results))


class _Drawing:
    """A plan being drawn: what was added so far."""

    def __init__(self, table: Table, seen: ir.Table) -> None:
        self.seen = seen
        self.table = table
        self.applicants = ibis.table({KEY: "int64"}, name=f"{table.name}_applicants")
        self.literals: list[Literal] = []
        self.steps: list[Step] = []
        self.results: list[Result] = []

    def keep(self, name: str, expr: ir.Table) -> ir.Table:
        """Add a step, once by name, and give its table."""
        step = Step(name, expr)
        if all(other.name != name for other in self.steps):
            self.steps.append(step)
        return step.table

    def bring(self, name: str, columns: tuple[str, ...], rows: Sequence[tuple[int | bool | None, ...]]) -> ir.Table:
        """Add a literal, and give its table."""
        literal = Literal(name, columns, tuple(rows))
        self.literals.append(literal)
        return literal.table

    def measure(self, name: str, group: tuple[Feature, ...]) -> None:
        """Add what computes the features of one source and one set of axes."""
        if self.table.state:
            self._declared(name, group)
            return
        source = _merged([f.source for f in group])
        cuts = tuple(dict.fromkeys(cut for f in group for cut in f.columns.values()))
        cut, grid = self._cut(name, cuts, group[0].splits)
        rows, view = self._rows(rows_of(source)), view_of(source)
        exprs = {f.name: bound(f.expr, view_of(f.source), view) for f in group}
        if isinstance(source, Cells):
            keyed = reduced(cut, rows, view_of(source.rows), _read(source, exprs), source.keys, None)
            keyed = self.keep(f"{name}_keyed", _with_beside(keyed, source))
            values = _valued(grid, keyed, view, exprs)
        else:
            values = reduced(cut, rows, view, exprs, (), grid)
        typed = {f.name: values[f.name].cast("float64") for f in group}
        self.results.append(Result(name, values.select(KEY, "slice", **typed), group, cuts))

    def _declared(self, name: str, group: tuple[Feature, ...]) -> None:
        """The latest row of each applicant in a table of declarations."""
        order = [self.seen.event_at.desc(), *(self.seen[c] for c in self.seen.columns if c not in {KEY, "event_at"})]
        ranked = self.seen.mutate(rank_=ibis.row_number().over(group_by=KEY, order_by=order))
        latest = ranked.filter(ranked.rank_ == 0)
        values = {f.name: bound(f.expr, view_of(self.table), latest).cast("float64") for f in group}
        self.results.append(Result(name, latest.select(KEY, slice=ibis.literal(0, "int64"), **values), group, (Slice(),)))

    def _cut(self, name: str, cuts: Sequence[Slice], axes: tuple[Axis, ...]) -> tuple[Cut, ir.Table]:
        """How to cut rows into these slices, and the grid of applicants and slices."""
        bands = tuple(sorted({cut.window for cut in cuts if cut.window}))
        is_bounded = all(cut.window for cut in cuts)
        parts = tuple(axis.column for axis in axes)
        reach = len(bands) + (not is_bounded)
        members = [
            (number, cut.window, band, *whole)
            for number, cut in enumerate(cuts)
            for band in range(bands.index(cut.window) + 1 if cut.window else reach)
            for whole in product((False, True), repeat=len(axes))
            if all(whole[axes.index(axis)] == is_true for axis, is_true in cut.parts)
        ]
        table = self.bring(f"{name}_members", ("slice", "window_days", "band", *parts), members)
        listed = self.bring(f"{name}_slices", ("slice", "window_days"), [(n, c.window) for n, c in enumerate(cuts)])
        return Cut(bands, parts, table, is_bounded), self.applicants.cross_join(listed)

    def _rows(self, rows: Table | Rows) -> ir.Table:
        """The rows of a source: all, those that meet its condition, or those told about their neighbours."""
        chosen = self.seen
        if isinstance(rows, Table):
            return chosen
        if rows.where is not None:
            chosen = chosen.filter(bound(rows.where, view_of(rows.table), chosen))
        return self.keep(f"{rows.name}_linked", _neighbours(chosen, rows)) if rows.by else chosen


def _reads(table: Table, declared: Sequence[Feature]) -> tuple[str, ...]:
    """The columns of as-of rows that a plan reads, in a fixed order."""
    kinds = {c.name for c in table.columns} | set(CLOCK) - GAP
    if table.state:
        return tuple(sorted({c.name for c in table.columns} - {"person_id"}))
    read = {"age_s"}
    for feature in declared:
        source, rows = feature.source, rows_of(feature.source)
        read |= fields_under(feature.expr.op()) | {axis.column for axis in feature.splits}
        if isinstance(source, Cells):
            read |= set(source.keys).union(*(fields_under(m.op()) for m in source.measures.values()))
        if isinstance(rows, Rows):
            read |= {rows.by, *rows.carried} | ({"event_s"} if rows.by else set())
            read |= set() if rows.where is None else fields_under(rows.where.op())
    if "gap_s" in read:
        read.add("event_s")
    return tuple(sorted(read & kinds))


def _neighbours(chosen: ir.Table, rows: Rows) -> ir.Table:
    """Rows told about the ones before and after with the same key; rows of one second in the order of what they say."""
    content = [c for c in chosen.columns if c not in {KEY, rows.by, *CLOCK}]
    order = ["event_s", *dict.fromkeys([*rows.carried, *content])]
    chosen = chosen.filter(chosen[rows.by].notnull())
    apart = ibis.window(group_by=[KEY, rows.by], order_by=order)
    told = {"since_s": chosen.event_s - chosen.event_s.lag().over(apart)}
    told |= {"until_s": chosen.event_s.lead().over(apart) - chosen.event_s}
    told |= {f"last_{c}": chosen[c].lag().over(apart) for c in rows.carried}
    return chosen.mutate(**told, **{f"next_{c}": chosen[c].lead().over(apart) for c in rows.carried})


def _merged(sources: Sequence[Source]) -> Source:
    """Cells of the same name as one, so that they cost one scan; measures of one name must mean the same."""
    first = sources[0]
    if not isinstance(first, Cells):
        return first
    measures: dict[str, ir.Value] = {}
    for cells in sources:
        for name, measure in cells.measures.items() if isinstance(cells, Cells) else ():
            if canonical(measures.setdefault(name, measure)) != canonical(measure):
                raise DeclarationError(f"'{first.name}' has two measures called '{name}'; give one of them another name")
    return Cells(first.rows, first.keys, measures, first.ranked, first.apart)


def _read(source: Cells, exprs: Mapping[str, ir.Value]) -> Mapping[str, ir.Value]:
    """Those measures that a feature reads, or cells are ranked by."""
    read = set(source.ranked).union(*(fields_under(e.op()) for e in exprs.values()))
    read |= {f"{name}".removesuffix(f"_{days}") for name in read for days in source.apart}
    return {name: measure for name, measure in source.measures.items() if name in read}


def _with_beside(keyed: ir.Table, source: Cells) -> ir.Table:
    """Cells with their ranks, and with the cells some days older beside them."""
    within, measures = [KEY, "slice"], [c for c in keyed.columns if c in source.measures]
    told: dict[str, ir.Value] = {}
    for name in source.ranked:
        # ties in the order of all that was measured; keys decide only between cells that are alike
        order = [keyed[m].desc() for m in dict.fromkeys([name, *measures])] + [keyed[k] for k in source.keys]
        upto = ibis.cumulative_window(group_by=within, order_by=order)
        told[f"rank_{name}"] = ibis.row_number().over(ibis.window(group_by=within, order_by=order)) + 1
        told[f"before_{name}"] = keyed[name].sum().over(upto) - keyed[name]
        told[f"whole_{name}"] = keyed[name].sum().over(ibis.window(group_by=within))
    beside = keyed.mutate(**told) if told else keyed
    for days in source.apart:
        older = keyed.select(*within, day=keyed.day - days, **{f"{m}_{days}": keyed[m] for m in measures})
        beside = beside.left_join(older, [*within, "day"], rname="{name}_again").drop(*(f"{c}_again" for c in [*within, "day"]))
    return beside


def _valued(grid: ir.Table, keyed: ir.Table, view: ir.Table, exprs: Mapping[str, ir.Value]) -> ir.Table:
    """Features over cells, for each row of the grid."""
    atoms = atoms_of(exprs)
    measures = {name: bound(node.to_expr(), view, keyed) for node, name in atoms.items()}
    return finished([grid, keyed.group_by([KEY, "slice"]).aggregate(**measures)], [KEY, "slice"], atoms, exprs)
