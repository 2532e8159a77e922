"""Features of one source that are split alike, measured on a chunk of applications."""

from collections.abc import Mapping

import ibis.expr.operations as ops
import numpy as np

from features.bind import fields_under
from features.declare import Feature
from features.groups import Group
from features.reduce import kind_of, met
from features.sources import Cells
from pipeline.arrays import kernel
from pipeline.arrays.blocks import Block, Cut, Entries
from pipeline.arrays.cells import OverCells
from pipeline.arrays.columns import Array, Column, UnfitError
from pipeline.arrays.programs import Atoms, Leaf, Program
from pipeline.arrays.reductions import median
from pipeline.arrays.refused import refuse_keys, refuse_reductions
from pipeline.arrays.rows import sortable
from pipeline.arrays.sheet import Name, Sheet


class GroupInArrays:
    """One group of features: what it asks of blocks, and how features are made of what they come to."""

    def __init__(self, group: Group, blocks: dict[Name, Block]) -> None:
        self.group, self.cut = group, Cut.of(group.axes, group.slices)
        refuse_reductions(group.atoms)
        refuse_keys(group)
        self._kinds = {node: kind_of(node) for node in group.atoms}
        self._whole = (group.rows.name, group.keys, self.cut, False)
        for node, kind in self._kinds.items():
            if kind in {"event", "gap"}:
                self._ask(blocks, group.keys, kind == "gap", node)
            elif kind == "distinct":
                self._ask(blocks, self._counted(node), False, met(node, group.rows_view))
            elif kind == "rows" and (group.keys or "window_days" in fields_under(node)):
                raise UnfitError("rows looked at by keys, or by the length of their window")
            elif kind == "rows" and not isinstance(node, ops.Median):
                raise UnfitError(f"{type(node).__name__} of what is no column, or of gaps")
        if group.keys:
            blocks.setdefault(self._whole, Block(self.cut, is_of_gaps=False))
        self._looked_at = {node: Atoms([node]) for node, kind in self._kinds.items() if kind == "rows"}
        self._measures = Program([m.op() for m in group.measures.values()], self._kinds)
        self._cells = OverCells(group, group.source) if isinstance(group.source, Cells) else None

    def _ask(self, blocks: dict[Name, Block], keys: tuple[str, ...], is_of_gaps: bool, node: ops.Reduction) -> None:
        name = (self.group.rows.name, keys, self.cut, is_of_gaps)
        blocks.setdefault(name, Block(self.cut, is_of_gaps)).nodes[node] = None

    def _counted(self, node: ops.CountDistinct) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.group.keys, node.arg.name]))

    def columns(self, sheet: Sheet) -> Mapping[Feature, Column]:
        """Each feature's values, a row for each application and slice."""
        found: dict[Leaf, Column] = {node: self._reduced(sheet, node) for node in self._kinds}
        measures = self._measures.run(found.__getitem__)
        if self._cells is None:
            return dict(zip(self.group.features, measures, strict=True))
        entries, keyed = sheet.entries(self._whole), sheet.keyed(self.group.rows.name, self.group.keys)
        columns = {k: keyed.rows[k].take(keyed.firsts[entries.keys]) for k in self.group.keys}
        columns |= {name: m.full(len(entries.keys)) for name, m in zip(self.group.measures, measures, strict=True)}
        columns["window_days"] = self.cut.window_days(entries.owner % len(self.cut))
        return self._cells.measured(entries, columns)

    def _reduced(self, sheet: Sheet, node: ops.Reduction) -> Column:
        """What a reduction of rows came to, in the order of the group's entries."""
        kind, source = self._kinds[node], self.group.rows.name
        slices = sheet.count * len(self.cut)
        if kind == "window":
            owner = sheet.entries(self._whole).owner if self.group.keys else np.arange(slices)
            return self.cut.window_days(owner % len(self.cut))
        if kind == "rows":
            return self._over_rows(sheet, node)
        keys = self._counted(node) if kind == "distinct" else self.group.keys
        entries = sheet.entries((source, keys, self.cut, kind == "gap"))
        if kind == "distinct":
            return self._distinct(sheet, entries, keys, entries.values[met(node, self.group.rows_view)])
        value = entries.values[node]
        return self._aligned(sheet, entries, value) if kind == "gap" and self.group.keys else value

    def _distinct(self, sheet: Sheet, entries: Entries, keys: tuple[str, ...], times: Column) -> Column:
        """How many values were met, off entries by the group's keys and the value."""
        was_met = times.values > 0
        if not self.group.keys:
            return Column(kernel.reduced(entries.starts, "count", None, was_met))
        if keys == self.group.keys:
            return Column(was_met.astype(np.int64))
        outer = sheet.keyed(self.group.rows.name, keys).outer[entries.keys]
        to = sheet.entries(self._whole)
        at = _places(to, self._local(sheet, to), entries.owner, outer)
        return Column(np.bincount(at[was_met], minlength=len(to.keys)))

    def _aligned(self, sheet: Sheet, entries: Entries, value: Column) -> Column:
        """A value of gaps in the order of all rows' entries: where there are none, 0 if it counts, else unknown."""
        to = sheet.entries(self._whole)
        at = _places(to, self._local(sheet, to), entries.owner, self._local(sheet, entries))
        values, known = np.zeros(len(to.keys), np.int64), np.zeros(len(to.keys), bool)
        values[at], known[at] = value.values, value.certain
        return Column(values) if value.known is None else Column(values, known)

    def _local(self, sheet: Sheet, entries: Entries) -> Array:
        """The numbers of entries' keys within their applications."""
        counts = sheet.keyed(self.group.rows.name, self.group.keys).counts
        before = np.cumsum(counts) - counts
        return entries.keys - before[entries.owner // len(self.cut)]

    def _over_rows(self, sheet: Sheet, node: ops.Reduction) -> Column:
        """A median, looked up in the rows of each slice."""
        is_of_gaps = "gap_s" in fields_under(node)
        rows = sheet.keyed(self.group.rows.name, is_of_gaps=is_of_gaps).rows
        ((_, arg, where),) = self._looked_at[node].run(lambda name: rows[str(name)])
        arg = (arg or Column(np.int64(0))).full(len(rows))
        mask = arg.certain if where is None else where.truth & arg.certain
        band, part = self.cut.bands(rows, is_of_gaps), self.cut.parts(rows)
        order = kernel.ordered(rows.starts, [sortable(arg)])  # once, so that each slice finds its values in order
        arg, mask = arg.take(order), np.broadcast_to(mask, len(rows))[order]
        band, part = band[order], None if part is None else part[order]
        found = []
        for pattern in self.cut.patterns:
            within = mask if part is None else mask & np.isin(part, pattern)
            for last in range(len(self.cut.windows)):
                found.append(median(rows.starts, arg, Column(within & (band <= last))))
        values = np.stack([f.values for f in found], axis=1).reshape(-1)
        return Column(values, np.stack([f.certain for f in found], axis=1).reshape(-1))


def _places(to: Entries, local: Array, owner: Array, code: Array) -> Array:
    """Where the entries of some owners and keys lie."""
    keys = int(max(local.max(initial=0), code.max(initial=0))) + 1
    return np.searchsorted(to.owner * keys + local, owner * keys + code)
