"""Drawing a plan: cells of rows once, the slices they make up, and the features that are read off those."""

from collections.abc import Iterator, Mapping, Sequence

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.bind import bound, fields_under
from features.columns import Table
from features.declare import Feature
from features.groups import Group
from features.neighbours import neighbours, with_beside
from features.reduce import KEY, added_up, atoms_of, counted_once, finished, kind_of, looked_at, met
from features.reduce import Cells as Reduced
from features.sources import Cells, Rows, view_of
from features.steps import Literal, Result, Step
from features.windows import Slice


class Drawing:
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

    def keep(self, name: str, expr: ir.Table, *, is_read_once: bool = False) -> ir.Table:
        """Add a step, once by name, and give its table."""
        step = Step(name, expr, is_read_once)
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

    def measure(self, groups: Sequence[Group]) -> None:
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

    def _need(self, group: Group, node: ops.Reduction) -> None:
        kind = kind_of(node)
        if kind in {"event", "gap"}:
            self._cells(group, group.keys, kind == "gap").need(node, group.slices, group.parts)
        elif kind == "distinct":
            keys = tuple(dict.fromkeys([*group.keys, node.arg.name]))
            self._cells(group, keys, False).need(met(node, group.rows_view), group.slices, group.parts)

    def _cells(self, group: Group, keys: tuple[str, ...], is_of_gaps: bool) -> Reduced:
        """The cells of a group's rows by these keys, whoever asked first."""
        key = (group.rows.name, keys, is_of_gaps)
        if key not in self.cells:
            name = "_".join([group.rows.name, *(["per", *keys] if keys else []), "gaps" if is_of_gaps else "cells"])
            self.cells[key] = Reduced(name, self._rows(group.rows), group.rows_view, keys, is_of_gaps)
        return self.cells[key]

    def _measure(self, group: Group) -> None:
        names: dict[ops.Reduction, str] = {n: "window_days" for n in group.atoms if kind_of(n) == "window"}
        parts = [*self._added(group, names, False), *self._added(group, names, True)]
        parts += [*self._distinct(group, names), *self._looked_at(group, names)]
        listed = self.bring("slices", ("slice", "window_days"), [(n, c.window) for n, c in enumerate(group.slices)])
        grid = self.applicants.cross_join(listed)
        if isinstance(group.source, Cells):
            keyed = finished(parts, [KEY, "slice", *group.keys], names, group.measures)
            keyed = self.keep(f"{group.name}_keyed", with_beside(keyed, group.source), is_read_once=True)
            values = _valued(grid, keyed, group.view, group.exprs)
        else:
            values = finished([grid, *parts], [KEY, "slice"], names, group.exprs)
        typed = {f.name: values[f.name].cast("float64") for f in group.features}
        self.results.append(Result(group.name, values.select(KEY, "slice", **typed), group.features, group.slices))

    def _added(self, group: Group, names: dict[ops.Reduction, str], is_of_gaps: bool) -> Iterator[ir.Table]:
        """The reductions that add up, off the cells."""
        wanted = [n for n in group.atoms if kind_of(n) == ("gap" if is_of_gaps else "event")]
        if group.keys and not is_of_gaps:
            wanted.append(group.rows_view.count().op())
        if wanted:
            yield self._sliced(group, self._cells(group, group.keys, is_of_gaps), wanted, names, group.keys)

    def _distinct(self, group: Group, names: dict[ops.Reduction, str]) -> Iterator[ir.Table]:
        """Distinct counts, off cells by what is counted: each value counts from the youngest band it was met in."""
        by_column: dict[str, list[ops.CountDistinct]] = {}
        for node in group.atoms:
            if kind_of(node) == "distinct":
                by_column.setdefault(node.arg.name, []).append(node)
        for column, nodes in by_column.items():
            keys = tuple(dict.fromkeys([*group.keys, column]))
            cells = self._cells(group, keys, False)
            made = self.keep(cells.name, cells.expr)
            names |= {node: f"distinct_{column}_{n}" for n, node in enumerate(nodes)}
            some = {names[node]: cells.atoms[met(node, group.rows_view)] for node in nodes}
            patterns = self.bring("patterns", *group.patterns) if group.parts else None
            reach = self.bring("reach", *group.reach(cells.bands, nodes))
            yield counted_once(made, patterns, reach, keys, group.keys, some)

    def _looked_at(self, group: Group, names: dict[ops.Reduction, str]) -> Iterator[ir.Table]:
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
        group: Group,
        cells: Reduced,
        wanted: Sequence[ops.Reduction],
        names: dict[ops.Reduction, str],
        keys: Sequence[str],
    ) -> ir.Table:
        """Cells added up to the slices for which they are wanted."""
        made = self.keep(cells.name, cells.expr)
        some = {node: cells.atoms[node] for node in wanted}
        names |= some
        return added_up(made, self.bring("members", *group.members(cells.bands, wanted)), some, keys)

    def _rows(self, rows: Table | Rows) -> ir.Table:
        """The rows of a source: all, those that meet its condition, or those told about their neighbours."""
        chosen = self.seen
        if isinstance(rows, Table):
            return chosen
        if rows.where is not None:
            chosen = chosen.filter(bound(rows.where, view_of(rows.table), chosen))
        return (
            self.keep(f"{rows.name}_linked", neighbours(chosen, rows, self.reading[rows.name])) if rows.by else chosen
        )


def _valued(grid: ir.Table, keyed: ir.Table, view: ir.Table, exprs: Mapping[str, ir.Value]) -> ir.Table:
    """Features over cells, for each row of the grid."""
    names = {node: f"cell_{n}" for n, node in enumerate(atoms_of(exprs))}
    measures = {name: bound(node.to_expr(), view, keyed) for node, name in names.items()}
    return finished([grid, keyed.group_by([KEY, "slice"]).aggregate(**measures)], [KEY, "slice"], names, exprs)
