"""Who is learned from and who is judged on: later applications stay out, and a person is on one side only."""

from dataclasses import dataclass

import numpy as np

from models.arrays import Codes, Flags, Times
from saakh.errors import ContractError, LeakageError

MONTH_SLACK = 0.05
"""How far from the wanted share of out-of-time rows the start of a month may fall before a day is taken instead."""


@dataclass(frozen=True)
class Split:
    """Which rows are on which side of `out_of_time_from`; the four masks cover every row once.

    `gap` rows were made so shortly before the cut that their outcome was unknown at it; `known_person` rows come after
    the cut from people already in development or in the gap.
    """

    out_of_time_from: np.datetime64
    boundary: str
    gap_days: int
    development: Flags
    out_of_time: Flags
    gap: Flags
    known_person: Flags


def out_of_time(applied: Times, person: Codes, share: float, gap_days: int = 0, gap_share_max: float = 1.0) -> Split:
    """Split by time so that about `share` of the rows used are people first seen after the cut.

    The cut is the start of a month (UTC) where one comes near enough, else of a day. Development is left whole, so that
    the model also learns from people who came back; their later applications are the ones left out. The gap is not
    taken where it would cost more than `gap_share_max` of development. One day's applications, or a gap that takes all
    of development: a `ContractError`.
    """
    first = first_times(applied, person)
    cut, boundary = _cut(applied, first, share)
    before = applied < cut
    gap = before & (applied >= cut - np.timedelta64(gap_days, "D"))
    if gap.sum() > gap_share_max * before.sum():
        gap, gap_days = np.zeros_like(before), 0
    if not (before & ~gap).any():
        raise ContractError(f"a gap of {gap_days} days leaves nobody to learn from; lower train.gap_days")
    fresh = first >= cut
    return Split(cut, boundary, gap_days, before & ~gap, fresh, gap, ~before & ~fresh)


def first_times(applied: Times, person: Codes) -> Times:
    """For each row, the time of its person's first row."""
    codes, inverse = np.unique(person, return_inverse=True)
    order = np.lexsort((applied, inverse))
    first = applied[order][np.searchsorted(inverse[order], np.arange(len(codes)))]
    return np.asarray(first[inverse])


def _cut(applied: Times, first: Times, share: float) -> tuple[np.datetime64, str]:
    for unit, boundary, slack in (("M", "month", MONTH_SLACK), ("D", "day", 1.0)):
        starts = np.unique(applied.astype(f"datetime64[{unit}]")).astype("datetime64[us]")[1:]
        if len(starts) == 0:
            continue
        before = np.searchsorted(np.sort(applied), starts, side="left")
        after = len(first) - np.searchsorted(np.sort(first), starts, side="left")
        off = np.where(after > 0, np.abs(after / (before + after) - share), np.inf)
        best = int(off.argmin())
        if off[best] <= slack:
            return starts[best], boundary
    raise ContractError(
        f"the {len(applied)} applications cannot be split by time: nobody's first one comes on a later day than the "
        "others'; give a longer period"
    )


def time_blocks(applied: Times, person: Codes, folds: int) -> Codes:
    """A fold for each row: blocks in time of about equal rows, a person wholly in the block of their first application.

    Blocks in time rather than a shuffle, so that what is learned must hold in a period it has not seen. Blocks begin
    with a day (UTC) where there are days enough, so that taking one person out seldom moves another to another block.
    Fewer people than folds: a `ContractError`.
    """
    codes, inverse, counts = np.unique(person, return_inverse=True, return_counts=True)
    if len(codes) < folds:
        raise ContractError(f"{len(codes)} people cannot make {folds} folds; lower train.folds or give more data")
    first = np.empty(len(codes), dtype=applied.dtype)
    first[inverse] = first_times(applied, person)
    block = _by_day(first, counts, folds)
    if len(np.unique(block)) < folds:
        order = np.lexsort((codes, first))
        block[order] = _evenly(counts[order], folds)
    return block[inverse]


def _by_day(first: Times, counts: Codes, folds: int) -> Codes:
    """The block of each person: that in which the middle of their first day's rows falls."""
    days, of = np.unique(first.astype("datetime64[D]"), return_inverse=True)
    return _evenly(np.bincount(of, counts, len(days)).astype(np.int64), folds)[of]


def _evenly(counts: Codes, folds: int) -> Codes:
    """A block for each of some numbers of rows, in their order: the one in which the middle of them falls."""
    middle = np.cumsum(counts) - counts / 2
    return np.floor(middle * folds / counts.sum()).astype(np.int64)


def refuse_shared_people(person: Codes, side: Codes, what: str) -> None:
    """A `LeakageError` when a person is on more than one side (`what` says of what)."""
    pairs = np.unique(person * (side.max(initial=0) + 1) + side)
    shared = len(pairs) - len(np.unique(person))
    if shared:
        raise LeakageError(f"{shared} people are on more than one side of the {what}; a person must stay on one side")
