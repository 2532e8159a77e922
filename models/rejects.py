"""How a score does on everybody who applied, when outcomes are known of the loans that were granted alone.

Where a lender grants a few loans at random among those it would decline, each with a chance it keeps, those few tell of
the declined. Where it does not, nothing does, and only bounds can be given. Sources: Horvitz and Thompson 1952 (inverse
propensity); Hand and Henley 1993 (why scores alone cannot tell of the declined).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from models.arrays import Codes, Flags, Floats
from models.calibration import calibrated, logit
from models.discrimination import Estimate
from models.resampling import interval, resampled

FIGURES = ("auc", "bad_rate")
STEPS = 20
BOUND_CUTS = 41
"""At how many scores, evenly spread over the declined, outcomes are turned to find the best and the worst case."""


@dataclass(frozen=True)
class Door:
    """All applications of a time, granted or declined; `bad` counts where `granted`.

    `propensity` is the chance with which each was to be granted: 1 by the rule, less where the lender explores, 0 where
    it never grants, NaN where it was not kept.
    """

    log_odds: Floats
    bad: Flags
    granted: Flags
    propensity: Floats
    person: Codes

    @property
    def explored(self) -> Flags:
        """Loans granted by chance, which the rule alone would have declined."""
        return self.granted & (self.propensity > 0) & (self.propensity < 1)

    @property
    def is_open(self) -> bool:
        """Whether everybody had a known chance to be granted, and some of the explored ended well and some badly."""
        found = self.bad[self.explored]
        return bool((self.propensity > 0).all()) and 0 < found.sum() < len(found)


def among_granted(door: Door, confidence: float, resamples: int, seed: int) -> dict[str, Estimate]:
    """The figures of the granted loans, taken for those of all."""
    return _estimated(door, lambda weights: (weights * door.granted, door.bad), confidence, resamples, seed)


def by_inverse_propensity(door: Door, confidence: float, resamples: int, seed: int) -> dict[str, Estimate]:
    """Each granted loan stands for as many applications as had its chance: unbiased whatever the rule, but noisy."""
    stands_for = np.where(door.granted, 1 / np.where(door.granted, door.propensity, 1.0), 0.0)
    return _estimated(door, lambda weights: (weights * stands_for, door.bad), confidence, resamples, seed)


def by_expectation(door: Door, confidence: float, resamples: int, seed: int) -> dict[str, Estimate]:
    """Each declined application counts as bad by its expected share; what is known of granted loans stays as it is.

    Expected is what granted loans of its score do, moved in log-odds by what the explored loans do beyond that: one
    number learned from few loans, so this is far less noisy, and right where the declined differ by such a shift. (A
    second number, for how well the score tells them apart, was as noisy as inverse propensity.)
    """
    line, (explored, likeness) = _line(door), _likeness(door)

    def outcomes(weights: Floats) -> tuple[Floats, Floats]:
        moved = _shifts(line[explored], door.bad[explored], weights[:, explored] * likeness)
        return weights, np.where(door.granted, door.bad, expit(line + moved[:, None]))

    return _estimated(door, outcomes, confidence, resamples, seed)


def expected_shares(door: Door) -> Floats:
    """The share of each application that `by_expectation` takes for bad; not moved where no loan is explored."""
    line, moved = _line(door), 0.0
    if door.is_open:
        explored, likeness = _likeness(door)
        moved = float(_shifts(line[explored], door.bad[explored], likeness[None, :])[0])
    return np.where(door.granted, door.bad, expit(line + moved))


def bounds(door: Door) -> dict[str, tuple[float, float]]:
    """The least and the most each figure could be, whatever became of the declined; without allowing for chance."""
    declined, found = ~door.granted, []
    cuts = np.quantile(door.log_odds[declined], np.linspace(0, 1, BOUND_CUTS))
    ones = np.ones((1, len(door.bad)))
    for cut in (*cuts, np.inf):
        for turned in (door.log_odds >= cut, door.log_odds < cut):
            outcome = np.where(door.granted, door.bad, turned)
            found.append(_figures(_sorted(door.log_odds), ones, outcome.astype(np.float64))[0])
    low, high = np.nanmin(found, axis=0), np.nanmax(found, axis=0)
    return {name: (float(a), float(b)) for name, a, b in zip(FIGURES, low, high, strict=True)}


def _line(door: Door) -> Floats:
    """Log-odds that are right for granted loans."""
    return calibrated(door.log_odds, logit(door.log_odds[door.granted], door.bad[door.granted]))


def _likeness(door: Door) -> tuple[Codes, Floats]:
    """The explored loans, and how much more each is like a declined application than they are on average."""
    explored = np.flatnonzero(door.explored)
    odds = (1 - door.propensity[explored]) / door.propensity[explored]
    return explored, odds / odds.mean()


Outcomes = Callable[[Floats], tuple[Floats, Floats | Flags]]
"""From weights (samples × loans), the weights that count and the share of each loan that is bad."""


def _estimated(door: Door, outcomes: Outcomes, confidence: float, resamples: int, seed: int) -> dict[str, Estimate]:
    places = _sorted(door.log_odds)

    def figures(weights: Floats) -> Floats:
        counted, share = outcomes(weights)
        return _figures(places, counted, np.asarray(share, dtype=np.float64))

    value = figures(np.ones((1, len(door.bad))))[0]
    drawn = resampled(figures, door.person, resamples, seed)
    return {name: interval(float(value[i]), drawn[:, i], confidence) for i, name in enumerate(FIGURES)}


def _sorted(score: Floats) -> tuple[Codes, Codes]:
    """The loans in the order of their scores, and the places where a new score begins."""
    order = np.argsort(score, kind="stable")
    return order, np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])


def _figures(places: tuple[Codes, Codes], weight: Floats, share: Floats) -> Floats:
    """AUC and bad rate (samples × figures) of weighted loans, each bad by its share; ties count half."""
    order, first = places
    bads = np.add.reduceat((weight * share)[:, order], first, axis=1)
    goods = np.add.reduceat((weight * (1 - share))[:, order], first, axis=1)
    below = np.cumsum(goods, axis=1) - goods
    with np.errstate(divide="ignore", invalid="ignore"):
        area = (bads * (below + goods / 2)).sum(axis=1) / (bads.sum(axis=1) * goods.sum(axis=1))
        return np.stack([area, bads.sum(axis=1) / (bads + goods).sum(axis=1)], axis=1)


def _shifts(line: Floats, bad: Flags, weights: Floats) -> Floats:
    """For each sample of weights, how far log-odds `line` are to be moved, by greatest likelihood.

    A normal prior of unit spread holds it to 0, so that few explored loans move it no farther than they can tell.
    """
    shift = np.zeros(len(weights))
    for _ in range(STEPS):
        pd = expit(line + shift[:, None])
        slope = (weights * (bad - pd)).sum(axis=1) - shift
        shift = shift + slope / ((weights * pd * (1 - pd)).sum(axis=1) + 1)
    return shift
