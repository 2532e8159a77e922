"""Blocks: rows of one source reduced once for all windows and parts, by no key, or by the keys of cells.

A block has *entries*: a row for each application, slice and key that has any rows; by no key one for each application
and slice. Slices are numbered by pattern of parts, then by window, ascending, all history last.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product

import ibis.expr.operations as ops
import numpy as np

from features.windows import DAY_S, Axis, Slice
from pipeline.arrays import kernel
from pipeline.arrays.columns import MOST, Array, Column, UnfitError
from pipeline.arrays.programs import Atoms
from pipeline.arrays.reductions import reduced, to_reduce
from pipeline.arrays.rows import Rows, sortable


@dataclass(frozen=True)
class Cut:
    """How slices are numbered: patterns of parts of some axes, by windows."""

    axes: tuple[Axis, ...]
    windows: tuple[int | None, ...]
    shapes: tuple[tuple[tuple[Axis, bool], ...], ...]

    @staticmethod
    def of(axes: tuple[Axis, ...], slices: Sequence[Slice]) -> "Cut":
        """The cut that has these slices."""
        windows = sorted({s.window for s in slices}, key=lambda w: MOST if w is None else w)
        return Cut(axes, tuple(windows), tuple(dict.fromkeys(s.parts for s in slices)))

    def __len__(self) -> int:
        return len(self.windows) * len(self.shapes)

    def number(self, cut: Slice) -> int:
        """The number of a slice."""
        return self.shapes.index(cut.parts) * len(self.windows) + self.windows.index(cut.window)

    @property
    def patterns(self) -> list[tuple[int, ...]]:
        """The parts of each pattern; a part is numbered by its flags, the first axis first."""
        wholes = list(product((False, True), repeat=len(self.axes)))
        return [
            tuple(n for n, whole in enumerate(wholes) if all(whole[self.axes.index(a)] == yes for a, yes in shape))
            for shape in self.shapes
        ]

    def bands(self, rows: Rows, is_of_gaps: bool) -> Array:
        """The first window that holds each row, or both ends of its gap; their number when none does."""
        return rows.once(("band", self.windows, is_of_gaps), lambda: self._bands(rows, is_of_gaps))

    def _bands(self, rows: Rows, is_of_gaps: bool) -> Array:
        age_s = rows["age_s"].values
        age_s = age_s + rows["gap_s"].values if is_of_gaps else age_s
        band = np.zeros(len(age_s), np.int8)
        for days in self.windows:
            if days is not None:
                band += age_s > days * DAY_S
        return band.astype(np.int64)

    def parts(self, rows: Rows) -> Array | None:
        """The part each row falls into; None where there is one alone."""
        return rows.once(("part", self.axes), lambda: self._parts(rows)) if self.axes else None

    def _parts(self, rows: Rows) -> Array | None:
        part = None
        for axis in self.axes:
            if rows[axis.column].known is not None:
                raise UnfitError("a time of day or week that is not known")
            flag = rows[axis.column].values.astype(np.int64)
            part = flag if part is None else part * 2 + flag
        return part

    def window_days(self, slices: Array) -> Column:
        """The length of each slice's window, unknown for all history."""
        days = np.array([w or 0 for w in self.windows])[slices % len(self.windows)]
        return Column(days, days > 0) if None in self.windows else Column(days)


@dataclass(frozen=True)
class Entries:
    """What a block came to: where each application's slices begin, the number of each entry's key, and its values."""

    starts: Array
    keys: Array
    values: Mapping[ops.Reduction, Column]

    @cached_property
    def owner(self) -> Array:
        """The number of each entry's application and slice."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


NONE = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Keyed:
    """Rows by their key: its number within the application, how many each has, and the row each was first met in.

    `outer` are the numbers of the keys without the last column. Without columns there are no numbers.
    """

    rows: Rows
    codes: Array | None = None
    counts: Array = field(default_factory=lambda: NONE)
    firsts: Array = field(default_factory=lambda: NONE)
    outer: Array = field(default_factory=lambda: NONE)

    def by(self, column: str) -> "Keyed":
        """Those rows for which a further column is known, by it too."""
        rows = self.rows if self.codes is None else self.rows.beside({"outer": Column(self.codes)})
        rows = rows.chosen(rows[column].known)
        codes, counts, firsts = kernel.factorise(rows.starts, sortable(rows[column]))
        if self.codes is None:
            return Keyed(rows, codes, counts, firsts)
        outer = rows["outer"].values
        codes, counts, firsts = kernel.factorise(rows.starts, outer * int(counts.max(initial=1)) + codes)
        return Keyed(rows, codes, counts, firsts, outer[firsts])

    @property
    def with_gaps(self) -> "Keyed":
        """Those rows that have one before them, with `gap_s`, under the same numbers of keys."""
        if self.codes is None:
            return replace(self, rows=self.rows.with_gaps)
        gaps = self.rows.beside({"code": Column(self.codes)}).with_gaps
        return replace(self, rows=gaps, codes=gaps["code"].values)


@dataclass
class Block:
    """What is asked of the rows of one source by some keys over some slices."""

    cut: Cut
    is_of_gaps: bool
    nodes: dict[ops.Reduction, None] = field(default_factory=dict)

    def drawn(self) -> Callable[[Keyed], Entries]:
        """How to reduce rows, once all that is wanted of them is known."""
        atoms = Atoms(list(self.nodes))

        def reduce(keyed: Keyed) -> Entries:
            rows = keyed.rows
            found = atoms.run(lambda name: rows[str(name)])
            return self._sliced(keyed, {node: to_reduce(node, arg, where, rows.starts) for node, arg, where in found})

        return reduce

    def _sliced(self, keyed: Keyed, atoms: Mapping[ops.Reduction, Sequence[kernel.Atom]]) -> Entries:
        rows, cut = keyed.rows, self.cut
        band = cut.bands(rows, self.is_of_gaps)
        flat = [atom for some in atoms.values() for atom in some]
        starts, keys, values = kernel.sliced(
            rows.starts,
            keyed.codes,
            None if keyed.codes is None else keyed.counts,
            band,
            len(cut.windows),
            cut.parts(rows),
            cut.patterns,
            flat,
        )
        left = iter(values)
        return Entries(starts, keys, {node: reduced(node, [next(left) for _ in some]) for node, some in atoms.items()})
