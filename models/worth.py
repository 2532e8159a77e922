"""What a ranking is worth: the H-measure, and the expected maximum profit of lending by it.

Both ask which loans would be refused at each price of a mistake. The best refusals follow from pools of loans: scores
made monotone against outcomes (the convex hull of the ROC curve), so that a pool of bad rate p is refused exactly when
refusing pays at p. Everything else is an integral over prices, known in closed form.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import betainc

from models.arrays import Codes, Flags, Floats
from models.discrimination import Estimate
from models.resampling import interval, resampled


@dataclass(frozen=True)
class Product:
    """What a loan brings and costs, as shares of the principal.

    `gain`: earned on a good loan. The loss of a bad one: nothing with chance `no_loss`, all of it with chance
    `whole_loss`, else anything between with equal chance.
    """

    gain: float
    no_loss: float = 0.55
    whole_loss: float = 0.1


WORTH = ("h_measure", "profit", "refused")


def worth(
    score: Floats, bad: Flags, person: Codes, product: Product | None, *, confidence: float, resamples: int, seed: int
) -> dict[str, Estimate]:
    """H-measure, expected maximum profit and the share refused for it, with bootstrap intervals.

    `profit` is earned beyond lending to everybody, as a share of the principal of all who applied; without
    a product it and `refused` are None.
    """

    def figures(weights: Floats) -> Floats:
        return np.stack([_figures(score, bad, weight, product) for weight in weights])

    values = figures(np.ones((1, len(bad))))[0]
    drawn = resampled(figures, person, resamples, seed)
    return {n: interval(v, drawn[:, i], confidence) for i, (n, v) in enumerate(zip(WORTH, values, strict=True))}


def pools(score: Floats, bad: Flags, weight: Floats) -> tuple[Floats, Floats]:
    """Bad rates of loans pooled so that they rise with the score, and the share of all loans in each pool."""
    values, at = np.unique(score[weight > 0], return_inverse=True)
    rows = np.bincount(at, weight[weight > 0], len(values))
    bads = np.bincount(at, (weight * bad)[weight > 0], len(values))
    found = isotonic_regression(bads / rows, weights=rows)
    starts = found.blocks[:-1]
    shares = np.add.reduceat(rows, starts)
    return np.add.reduceat(bads, starts) / shares, shares / shares.sum()


def h_measure(rate: Floats, share: Floats) -> float:
    """One less the least expected loss over that of knowing nothing (Hand 2009); NaN where all loans ended alike.

    The price c of refusing a good loan, 1 − c being that of granting a bad one, has a Beta(1 + p, 2 − p) distribution
    with p the bad rate (Hand and Anagnostopoulos 2014), so that figures of different lenders compare.
    """
    overall = float((rate * share).sum())
    if not 0 < overall < 1:
        return float("nan")
    least = float((share * _least_loss(rate, overall)).sum())
    return 1 - least / float(_least_loss(np.array([overall]), overall)[0])


def expected_profit(rate: Floats, share: Floats, product: Product) -> tuple[float, float]:
    """Expected maximum profit of refusing the worst loans, and the share refused (Verbraken and others 2014).

    A pool is refused when what it would lose outweighs what it would earn, once the loss of a bad loan is known.
    """
    between = 1 - product.no_loss - product.whole_loss
    earned = product.gain * (1 - rate)
    at_whole = np.maximum(rate - earned, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        even = np.where(rate > 0, np.minimum(earned / rate, 1), 1.0)  # the loss at which refusing begins to pay
    in_between = rate * (1 - even**2) / 2 - earned * (1 - even)
    profit = (share * (product.whole_loss * at_whole + between * in_between)).sum()
    refused = (share * (product.whole_loss * (rate > earned) + between * (1 - even))).sum()
    return float(profit), float(refused)


def _figures(score: Floats, bad: Flags, weight: Floats, product: Product | None) -> Floats:
    rate, share = pools(score, bad, weight)
    profit = (np.nan, np.nan) if product is None else expected_profit(rate, share, product)
    return np.array([h_measure(rate, share), *profit])


def _least_loss(rate: Floats, overall: float) -> Floats:
    """Expected least loss of a loan of some bad rate, over prices: min of c(1 − rate) and (1 − c) rate."""
    a, b = 1 + overall, 2 - overall
    refusing = a / (a + b) * betainc(a + 1, b, rate)  # E[c; c < rate]
    granting = b / (a + b) * (1 - betainc(a, b + 1, rate))  # E[1 − c; c > rate]
    return np.asarray((1 - rate) * refusing + rate * granting, dtype=np.float64)
