"""Which sums over groups of applications may be told, so that cohorts can be chosen and no few people be told from it.

Applications lie in a grid of band × month × status, where a status is what one source shows, or a group of people. Told
are whole tables: a division of the grid into parts that hold nobody or at least ten. So no figure of a part is of fewer,
and no table has a gap that its margins would fill. What is left are bounds that several tables set together; against
these, every small cell of the grid is shown to have another count, at least ten of them, that leaves all tables as they
are. Where that fails, the finest table is not told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from models.arrays import Codes
from pipeline.pages import SMALLEST_CELL

Parts = tuple[tuple[int, ...], ...]
"""A division of one axis: the places in each part."""
BAND, MONTH, STATUS = range(3)


@dataclass(frozen=True)
class Table:
    """A division of the grid: the parts of each axis, in the order band, month, status; one part is no division."""

    parts: tuple[Parts, Parts, Parts]

    @cached_property
    def labels(self) -> tuple[Codes, Codes, Codes]:
        """For each axis, the part that each place is in."""
        found = []
        for parts in self.parts:
            label = np.empty(sum(map(len, parts)), dtype=np.int64)
            for part, places in enumerate(parts):
                label[list(places)] = part
            found.append(label)
        return found[0], found[1], found[2]

    def summed(self, counts: Codes) -> Codes:
        """Counts of the grid, added up by part."""
        out = np.zeros(tuple(map(len, self.parts)), dtype=np.int64)
        np.add.at(out, np.ix_(*self.labels), counts)
        return out

    def fits(self, counts: Codes) -> bool:
        """Whether every part holds nobody, or enough."""
        return not is_small(self.summed(counts)).any()


def is_small(counts: Codes) -> Codes:
    """Which counts are of somebody, and of too few."""
    return (counts > 0) & (counts < SMALLEST_CELL)


def whole(count: int) -> Parts:
    """An axis that is not divided."""
    return (tuple(range(count)),)


def single(count: int) -> Parts:
    """An axis divided into its places."""
    return tuple((place,) for place in range(count))


def merged(counts: Codes) -> Parts | None:
    """The first axis in runs of neighbours, as few joined as must be; None where only one run would do.

    `counts` has shape (places, others): a run is fit when none of its sums is small. One that is not joins the smaller
    of its neighbours.
    """
    runs = [(place,) for place in range(len(counts))]
    while len(runs) > 1:
        sums = np.array([counts[list(run)].sum(axis=0) for run in runs])
        unfit = np.flatnonzero(is_small(sums).any(axis=1))
        if not len(unfit):
            return tuple(runs)
        at = int(unfit[0])
        beside = [place for place in (at - 1, at + 1) if 0 <= place < len(runs)]
        other = min(beside, key=lambda place: (sums[place].sum(), place))
        first = min(at, other)
        runs[first : first + 2] = [runs[first] + runs[first + 1]]
    return None


def axes(counts: Codes, returning: Codes) -> tuple[Parts, Parts]:
    """The bands and months that can be chosen, small ones joined to a neighbour.

    `counts` and `returning` have shape (bands, months). The latter are loans of people trained on, which other figures
    of all later loans hold too: a part must not be told where these would be few.
    """
    found = []
    for axis in (BAND, MONTH):
        sums = np.stack([counts.sum(axis=1 - axis), returning.sum(axis=1 - axis)], axis=1)
        found.append(merged(sums) or whole(counts.shape[axis]))
    return found[0], found[1]


def tables(counts: Codes, statuses: Sequence[Parts], known: Sequence[Table] = ()) -> tuple[Table, ...]:
    """The tables to tell of a grid with shape (bands, months, statuses), from the coarsest to the finest.

    Args:
        counts: applications in each cell.
        statuses: divisions of the statuses to try, the finest first.
        known: tables that are told already, of all statuses together.
    """
    bands, months, every_status = counts.shape
    every = whole(bands), whole(months)
    division = next((d for d in statuses if Table((*every, d)).fits(counts)), None)
    if division is None:
        return ()
    found = list(_crossed(counts, division))
    lifted = [Table((*table.parts[:STATUS], whole(every_status))) for table in known]
    while found and any(_exposed(counts, [*lifted, *found])):
        found.pop()
    return tuple(found)


def _crossed(counts: Codes, division: Parts) -> Iterator[Table]:
    """A division of the statuses alone, by month, by band and by both, as far as parts are large enough."""
    bands, months, statuses = counts.shape
    yield Table((whole(bands), whole(months), division))
    by = np.zeros((bands, months, len(division)), dtype=np.int64)
    for part, places in enumerate(division):
        by[:, :, part] = counts[:, :, list(places)].sum(axis=2)
    runs = {
        "month": (whole(bands), merged(by.sum(axis=0))),
        "band": (merged(by.sum(axis=1)), whole(months)),
        "both": (merged(by.reshape(bands, -1)), single(months)),
    }
    for band, month in runs.values():
        if band is not None and month is not None and (len(band) > 1 or len(month) > 1):
            yield Table((band, month, division))


def _exposed(counts: Codes, told: Sequence[Table]) -> Iterator[tuple[int, ...]]:
    """The small cells whose count the tables may leave too little doubt of."""
    labels = [np.stack(np.broadcast_arrays(*np.ix_(*t.labels)), axis=-1) for t in told]
    for cell in map(tuple, np.argwhere(is_small(counts)).tolist()):
        if not any(_doubt(counts, move) >= SMALLEST_CELL and _is_unseen(move, labels) for move in _moves(counts, cell)):
            yield cell


Move = tuple[list[tuple[int, ...]], list[tuple[int, ...]]]
"""Cells that gain an application each, and cells that lose one."""


def _moves(counts: Codes, cell: tuple[int, ...]) -> Iterator[Move]:
    """Changes of a cell's count with changes elsewhere: the corners of a line, a square or a cube, by turns."""
    for other in product(*map(range, counts.shape)):
        axes = [(a,) if a == b else (a, b) for a, b in zip(cell, other, strict=True)]
        corners = list(product(*axes))
        if len(corners) > 1:
            odd = [sum(a != b for a, b in zip(corner, cell, strict=True)) % 2 for corner in corners]
            yield (
                [corner for corner, is_odd in zip(corners, odd, strict=True) if not is_odd],
                [corner for corner, is_odd in zip(corners, odd, strict=True) if is_odd],
            )


def _doubt(counts: Codes, move: Move) -> int:
    """How many counts the cell could have, by this move alone."""
    gain, lose = (min(int(counts[corner]) for corner in side) for side in move)
    return gain + lose + 1


def _is_unseen(move: Move, labels: Sequence[Codes]) -> bool:
    """Whether every table stays as it is."""
    return all(sorted(tuple(of[c]) for c in move[0]) == sorted(tuple(of[c]) for c in move[1]) for of in labels)
