"""Small counts that are withheld, and as many more as keep these from being worked out from totals and differences."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from pipeline.pages import SMALLEST_CELL

UNBOUNDED = 3  # scipy.optimize.linprog's word for it
WITHHELD = "hidden"
"""What stands in the place of a count that is withheld: a small one and one that protects it look the same."""


def withheld(
    counts: Mapping[str, int], sums: Sequence[tuple[str, Sequence[str]]], least: int = SMALLEST_CELL
) -> frozenset[str]:
    """The names of the counts that must not be shown.

    Args:
        counts: every count that a page would show, totals too, by name.
        sums: names of totals, each with the names of parts that add up to it; a part may be a total itself.
        least: the smallest count, above none at all, that is shown.

    Counts of 1 to `least - 1` are withheld. A reader knows what is shown, what adds up to what, and that what is
    withheld is not zero. As long as that pins a small count down to fewer than `least` values, the smallest count that
    bears on it goes too; at last, what went in vain is shown again, the largest first.
    """
    small = [name for name, count in counts.items() if 0 < count < least]
    hidden, exposed = set(small), list(small)
    while exposed := [name for name in exposed if _spread(name, counts, sums, hidden) < least]:
        more = _smallest(counts, sums, hidden, exposed)
        if more is None:
            break
        hidden.add(more)
    for name in sorted(hidden.difference(small), key=lambda name: (-counts[name], name)):
        touched = _bearing((name,), sums, hidden)
        fewer = hidden - {name}
        if all(_spread(other, counts, sums, fewer) >= least for other in small if other in touched):
            hidden = fewer
    return frozenset(hidden)


def _smallest(
    counts: Mapping[str, int], sums: Sequence[tuple[str, Sequence[str]]], hidden: set[str], exposed: Iterable[str]
) -> str | None:
    """The smallest count still shown that bears on an exposed one; None when all that do are withheld already."""
    bearing = _bearing(exposed, sums, hidden)
    shown = [name for name in counts if name in bearing and name not in hidden and counts[name]]
    return min(shown, key=lambda name: counts[name], default=None)


def _bearing(names: Iterable[str], sums: Sequence[tuple[str, Sequence[str]]], hidden: set[str]) -> set[str]:
    """All that stands in a sum with one of these, or with a withheld one that does, and so on."""
    reached, before = set(names), set[str]()
    linked = [{total, *parts} for total, parts in sums]
    while reached != before:
        before = set(reached)
        reached |= {other for held in linked if held & reached & hidden for other in held}
    return reached


def _spread(name: str, counts: Mapping[str, int], sums: Sequence[tuple[str, Sequence[str]]], hidden: set[str]) -> float:
    """How many whole values a reader must still think possible for a withheld count."""
    from scipy.optimize import linprog  # noqa: PLC0415 - heavy

    unknown = sorted(_bearing((name,), sums, hidden) & hidden)
    rows, sides = [], []
    for total, parts in sums:
        signs = dict.fromkeys(parts, -1.0) | {total: 1.0}
        row = [signs.get(other, 0.0) for other in unknown]
        if any(row):
            rows.append(row)
            sides.append(-sum(sign * counts[other] for other, sign in signs.items() if other not in hidden))
    if not any(row[unknown.index(name)] for row in rows):
        return np.inf
    aim = np.array([float(other == name) for other in unknown])
    least, most = (linprog(sign * aim, A_eq=rows, b_eq=sides, bounds=(1, None)) for sign in (1, -1))
    high = np.inf if most.status == UNBOUNDED else np.floor(-most.fun + 1e-6)
    return float(high - np.ceil(least.fun - 1e-6) + 1)
