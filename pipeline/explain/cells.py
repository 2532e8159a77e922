"""Which sums over groups of applications may be told, so that cohorts can be chosen and no few people be told from it.

Applications lie in a grid of band × month × status, where a status is what one source shows, or a group of people.
Told are whole tables: a division of the grid into parts that hold nobody or at least ten. So no figure of a part is of
fewer, and no table has a gap that its margins would fill. What is left are bounds that several tables set together:
every small cell of the grid must have at least ten possible counts that leave all tables as they are. Where one has
fewer, the finest table is not told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.arrays import Codes, Flags, Floats
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

    @cached_property
    def equations(self) -> Floats:
        """For each part, a row that is 1 for the cells of the grid in it."""
        part = np.ravel_multi_index(np.ix_(*self.labels), tuple(map(len, self.parts))).ravel()
        return np.equal.outer(np.arange(part.max() + 1), part).astype(np.float64)

    def fits(self, counts: Codes) -> bool:
        """Whether every part holds nobody, or enough."""
        return not is_small(self.summed(counts)).any()


def is_small(counts: Codes) -> Flags:
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
    runs: list[tuple[int, ...]] = [(place,) for place in range(len(counts))]
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


def tables(
    counts: Codes, statuses: Sequence[Parts], known: Sequence[Table] = (), elsewhere: Sequence[Table] = ()
) -> tuple[Table, ...]:
    """The tables to tell of a grid with shape (bands, months, statuses), from the coarsest to the finest.

    Args:
        counts: applications in each cell.
        statuses: divisions of the statuses to try, the finest first.
        known: tables that are told already, of all statuses together.
        elsewhere: tables of other grids that tell of the very applications of the last status, such as those of whom
            nothing is known.
    """
    bands, months, count = counts.shape
    division = next((d for d in statuses if Table((whole(bands), whole(months), d)).fits(counts)), None)
    if division is None:
        return ()
    outside = [_lifted(table, count).equations for table in known]
    is_last = np.arange(counts.size) % count == count - 1
    outside += [_lifted(table, count).equations * is_last for table in elsewhere]
    found = list(_crossed(counts, division))
    while found and not _is_safe(counts, [*outside, *(table.equations for table in found)]):
        found.pop()
    return tuple(found)


def _lifted(table: Table, statuses: int) -> Table:
    """A table's bands and months, over so many statuses together."""
    return Table((table.parts[BAND], table.parts[MONTH], whole(statuses)))


def _crossed(counts: Codes, division: Parts) -> Iterator[Table]:
    """A division of the statuses alone, by month, by band and by both, as far as parts are large enough."""
    bands, months, _ = counts.shape
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


def _is_safe(counts: Codes, told: Sequence[Floats]) -> bool:
    """Whether tables, as equations, leave at least ten possible counts of every cell that is small.

    They are bounds of a linear programme in which no cell is below nothing.
    """
    equations = np.concatenate(told)
    return all(_doubt(cell, counts.ravel(), equations) for cell in np.flatnonzero(is_small(counts)).tolist())


def _doubt(cell: int, counts: Codes, equations: Floats) -> bool:
    """Whether a cell may have at least ten counts. Its own is one of them, so that mostly its largest tells."""
    from scipy.optimize import linprog  # noqa: PLC0415 - heavy

    aim, ends, known = np.zeros(len(counts)), [int(counts[cell])] * 2, equations @ counts
    for end, sign in ((1, -1.0), (0, 1.0)):
        aim[cell] = sign
        ends[end] = round(sign * linprog(aim, A_eq=equations, b_eq=known, bounds=(0, None)).fun)
        if ends[1] - ends[0] + 1 >= SMALLEST_CELL:
            return True
    return False
