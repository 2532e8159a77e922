"""Features over cells: ranks of cells and cells some days apart beside them, then reductions of each slice's cells."""

from collections.abc import Mapping

import ibis.expr.operations as ops
import numpy as np

from features.declare import Feature
from features.groups import Group
from features.reduce import atoms_of
from features.sources import Cells
from pipeline.arrays import kernel
from pipeline.arrays.blocks import Entries
from pipeline.arrays.columns import MOST, Array, Column, UnfitError
from pipeline.arrays.programs import Atoms, Leaf, Program
from pipeline.arrays.reductions import over_segments, whole_numbers, within_reach
from pipeline.arrays.refused import refuse_reductions
from pipeline.arrays.rows import sortable


class OverCells:
    """Features over cells: what they ask of entries, and how they are made of that."""

    def __init__(self, group: Group, source: Cells) -> None:
        self._group, self._source = group, source
        self._nodes = atoms_of(group.exprs)
        refuse_reductions(self._nodes)
        if any(isinstance(node, ops.CountDistinct) for node in self._nodes):
            raise UnfitError("values told apart among cells")
        self._inner = Atoms(self._nodes)
        self._outer = Program([e.op() for e in group.exprs.values()], self._nodes)

    def measured(self, entries: Entries, columns: dict[str, Column]) -> Mapping[Feature, Column]:
        """Each feature's values, a row for each application and slice."""
        columns |= self._ranks(entries, columns) | self._apart(entries, columns)
        come: dict[Leaf, Column] = {
            node: over_segments(node, entries.starts, arg, where)
            for node, arg, where in self._inner.run(lambda name: columns[str(name)])
        }
        return dict(zip(self._group.features, self._outer.run(come.__getitem__), strict=True))

    def _ranks(self, entries: Entries, columns: Mapping[str, Column]) -> dict[str, Column]:
        """Each cell's rank by a measure, what larger ones have, and what all have (see `features.neighbours`)."""
        source, told = self._source, {}
        starts, owner = entries.starts, entries.owner
        for name in source.ranked:
            by = [_falling(columns[m]) for m in dict.fromkeys([name, *source.ties])]
            order = kernel.ordered(starts, [*by, *(sortable(columns[key]) for key in source.keys)])
            place = np.empty(len(order), np.int64)
            place[order] = np.arange(len(order))
            upto, are_known = _added(columns[name], order)
            values, before = whole_numbers(columns[name]), upto[starts[:-1]][owner]
            known, is_any = columns[name].known, are_known[starts[1:]] > are_known[starts[:-1]]
            told[f"rank_{name}"] = Column(place - starts[:-1][owner] + 1)
            told[f"before_{name}"] = Column(upto[place + 1] - values - before, known)
            told[f"whole_{name}"] = Column(upto[starts[1:]][owner] - before, None if known is None else is_any[owner])
        return told

    def _apart(self, entries: Entries, columns: Mapping[str, Column]) -> dict[str, Column]:
        """The measures of the cell of a day some days older."""
        told: dict[str, Column] = {}
        if not self._source.apart or not len(entries.keys):
            return {f"{name}_{days}": columns[name] for days in self._source.apart for name in self._group.measures}
        day, owner = columns["day"].values, entries.owner
        place = owner * (int(day.max(initial=0)) + max(self._source.apart) + 1) + day
        order = np.argsort(place, kind="stable")
        sorted_place = place[order]
        for days in self._source.apart:
            at = np.minimum(np.searchsorted(sorted_place, place + days), len(place) - 1)
            is_there = sorted_place[at] == place + days
            for name in self._group.measures:
                older = columns[name].take(order[at])
                told[f"{name}_{days}"] = Column(older.values, older.certain & is_there)
        return told


def _falling(column: Column) -> Array:
    """Whole numbers that sort from the largest value down, what is not known last."""
    falling = ~sortable(Column(column.values))
    return falling if column.known is None else np.where(column.known, falling, MOST)


def _added(column: Column, order: Array) -> tuple[Array, Array]:
    """The sums of a column's first 0, 1, 2, ... values in this order, and how many of them are known."""
    values, known = whole_numbers(column), np.broadcast_to(column.certain, len(order))
    values = np.where(known, values, 0)
    within_reach(values, np.array([0, len(values)]))
    return np.append(0, np.cumsum(values[order])), np.append(0, np.cumsum(known[order]))
