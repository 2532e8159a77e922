"""Signs that a column knows what nobody could know at the snapshot, or knows who somebody is.

Each test asks one thing of one column (or of the rows), and says by how much its limit is passed. Limits let honest
phone data pass: single columns of it rank loans at an AUC of 0.65 at the very best.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.stats import rankdata

from models.arrays import Codes, Flags, Floats, Times

ALONE_MAX = 0.72
"""AUC of one column alone, or of its being missing."""
FALL_MAX = 0.05
"""By how much a column may rank better where the model learns than later."""
SURE = 5.0
"""Standard errors beyond which chance is no explanation."""
WITH_TIME_MAX = 0.98
"""Rank correlation of a column with the time of application."""
SAME_MIN, DISTINCT_MIN = 0.99, 0.9
"""A name stays with its person and is nobody else's."""
RETURNING_MIN = 20
TOLD_MIN = 12
"""Columns with a value that two people must share before they are taken for one."""


@dataclass(frozen=True)
class Leak:
    """A sign of a leak: its kind, the column (empty: the rows), the figure, its limit, and what it means in words."""

    kind: str
    column: str
    figure: float
    limit: float
    why: str


@dataclass(frozen=True)
class Loans:
    """What the tests look at: loans × columns with NaN where missing, outcomes, people, times, and two sides."""

    x: Floats
    names: Sequence[str]
    bad: Flags
    person: Codes
    applied: Times
    development: Flags
    later: Flags


def leaks(loans: Loans) -> list[Leak]:
    """All signs found, in the order of the columns."""
    found = [leak for test in TESTS for leak in test(loans)]
    place = {name: i for i, name in enumerate(loans.names)}
    return sorted(found, key=lambda leak: (place.get(leak.column, -1), leak.kind))


def too_good_alone(loans: Loans) -> Iterator[Leak]:
    """A column that alone ranks loans as no behaviour does: an echo of the outcome, or a field filled in after it."""
    for name, column in zip(loans.names, loans.x.T, strict=True):
        for what, value in (("value", column), ("being missing", np.isnan(column).astype(float))):
            area, error = _area(value, loans.bad)
            away = max(area, 1 - area)
            if away - SURE / 2 * error > ALONE_MAX:
                yield Leak("too good alone", name, away, ALONE_MAX, f"its {what} alone ranks loans at {away:.3f}")
                break


def forgets(loans: Loans) -> Iterator[Leak]:
    """A column that ranks where the model learns and not later: outcomes are in it (a mean of them by group, say)."""
    for name, column in zip(loans.names, loans.x.T, strict=True):
        (before, error), (after, other) = (
            _area(column[side], loans.bad[side]) for side in (loans.development, loans.later)
        )
        fall = abs(before - 0.5) - abs(after - 0.5) if (before - 0.5) * (after - 0.5) > 0 else abs(before - after)
        if fall > FALL_MAX and fall > SURE * sqrt(error**2 + other**2):
            yield Leak(
                "forgets", name, fall, FALL_MAX, f"ranks at {before:.3f} where it was learned, {after:.3f} later"
            )


def tells_time(loans: Loans) -> Iterator[Leak]:
    """A column that is the time of application in disguise: a row number, a running number, a date."""
    when = rankdata(loans.applied.astype(np.int64))
    for name, column in zip(loans.names, loans.x.T, strict=True):
        there = ~np.isnan(column)
        if there.sum() < RETURNING_MIN or np.ptp(column[there]) == 0 or np.ptp(when[there]) == 0:
            continue
        together = abs(float(np.corrcoef(rankdata(column[there]), when[there])[0, 1]))
        if together > WITH_TIME_MAX:
            yield Leak(
                "tells the time", name, together, WITH_TIME_MAX, f"goes with the time of application: {together:.3f}"
            )


def names_people(loans: Loans) -> Iterator[Leak]:
    """A column that is a person's name in disguise: it stays with whoever comes back, and is nobody else's."""
    order = np.lexsort((loans.applied, loans.person))
    again = np.flatnonzero(np.diff(loans.person[order]) == 0)
    if len(again) < RETURNING_MIN:
        return
    one_each = order[np.append(np.diff(loans.person[order]) != 0, True)]
    for name, column in zip(loans.names, loans.x.T, strict=True):
        pairs = column[order[again]], column[order[again + 1]]
        told = ~np.isnan(pairs[0]) & ~np.isnan(pairs[1])
        known = column[one_each][~np.isnan(column[one_each])]
        if told.sum() < RETURNING_MIN or len(known) < RETURNING_MIN:
            continue
        same = float((pairs[0] == pairs[1])[told].mean())
        distinct = len(np.unique(known)) / len(known)
        if same >= SAME_MIN and distinct >= DISTINCT_MIN:
            yield Leak(
                "names people", name, distinct, DISTINCT_MIN, f"is the person's own for {distinct:.1%} of people"
            )


def people_twice(loans: Loans) -> Iterator[Leak]:
    """Loans of different people that are alike in every column: one person under two names, perhaps on two sides."""
    told = (~np.isnan(loans.x)).sum(axis=1) >= TOLD_MIN
    rows = np.flatnonzero(told)
    if not len(rows):
        return
    whole = np.ascontiguousarray(np.nan_to_num(loans.x[rows], nan=-np.inf) + 0.0)
    _, kind = np.unique(whole.view(f"V{whole.shape[1] * whole.itemsize}").ravel(), return_inverse=True)
    pairs = np.unique(np.stack([kind, loans.person[rows]], axis=1), axis=0)
    people = np.bincount(pairs[:, 0])
    twice = int(people[people > 1].sum())
    if twice:
        yield Leak("people twice", "", twice, 0, f"{twice} people have rows that are somebody else's to the last digit")


TESTS: tuple[Callable[[Loans], Iterator[Leak]], ...] = (
    too_good_alone,
    forgets,
    tells_time,
    names_people,
    people_twice,
)


def _area(column: Floats, bad: Flags) -> tuple[float, float]:
    """AUC of a column where it has a value, and its standard error; 0.5 and infinity where it cannot be told.

    Source of the error: Hanley and McNeil 1982.
    """
    there = ~np.isnan(column)
    kind = bad[there]
    m, n = int(kind.sum()), int((~kind).sum())
    if m < 2 or n < 2:
        return 0.5, float("inf")
    area = (float(rankdata(column[there])[kind].sum()) - m * (m + 1) / 2) / (m * n)
    q1, q2 = area / (2 - area), 2 * area * area / (1 + area)
    variance = (area * (1 - area) + (m - 1) * (q1 - area**2) + (n - 1) * (q2 - area**2)) / (m * n)
    return area, sqrt(max(variance, 1e-12))
