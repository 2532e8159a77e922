"""Cells of term and amount: at a price for each constraint, the best cut-off of each is where a running sum peaks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Codes, Flags, Floats
from pipeline.optimise.book import Book, Figures, Lent, can_lend, earned, figures, limits
from saakh.terms import Lender, Strategy

DIGITS = 4
NEVER = -1.0
NOWHERE = -1
CELL_LEAST = 50
Cell = tuple[int, tuple[int, ...]]
"""A term in months, and its classes of amount, neighbours."""


@dataclass(frozen=True)
class Bounds:
    """What a strategy must keep to on the book it is searched on."""

    bad_rate_max: float
    approval_min: float = 0.0
    ratio_min: float = 0.0

    def hold(self, found: Figures) -> bool:
        """Whether these figures keep to all of them."""
        return (
            found.bad_rate <= self.bad_rate_max
            and found.approval >= self.approval_min
            and (found.ratio or 0.0) >= self.ratio_min
        )


@dataclass(frozen=True)
class Prices:
    """What a bad loan, an approval less, and a unit of the groups' ratio less cost, in minor units of profit."""

    bad: float = 0.0
    approval: float = 0.0
    ratio: float = 0.0


@dataclass(frozen=True)
class Cells:
    """The applications of a book by term and class of amount, each cell in the order of PD.

    Neighbouring classes with few applications share a cell: a cut-off for one person would be a decision on a person.
    """

    book: Book
    granted: Codes
    profit: Floats
    weight: Floats
    bad_rate_max: float
    rows: dict[Cell, Codes]

    def accepted(self, prices: Prices) -> tuple[Flags, dict[Cell, float]]:
        """Who is lent to at these prices, and the cut-off of each cell."""
        worth = worth_of(self.book, self.profit, self.weight, prices, self.bad_rate_max)
        is_lent, cuts = np.zeros(len(self.book), bool), {}
        for cell, rows in self.rows.items():
            running = np.cumsum(worth[rows])
            best = int(running.argmax()) if len(rows) else 0
            cuts[cell] = NEVER
            if len(rows) and running[best] > 0:
                cuts[cell] = _written(float(self.book.pd[rows[best]]))
                is_lent[rows[: best + 1]] = True
        return is_lent, cuts

    def figures(self, prices: Prices) -> Figures:
        """The figures of who is lent to at these prices."""
        is_lent, _ = self.accepted(prices)
        amount, profit = np.where(is_lent, self.granted, 0), np.where(is_lent, self.profit, 0.0)
        return figures(self.book, Lent(is_lent, amount, profit))

    def cutoffs(self, prices: Prices) -> dict[int, tuple[float, ...]]:
        """The cut-offs by term and class of amount."""
        _, cuts = self.accepted(prices)
        found: dict[int, tuple[float, ...]] = {}
        for (months, classes), cut in cuts.items():
            found[months] = (*found.get(months, ()), *[cut] * len(classes))
        return found


def cells_of(book: Book, lender: Lender, shape: Strategy, bounds: Bounds, pd_slope: float) -> Cells:
    """The cells of a book under the limits and classes of a strategy."""
    most = np.minimum(np.minimum(book.asked, lender.most_minor), limits(shape, book.pd))
    granted = most // lender.step_minor * lender.step_minor
    fits = (granted >= lender.least_minor) & can_lend(book, lender, granted)
    place, order = np.searchsorted(shape.amounts, granted), np.argsort(book.pd, kind="stable")
    rows = {}
    for months in lender.months:
        here = np.where(fits & (book.months == months), place, NOWHERE)
        for classes in shared(np.bincount(here[here != NOWHERE], minlength=len(shape.amounts) + 1).tolist()):
            rows[months, classes] = order[np.isin(here, classes)[order]]
    return Cells(
        book,
        granted,
        earned(book, lender, granted, pd_slope),
        group_weight(book, bounds.ratio_min),
        bounds.bad_rate_max,
        rows,
    )


def shared(counts: Sequence[int]) -> list[tuple[int, ...]]:
    """Classes gathered from the smallest amounts up until each cell has enough; what is left over joins the last."""
    cells: list[tuple[int, ...]] = []
    held: tuple[int, ...] = ()
    number = 0
    for k, count in enumerate(counts):
        held, number = (*held, k), number + count
        if number >= CELL_LEAST:
            cells.append(held)
            held, number = (), 0
    if held:
        cells = [*cells[:-1], (*cells[-1], *held)] if cells else [held]
    return cells


def worth_of(book: Book, profit: Floats, weight: Floats, prices: Prices, bad_rate_max: float) -> Floats:
    """What lending to each is worth at these prices."""
    return profit - prices.bad * (book.risk - bad_rate_max) + prices.approval + prices.ratio * weight


def group_weight(book: Book, ratio_min: float) -> Floats:
    """What approving one of each group does to the riskiest group's rate − least ratio · the safest's."""
    if book.group is None:
        return np.zeros(len(book))
    known = book.group >= 0
    sizes = np.maximum(np.bincount(book.group[known]), 1)
    mean = np.bincount(book.group[known], weights=book.pd[known]) / sizes
    weight = np.zeros(len(sizes))
    weight[mean.argmax()] += len(book) / sizes[mean.argmax()]
    weight[mean.argmin()] -= ratio_min * len(book) / sizes[mean.argmin()]
    return np.where(known, weight[np.maximum(book.group, 0)], 0.0)


def _written(pd: float) -> float:
    """A cut-off in the digits a person would write, not below the PD."""
    return float(round(np.floor(pd * 10**DIGITS) / 10**DIGITS + 10.0**-DIGITS, DIGITS))
