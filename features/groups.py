"""Features of one source that are split alike: what they ask of its rows, and of which slices."""

from collections.abc import Mapping, Sequence
from itertools import product

import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.bind import bound, fields_under
from features.declare import Feature
from features.reduce import atoms_of
from features.sources import Cells, Source, rows_of, view_of
from features.windows import Slice

Literal = tuple[tuple[str, ...], Sequence[tuple[int | bool | None, ...]]]
"""Names of columns, and rows."""


class Group:
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

    def members(self, bands: Sequence[int], nodes: Sequence[ops.Reduction]) -> Literal:
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

    @property
    def patterns(self) -> Literal:
        """Which parts each pattern has, as many patterns as the slices have: a literal."""
        rows = [
            (number, *whole)
            for number, pattern in enumerate(self._patterns)
            for whole in product((False, True), repeat=len(self.axes))
            if all(part in (None, is_true) for part, is_true in zip(pattern, whole, strict=True))
        ]
        return ("pattern", *self.parts), rows

    def reach(self, bands: Sequence[int], nodes: Sequence[ops.Reduction]) -> Literal:
        """The bands that each slice has that these are wanted for, the last of them, and its pattern: a literal."""
        wanted = self.slices_of(nodes)
        reached = {cut: bands.index(cut.window) if cut.window else len(bands) for cut in wanted}
        rows = [
            (number, band, reached[cut], *([self._patterns.index(self._pattern(cut))] if self.parts else []))
            for number, cut in enumerate(self.slices)
            if cut in wanted
            for band in range(reached[cut] + 1)
        ]
        return ("slice", "band", "last", *(["pattern"] if self.parts else [])), rows

    def _pattern(self, cut: Slice) -> tuple[bool | None, ...]:
        """The part of each axis that a slice keeps to; None: both."""
        return tuple(dict(cut.parts).get(axis) for axis in self.axes)

    @property
    def _patterns(self) -> tuple[tuple[bool | None, ...], ...]:
        return tuple(dict.fromkeys(self._pattern(cut) for cut in self.slices))


def _read(source: Cells, exprs: Mapping[str, ir.Value]) -> Mapping[str, ir.Value]:
    """Those measures that a feature reads."""
    read = {*source.ranked, *source.ties}.union(*(fields_under(e.op()) for e in exprs.values()))
    read |= {f"{name}".removesuffix(f"_{days}") for name in read for days in source.apart}
    return {name: measure for name, measure in source.measures.items() if name in read}
