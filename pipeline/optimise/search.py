"""Search a strategy: cut-offs by term and amount, limits by PD, for expected profit under constraints.

With a price on each constraint (Lagrange), cells of term and amount part: each has its own best cut-off, found exactly.
The prices are then raised until the constraints hold. The groups that approval is compared by weigh in the prices
alone; nobody's cut-off depends on a group.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from models.arrays import Floats
from pipeline.optimise.book import Book, Figures, can_lend, earned, figures, lend
from pipeline.optimise.cells import Bounds, Cells, Prices, cells_of, group_weight, worth_of
from saakh.errors import ContractError
from saakh.terms import Lender, Strategy

PRICE_FIRST, PRICE_LAST, PRICE_STEP, PRICE_EXACT = 1e3, 1e13, 8.0, 0.01
TIERS = (0.02, 0.03, 0.05, 0.08, 0.12, 0.18, 0.25, 1.0)
"""PDs up to which one limit holds."""
TRIES = 5
STRICTER = 0.995


def flat(lender: Lender, pd_up_to: float, name: str = "flat") -> Strategy:
    """One cut-off and one limit for all."""
    return Strategy(name, (), dict.fromkeys(lender.months, (pd_up_to,)), ((1.0, lender.most_minor),))


def best_flat(book: Book, lender: Lender, pd_slope: float = 0.0) -> tuple[Strategy, Figures]:
    """The single cut-off of the highest expected profit on a book."""
    tried = [flat(lender, cut) for cut in grid(book)]
    found = [figures(book, lend(book, lender, strategy, pd_slope)) for strategy in tried]
    best = int(np.argmax([f.profit for f in found]))
    return tried[best], found[best]


def grid(book: Book, most: int = 100) -> list[float]:
    """Cut-offs that let in one more hundredth of the book each."""
    return sorted({float(q) for q in np.quantile(book.pd, np.arange(1, most + 1) / most)})


def optimised(
    book: Book,
    lender: Lender,
    amounts: Sequence[int],
    most: Sequence[int],
    bounds: Bounds,
    pd_slope: float = 0.0,
    name: str = "optimised",
) -> tuple[Strategy, Figures]:
    """The strategy of the highest expected profit within the bounds; a `ContractError` when none keeps to them.

    Args:
        book: applications to search on.
        lender: whose prices and costs count.
        amounts: where classes of amount end, in minor units, rising.
        most: limits to choose among.
        bounds: what to keep to.
        pd_slope: how much the log-odds of bad rise with the logarithm of a loan's amount.
        name: what to call the strategy.
    """
    asked = bounds
    for _ in range(TRIES):
        found = _searched(book, lender, tuple(amounts), most, asked, pd_slope, name)
        reached = figures(book, lend(book, lender, found, pd_slope))
        if bounds.hold(reached):
            return found, reached
        # Rounded cut-offs, and smaller loans where a larger is refused, let in a few more than the search reckons with.
        asked = replace(asked, bad_rate_max=asked.bad_rate_max * STRICTER, ratio_min=asked.ratio_min / STRICTER)
    raise ContractError(
        f"no cut-offs were found that keep all bounds: bad rate {reached.bad_rate:.4f} (at most "
        f"{bounds.bad_rate_max:.4f}), approval {reached.approval:.4f} (at least {bounds.approval_min:.4f}), ratio of "
        f"groups {reached.ratio or 0.0:.3f} (at least {bounds.ratio_min:.3f}); loosen one"
    )


def _searched(
    book: Book,
    lender: Lender,
    amounts: tuple[int, ...],
    most: Sequence[int],
    bounds: Bounds,
    pd_slope: float,
    name: str,
) -> Strategy:
    """Cut-offs and limits; limits are chosen twice, the second time at the prices that the first round finds."""
    prices, shape = Prices(), Strategy(name, amounts, {}, ())
    for _ in range(2):
        shape = replace(shape, limits=_limits(book, lender, most, prices, bounds, pd_slope))
        cells = cells_of(book, lender, shape, bounds, pd_slope)
        prices = _priced(cells, bounds)
    return replace(shape, cutoffs=cells.cutoffs(prices))


def _priced(cells: Cells, bounds: Bounds) -> Prices:
    """The lowest prices at which the bounds hold: of bad loans within those of approvals within that of the ratio."""

    def within_bad(prices: Prices) -> Prices:
        holds = _holding(cells, lambda f: f.bad_rate <= bounds.bad_rate_max)
        return _raised(lambda price: replace(prices, bad=price), holds, prices)

    def within_approval(prices: Prices) -> Prices:
        holds = _holding(cells, lambda f: f.approval >= bounds.approval_min)
        return _raised(lambda price: within_bad(replace(prices, approval=price)), holds, within_bad(prices))

    def within_ratio(prices: Prices) -> Prices:
        holds = _holding(cells, lambda f: (f.ratio or 0.0) >= bounds.ratio_min)
        return _raised(lambda price: within_approval(replace(prices, ratio=price)), holds, within_approval(prices))

    return within_ratio(Prices())


def _holding(cells: Cells, kept: Callable[[Figures], bool]) -> Callable[[Prices], bool]:
    return lambda prices: kept(cells.figures(prices))


def _raised(priced: Callable[[float], Prices], holds: Callable[[Prices], bool], free: Prices) -> Prices:
    """The lowest price at which a bound holds: none if it holds for nothing, else by steps and halving."""
    if holds(free):
        return free
    low, high = 0.0, PRICE_FIRST
    while not holds(priced(high)) and high < PRICE_LAST:
        low, high = high, high * PRICE_STEP
    while high - low > PRICE_EXACT * high:
        middle = (low + high) / 2
        low, high = (low, middle) if holds(priced(middle)) else (middle, high)
    return priced(high)


def _limits(
    book: Book, lender: Lender, most: Sequence[int], prices: Prices, bounds: Bounds, pd_slope: float
) -> tuple[tuple[float, int], ...]:
    """For each tier of PD the limit worth most, never above that of a safer tier."""
    options = sorted({min(m, lender.most_minor) for m in most}, reverse=True)
    tier, weight = np.searchsorted(TIERS, book.pd), group_weight(book, bounds.ratio_min)
    gains = np.zeros((len(TIERS), len(options)))
    for k, option in enumerate(options):
        granted = np.minimum(book.asked, option) // lender.step_minor * lender.step_minor
        fits = (granted >= lender.least_minor) & can_lend(book, lender, granted)
        worth = worth_of(book, earned(book, lender, granted, pd_slope), weight, prices, bounds.bad_rate_max)
        gains[:, k] = np.bincount(tier, weights=np.where(fits, np.maximum(worth, 0.0), 0.0), minlength=len(TIERS))
    chosen = [*falling(gains), len(options)]
    ends = [tier for tier in range(len(TIERS)) if chosen[tier] != chosen[tier + 1]]
    return tuple((TIERS[tier], options[chosen[tier]]) for tier in ends)


def falling(gains: Floats) -> list[int]:
    """One option a row, its number never falling from row to row, of the highest sum; of equals the first."""
    after = np.zeros(gains.shape[1])
    choices = []
    for row in gains[::-1]:
        total = row + after
        best = np.array([k + int(total[k:].argmax()) for k in range(len(total))])
        choices.append(best)
        after = total[best]
    found, at = [], 0
    for best in reversed(choices):
        at = int(best[at])
        found.append(at)
    return found
