"""From declarations to few scans: rows become cells once, cells become slices, and features are read off the slices.

A row's age falls into one *band* between two windows, and its time into one part of each axis (weekday or weekend,
day or night). Rows are reduced to cells of applicant × band × parts (× key). A slice, which is a window whole or by
parts, is a union of cells, so further windows and splits cost no further scan of the rows. What is left is long: one
row per applicant and slice, where every feature is computed once, whatever its number of columns.

Pure Ibis over tables that exist by name alone: no data is read here, and the same plan runs on every engine.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.bind import bound, fields_under
from features.columns import Kind, Sensitivity, Table
from features.declare import Feature
from features.meaning import canonical
from features.reduce import KEY, added_up, atoms_of, finished, kind_of, looked_at, met
from features.reduce import Cells as Reduced
from features.sources import TYPES, Cells, Rows, Source, rows_of, view_of
from features.windows import CLOCK, Axis, Calendar, Slice, with_clock
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
    by_source: dict[tuple[str, tuple[Axis, ...]], list[Feature]] = {}
    for feature in declared:
        by_source.setdefault((feature.source.name, feature.splits), []).append(feature)
    reads = _reads(table, declared)
    kinds = {c.name: TYPES[c.kind] for c in table.columns} | CLOCK
    seen = ibis.table({KEY: "int64"} | {name: kinds[name] for name in reads}, name=f"{table.name}_seen")
    drawn = _Drawing(table, seen)
    if table.state and declared:
        drawn.declare(tuple(declared))
    elif declared:
        merged = _merged_measures(declared)
        drawn.measure([_Group(f"{table.name}_{n}", tuple(g), merged) for n, g in enumerate(by_source.values())])
    applicants = drawn.applicants.get_name()
    return Plan(
        table, seen.get_name(), applicants, reads, tuple(drawn.literals), tuple(drawn.steps), tuple(drawn.results)
    )


class _Group:
    """Features of one source and one set of axes, measured together."""

    def __init__(self, name: str, features: tuple[Feature, ...], merged: Mapping[str, Source]) -> None:
        self.name, self.features = name, features
        self.source = merged[features[0].source.name]
        self.view = view_of(self.source)
        self.exprs = {f.name: bound(f.expr, view_of(f.source), self.view) for f in features}
        self.slices = tuple(dict.fromkeys(cut for f in features for cut in f.columns.values()))
        self.axes = features[0].splits
        self.parts = tuple(axis.column for axis in self.axes)
        self.keys = self.source.keys if isinstance(self.source, Cells) else ()
        self.rows = rows_of(self.source)
        self.rows_view = view_of(self.rows)
        self.measures = _read(self.source, self.exprs) if isinstance(self.source, Cells) else self.exprs
        """What is computed of rows: the cells' measures, or the features themselves."""
        self.atoms = atoms_of(self.measures)

    def slices_of(self, nodes: Sequence[ops.Reduction]) -> list[Slice]:
        """The slices for which any of these reductions is wanted."""
        if isinstance(self.source, Cells):
            return list(self.slices)
        wanted = set(nodes)
        using = [f for f in self.features if wanted & set(atoms_of({f.name: self.exprs[f.name]}))]
        return [cut for cut in self.slices if any(cut in f.columns.values() for f in using)]

    def members(
        self, bands: Sequence[int], nodes: Sequence[ops.Reduction]
    ) -> tuple[tuple[str, ...], list[tuple[int | bool | None, ...]]]:
        """Which cells each slice has that these are wanted for, in bands between windows: a literal."""
        wanted = self.slices_of(nodes)
        last = len(bands)
        rows = [
            (number, cut.window, band, *whole)
            for number, cut in enumerate(self.slices)
            if cut in wanted
            for band in range((bands.index(cut.window) if cut.window else last) + 1)
            for whole in product((False, True), repeat=len(self.axes))
            if all(whole[self.axes.index(axis)] == is_true for axis, is_true in cut.parts)
        ]
        return ("slice", "window_days", "band", *self.parts), rows


class _Drawing:
    """A plan being drawn: what was added so far."""

    def __init__(self, table: Table, seen: ir.Table) -> None:
        self.seen = seen
        self.table = table
        self.applicants = ibis.table({KEY: "int64"}, name=f"{table.name}_applicants")
        self.literals: list[Literal] = []
        self.steps: list[Step] = []
        self.results: list[Result] = []
        self.cells: dict[tuple[str, tuple[str, ...], bool], Reduced] = {}
        self.reading: dict[str, set[str]] = {}

    def keep(self, name: str, expr: ir.Table) -> ir.Table:
        """Add a step, once by name, and give its table."""
        step = Step(name, expr)
        if all(other.name != name for other in self.steps):
            self.steps.append(step)
        return step.table

    def bring(self, kind: str, columns: tuple[str, ...], rows: Sequence[tuple[int | bool | None, ...]]) -> ir.Table:
        """Add a literal, once by content, and give its table."""
        for other in self.literals:
            if (other.columns, other.rows) == (columns, tuple(rows)):
                return other.table
        literal = Literal(f"{self.table.name}_{kind}_{len(self.literals)}", columns, tuple(rows))
        self.literals.append(literal)
        return literal.table

    def declare(self, features: tuple[Feature, ...]) -> None:
        """Add what reads the latest row of each applicant in a table of declarations."""
        order = [self.seen.event_at.desc(), *(self.seen[c] for c in self.seen.columns if c not in {KEY, "event_at"})]
        ranked = self.seen.mutate(rank_=ibis.row_number().over(group_by=KEY, order_by=order))
        latest = ranked.filter(ranked.rank_ == 0)
        values = {f.name: bound(f.expr, view_of(f.source), latest).cast("float64") for f in features}
        expr = latest.select(KEY, slice=ibis.literal(0, "int64"), **values)
        self.results.append(Result(f"{self.table.name}_latest", expr, features, (Slice(),)))

    def measure(self, groups: Sequence[_Group]) -> None:
        """Add what computes these features: first the cells that all of them need, then each group off its cells."""
        for group in groups:
            self.reading.setdefault(group.rows.name, set()).update(
                *map(fields_under, group.atoms), group.keys, group.parts
            )
        for group in groups:
            for node in group.atoms:
                self._need(group, node)
            if group.keys:  # so that every key that was met has a cell
                self._cells(group, group.keys, False).need(group.rows_view.count().op(), group.slices, group.parts)
        for group in groups:
            self._measure(group)

    def _need(self, group: _Group, node: ops.Reduction) -> None:
        kind = kind_of(node)
        if kind in {"event", "gap"}:
            self._cells(group, group.keys, kind == "gap").need(node, group.slices, group.parts)
        elif kind == "distinct":
            keys = tuple(dict.fromkeys([*group.keys, node.arg.name]))
            self._cells(group, keys, False).need(met(node, group.rows_view), group.slices, group.parts)

    def _cells(self, group: _Group, keys: tuple[str, ...], is_of_gaps: bool) -> Reduced:
        """The cells of a group's rows by these keys, whoever asked first."""
        key = (group.rows.name, keys, is_of_gaps)
        if key not in self.cells:
            name = "_".join([group.rows.name, *(["per", *keys] if keys else []), "gaps" if is_of_gaps else "cells"])
            self.cells[key] = Reduced(name, self._rows(group.rows), group.rows_view, keys, is_of_gaps)
        return self.cells[key]

    def _measure(self, group: _Group) -> None:
        names: dict[ops.Reduction, str] = {n: "window_days" for n in group.atoms if kind_of(n) == "window"}
        parts = [*self._added(group, names, False), *self._added(group, names, True)]
        parts += [*self._distinct(group, names), *self._looked_at(group, names)]
        listed = self.bring("slices", ("slice", "window_days"), [(n, c.window) for n, c in enumerate(group.slices)])
        grid = self.applicants.cross_join(listed)
        if isinstance(group.source, Cells):
            keyed = finished(parts, [KEY, "slice", *group.keys], names, group.measures)
            keyed = self.keep(f"{group.name}_keyed", _with_beside(keyed, group.source))
            values = _valued(grid, keyed, group.view, group.exprs)
        else:
            values = finished([grid, *parts], [KEY, "slice"], names, group.exprs)
        typed = {f.name: values[f.name].cast("float64") for f in group.features}
        self.results.append(Result(group.name, values.select(KEY, "slice", **typed), group.features, group.slices))

    def _added(self, group: _Group, names: dict[ops.Reduction, str], is_of_gaps: bool) -> Iterator[ir.Table]:
        """The reductions that add up, off the cells."""
        wanted = [n for n in group.atoms if kind_of(n) == ("gap" if is_of_gaps else "event")]
        if group.keys and not is_of_gaps:
            wanted.append(group.rows_view.count().op())
        if wanted:
            yield self._sliced(group, self._cells(group, group.keys, is_of_gaps), wanted, names, group.keys)

    def _distinct(self, group: _Group, names: dict[ops.Reduction, str]) -> Iterator[ir.Table]:
        """Distinct counts, off cells by what is counted."""
        by_column: dict[str, list[ops.CountDistinct]] = {}
        for node in group.atoms:
            if kind_of(node) == "distinct":
                by_column.setdefault(node.arg.name, []).append(node)
        for column, nodes in by_column.items():
            keys = tuple(dict.fromkeys([*group.keys, column]))
            counts: dict[ops.Reduction, str] = {}
            wanted = [met(node, group.rows_view) for node in nodes]
            values = self._sliced(group, self._cells(group, keys, False), wanted, counts, keys, nodes)
            names |= {node: f"distinct_{column}_{n}" for n, node in enumerate(nodes)}
            found = {names[n]: values.count(where=values[counts[m]] > 0) for n, m in zip(nodes, wanted, strict=True)}
            yield values.group_by([KEY, "slice", *group.keys]).aggregate(**found)

    def _looked_at(self, group: _Group, names: dict[ops.Reduction, str]) -> Iterator[ir.Table]:
        """What does not add up, off the rows; gaps apart from the rest, which lie in other bands."""
        for is_of_gaps in (False, True):
            nodes = [n for n in group.atoms if kind_of(n) == "rows" and ("gap_s" in fields_under(n)) == is_of_gaps]
            if nodes:
                some = {node: f"{'gap_' if is_of_gaps else ''}rows_{n}" for n, node in enumerate(nodes)}
                names |= some
                bands = sorted({cut.window for cut in group.slices if cut.window})
                members = self.bring("members", *group.members(bands, nodes))
                yield looked_at(self._rows(group.rows), group.rows_view, members, bands, some, group.keys)

    def _sliced(
        self,
        group: _Group,
        cells: Reduced,
        wanted: Sequence[ops.Reduction],
        names: dict[ops.Reduction, str],
        keys: Sequence[str],
        of: Sequence[ops.Reduction] = (),
    ) -> ir.Table:
        """Cells added up to the slices for which `of`, or what is wanted itself, is wanted."""
        made = self.keep(cells.name, cells.expr)
        some = {node: cells.atoms[node] for node in wanted}
        names |= some
        return added_up(made, self.bring("members", *group.members(cells.bands, of or wanted)), some, keys)

    def _rows(self, rows: Table | Rows) -> ir.Table:
        """The rows of a source: all, those that meet its condition, or those told about their neighbours."""
        chosen = self.seen
        if isinstance(rows, Table):
            return chosen
        if rows.where is not None:
            chosen = chosen.filter(bound(rows.where, view_of(rows.table), chosen))
        return (
            self.keep(f"{rows.name}_linked", _neighbours(chosen, rows, self.reading[rows.name])) if rows.by else chosen
        )


def _reads(table: Table, declared: Sequence[Feature]) -> tuple[str, ...]:
    """The columns of as-of rows that a plan reads, in a fixed order."""
    kinds = {c.name for c in table.columns} | set(CLOCK) - GAP
    if (
        table.state
    ):  # all that was declared tells declarations of one moment apart, but for what only the audit may read
        open_to_all = {c.name for c in table.columns if c.sensitivity is not Sensitivity.PROTECTED}
        return tuple(sorted(open_to_all - {"person_id"}))
    read = {"age_s"}
    for feature in declared:
        source, rows = feature.source, rows_of(feature.source)
        read |= fields_under(feature.expr.op()) | {axis.column for axis in feature.splits}
        if isinstance(source, Cells):
            read |= set(source.keys).union(*(fields_under(m.op()) for m in source.measures.values()))
        if isinstance(rows, Rows):
            read |= {rows.by, *rows.carried, "event_s", *_content(table)} if rows.by else set()
            read |= set() if rows.where is None else fields_under(rows.where.op())
    if "gap_s" in read:
        read.add("event_s")
    return tuple(sorted(read & kinds))


def _neighbours(chosen: ir.Table, rows: Rows, reading: set[str]) -> ir.Table:
    """Rows told about the ones before and after with the same key, as far as it is read.

    Rows of one second are in the order of what they say, so that the order they came in does not show.
    """
    told = {"since_s": ("lag", "event_s"), "until_s": ("lead", "event_s")}
    told |= {f"last_{c}": ("lag", c) for c in rows.carried} | {f"next_{c}": ("lead", c) for c in rows.carried}
    told = {name: how for name, how in told.items() if name in reading}
    read = [c for c in chosen.columns if c in reading or c in {c for _, c in told.values()}]
    chosen = chosen.filter(chosen[rows.by].notnull())
    apart = ibis.window(
        group_by=[KEY, rows.by], order_by=["event_s", *dict.fromkeys([*rows.carried, *_content(rows.table)])]
    )
    beside = {name: getattr(chosen[c], how)().over(apart) for name, (how, c) in told.items()}
    if "since_s" in beside:
        beside["since_s"] = chosen.event_s - beside["since_s"]
    if "until_s" in beside:
        beside["until_s"] = beside["until_s"] - chosen.event_s
    return chosen.select(*dict.fromkeys([KEY, rows.by, "age_s", *read]), **beside)


def _content(table: Table) -> tuple[str, ...]:
    """The columns that tell rows of one time apart, whoever's they are."""
    return tuple(c.name for c in table.columns if c.kind not in (Kind.PSEUDONYM, Kind.TIMESTAMP))


def _merged_measures(declared: Sequence[Feature]) -> Mapping[str, Source]:
    """Sources by name, with all measures of the cells of a name: one name of a measure must mean one thing."""
    merged: dict[str, Source] = {}
    for source in (f.source for f in declared):
        other = merged.setdefault(source.name, source)
        if isinstance(source, Cells) and isinstance(other, Cells):
            measures = {**other.measures, **source.measures}
            for name, measure in other.measures.items():
                if canonical(measures[name]) != canonical(measure):
                    raise DeclarationError(f"'{source.name}' has two measures called '{name}'; give one another name")
            merged[source.name] = replace(other, measures=measures)
    return merged


def _read(source: Cells, exprs: Mapping[str, ir.Value]) -> Mapping[str, ir.Value]:
    """Those measures that a feature reads."""
    read = {*source.ranked, *source.ties}.union(*(fields_under(e.op()) for e in exprs.values()))
    read |= {f"{name}".removesuffix(f"_{days}") for name in read for days in source.apart}
    return {name: measure for name, measure in source.measures.items() if name in read}


def _with_beside(keyed: ir.Table, source: Cells) -> ir.Table:
    """Cells with their ranks, and with the cells some days older beside them."""
    within, measures = [KEY, "slice"], [c for c in keyed.columns if c in source.measures]
    told: dict[str, ir.Value] = {}
    for name in source.ranked:
        # ties in the order of all that is measured; keys decide only between cells that are alike
        order = [keyed[m].desc() for m in dict.fromkeys([name, *source.ties])] + [keyed[k] for k in source.keys]
        upto = ibis.cumulative_window(group_by=within, order_by=order)
        told[f"rank_{name}"] = ibis.row_number().over(ibis.window(group_by=within, order_by=order)) + 1
        told[f"before_{name}"] = keyed[name].sum().over(upto) - keyed[name]
        told[f"whole_{name}"] = keyed[name].sum().over(ibis.window(group_by=within))
    beside = keyed.mutate(**told) if told else keyed
    for days in source.apart:
        older = keyed.select(*within, day=keyed.day - days, **{f"{m}_{days}": keyed[m] for m in measures})
        beside = beside.left_join(older, [*within, "day"], rname="{name}_again").drop(
            *(f"{c}_again" for c in [*within, "day"])
        )
    return beside


def _valued(grid: ir.Table, keyed: ir.Table, view: ir.Table, exprs: Mapping[str, ir.Value]) -> ir.Table:
    """Features over cells, for each row of the grid."""
    names = {node: f"cell_{n}" for n, node in enumerate(atoms_of(exprs))}
    measures = {name: bound(node.to_expr(), view, keyed) for node, name in names.items()}
    return finished([grid, keyed.group_by([KEY, "slice"]).aggregate(**measures)], [KEY, "slice"], names, exprs)
