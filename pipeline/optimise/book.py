"""A book of applications, and what a lending strategy would make of it: who is lent to, how much, at what profit.

The same rules as `saakh.offers`, for whole arrays; income is left out, for it is no strategy's to set.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.arrays import Codes, Flags, Floats
from saakh.pricing import is_worth_lending, profit, required, worths
from saakh.terms import Lender, Strategy

Ints = Codes
PD_MOST = 1 - 1e-12


@dataclass(frozen=True)
class Book:
    """Applications: PD, amount asked for in minor units, term in months, and a group to compare approval by, or None.

    `pd` is what is decided by. `truth`, where it is known, is what figures are reckoned with instead: outcomes (0 or 1)
    or a simulated world's true probabilities.
    """

    pd: Floats
    asked: Ints
    months: Ints
    group: Codes | None = None
    truth: Floats | None = None

    def __len__(self) -> int:
        """How many applications."""
        return len(self.pd)

    @cached_property
    def risk(self) -> Floats:
        """What figures are reckoned with."""
        return self.pd if self.truth is None else self.truth


@dataclass(frozen=True)
class Figures:
    """What a strategy makes of a book. Money in minor units; `profit` is expected, an application of the book.

    `ratio` is the lowest approval rate of a group over the highest; None without groups.
    """

    approval: float
    bad_rate: float
    profit: float
    lent: float
    ratio: float | None


@dataclass(frozen=True)
class Lent:
    """Who is lent to, what, and the profit expected on it (0 where nothing is)."""

    is_lent: Flags
    amount: Ints
    profit: Floats


def lend(book: Book, lender: Lender, strategy: Strategy, pd_slope: float = 0.0) -> Lent:
    """Who a strategy lends to: what was asked for, as far as limits allow, else the most of a smaller class."""
    step = lender.step_minor
    most = np.minimum(np.minimum(book.asked, lender.most_minor), limits(strategy, book.pd)) // step * step
    amount, is_lent = np.zeros(len(book), np.int64), np.zeros(len(book), bool)
    for edge in (None, *reversed(strategy.amounts)):
        tried = most if edge is None else np.minimum(most, edge // step * step)
        fits = ~is_lent & (tried >= lender.least_minor) & (book.pd <= cutoffs(strategy, tried, book.months))
        fits &= can_lend(book, lender, tried)
        amount, is_lent = np.where(fits, tried, amount), is_lent | fits
    return Lent(is_lent, amount, np.where(is_lent, earned(book, lender, amount, pd_slope), 0.0))


def figures(book: Book, lent: Lent) -> Figures:
    """The figures of what was lent."""
    approved, number = int(lent.is_lent.sum()), max(len(book), 1)
    return Figures(
        approval=approved / number,
        bad_rate=float(book.risk[lent.is_lent].mean()) if approved else 0.0,
        profit=float(lent.profit.sum()) / number,
        lent=float(lent.amount.sum()),
        ratio=ratio(book, lent.is_lent),
    )


def ratio(book: Book, is_lent: Flags) -> float | None:
    """The lowest approval rate of a group over the highest: the adverse impact ratio."""
    if book.group is None:
        return None
    known = book.group >= 0
    sizes = np.bincount(book.group[known])
    shares = np.bincount(book.group[known], weights=is_lent[known])[sizes > 0] / sizes[sizes > 0]
    return float(shares.min() / shares.max()) if len(shares) and shares.max() > 0 else None


def limits(strategy: Strategy, pd: Floats) -> Ints:
    """`Strategy.limit` of many."""
    edges = np.array([edge for edge, _ in strategy.limits])
    most = np.array([most for _, most in strategy.limits] + [0], np.int64)
    return np.asarray(most[np.searchsorted(edges, pd)], np.int64)


def cutoffs(strategy: Strategy, amount: Ints, months: Ints) -> Floats:
    """`Strategy.cutoff` of many."""
    place, found = np.searchsorted(strategy.amounts, amount), np.full(len(amount), -1.0)
    for term, edges in strategy.cutoffs.items():
        rows = months == term
        found[rows] = np.array(edges)[place[rows]]
    return found


def can_lend(book: Book, lender: Lender, amount: Ints) -> Flags:
    """Whether the lender offers the term, and expects at its highest rate the least profit it lends for."""
    offered = np.isin(book.months, lender.months)
    worth = _worth(book, lender, amount)
    return offered & is_worth_lending(book.pd, amount, worth, lender.economics, lender.charges)


def earned(book: Book, lender: Lender, amount: Ints, pd_slope: float = 0.0) -> Floats:
    """The profit expected on these amounts, at the price of the PD; a smaller loan than asked for is the safer one."""
    lower = np.log(np.maximum(amount, 1) / book.asked)
    with np.errstate(divide="ignore"):
        odds = np.log(book.risk) - np.log1p(-book.risk)
    risk = 1 / (1 + np.exp(-(odds + pd_slope * lower))) if pd_slope else book.risk
    worth = _worth(book, lender, amount)
    return np.asarray(profit(risk, amount, worth, lender.economics, lender.charges), np.float64)


def _worth(book: Book, lender: Lender, amount: Ints) -> Floats:
    """What a unit of principal is worth if paid as agreed, at each application's rate."""
    pd = np.minimum(book.pd, PD_MOST)
    needed = required(pd, np.maximum(amount, 1), lender.economics, lender.charges)
    found = np.zeros(len(book))
    for months in np.unique(book.months).tolist():
        rows, known = book.months == months, np.array(worths(lender, months))
        found[rows] = known[np.minimum(np.searchsorted(known, needed[rows]), len(known) - 1)]
    return found
