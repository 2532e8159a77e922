"""How well a score ranks: the area under the ROC curve with its variance, people with several loans allowed."""

from dataclasses import dataclass
from math import exp, isnan, log, nan, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import rankdata

from models.arrays import Codes, Flags, Floats


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval; None where the data cannot tell."""

    value: float | None
    low: float | None = None
    high: float | None = None


def auc(score: Floats, bad: Flags, person: Codes, confidence: float, within: Codes | None = None) -> Estimate:
    """Chance that a bad loan scores above a good one (ties count half), with its interval.

    With `within` (folds), only pairs of the same fold are compared, since scores of different boosters are not on one
    scale; folds are weighted by their pairs. The interval is symmetric on the logit scale, so it stays within 0 and 1.
    There is none for an area of 0 or 1, nor where one person alone is bad or good: nothing tells how it would vary.
    Source: DeLong, DeLong and Clarke-Pearson 1988; for several loans a person, Obuchowski 1997.
    """
    strata = np.zeros(len(bad), dtype=np.int64) if within is None else within
    found = [_area(score[m], bad[m], person[m]) for s in np.unique(strata) for m in [strata == s] if bad[m].any()]
    pairs = np.array([p for _, _, p in found])
    if pairs.sum() == 0:
        return Estimate(None)
    weight = pairs / pairs.sum()
    value = float((weight * [a for a, _, _ in found]).sum())
    variance = float((weight**2 * [v for _, v, _ in found]).sum())
    if not 0 < value < 1 or isnan(variance):
        return Estimate(value)
    return Estimate(value, *logit_interval(value, variance, confidence))


def gini(area: Estimate) -> Estimate:
    """Twice the area less one, with the area's interval."""
    return Estimate(*(None if a is None else 2 * a - 1 for a in (area.value, area.low, area.high)))


def logit_interval(value: float, variance: float, confidence: float) -> tuple[float, float]:
    """An interval, symmetric on the logit scale, for a share between 0 and 1, both excluded."""
    centre = log(value / (1 - value))
    reach = float(ndtri(0.5 + confidence / 2)) * sqrt(variance) / (value * (1 - value))
    return 1 / (1 + exp(reach - centre)), 1 / (1 + exp(-reach - centre))


def _area(score: Floats, bad: Flags, person: Codes) -> tuple[float, float, int]:
    """Area, its variance, and the pairs it was made of."""
    m, n = int(bad.sum()), int((~bad).sum())
    if m == 0 or n == 0:
        return 0.0, 0.0, 0
    ranks = rankdata(score)
    of_bad = (ranks[bad] - rankdata(score[bad])) / n
    of_good = 1 - (ranks[~bad] - rankdata(score[~bad])) / m
    area = float(of_bad.mean())
    _, who = np.unique(person, return_inverse=True)
    people = int(who.max()) + 1
    x = np.bincount(who[bad], of_bad - area, people)
    y = np.bincount(who[~bad], of_good - area, people)
    among_bad, among_good = len(np.unique(who[bad])), len(np.unique(who[~bad]))
    variance = _scaled(x * x, among_bad) / m**2 + _scaled(y * y, among_good) / n**2
    return area, variance + 2 * _scaled(x * y, people) / (m * n), m * n


def _scaled(products: npt.NDArray[Any], clusters: int) -> float:
    return float(products.sum()) * clusters / (clusters - 1) if clusters > 1 else nan
