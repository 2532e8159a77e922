"""Population stability: the index, how large it may be without a change that matters, and the bands it is taken over.

PSI = Σ (actual − expected) · ln(actual / expected) over the shares of each band. Of two samples of n and m from one
population, PSI · nm / (n + m) is about chi-square with one degree of freedom fewer than bands (Yurdakul 2018): its mean
falls with the samples, so that a fixed 0.10 or 0.25 alarms at random in small ones and misses everything in large ones.
A limit here is a quantile of the noncentral chi-square whose noncentrality is a PSI that is tolerated (the idea of the
population resemblance statistic): small samples do not alarm by chance, nor large ones over trifles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.stats import chi2, ncx2, norm

from models.arrays import Codes, Floats
from models.psi import psi

BANDS = 10
ROWS_A_BAND = 25
"""A band holds as many rows of the smaller sample on average, so that its count is near enough to normal."""
EXPECTED_MIN = 5.0
STABLE, UNSTABLE = 0.10, 0.25
"""The convention that ignores sample sizes, printed beside the limits."""


@dataclass(frozen=True)
class Shift:
    """A change of distribution: the index, its limit, how likely so large a one is without a change that matters."""

    psi: float
    limit: float
    p: float
    bands: int


def shift(expected: Codes, actual: Codes, n: float, m: float, alarm: float, tolerated: float) -> Shift:
    """The index of two sets of counts in bands that are in order, against its limit.

    Args:
        expected: counts of the reference, one a band.
        actual: those of the batch.
        n: how many independent rows the reference is worth.
        m: how many the batch is worth.
        alarm: how often a change that is tolerated may pass the limit.
        tolerated: the index that counts as no change.
    """
    e, a = merged(expected, actual)
    index, freedom, scale = psi(e, a), max(len(e) - 1, 1), n * m / (n + m)
    beyond = ncx2(freedom, tolerated * scale) if tolerated > 0 else chi2(freedom)
    p = float(beyond.sf(index * scale)) if len(e) > 1 else 1.0
    return Shift(index, float(beyond.isf(alarm)) / scale, p, len(e))


def merged(expected: Codes, actual: Codes) -> tuple[Floats, Floats]:
    """Counts of bands in order, those joined to a neighbour of which either side would hold fewer than five.

    How many it would hold follows from both sides together, so that the joining does not hide a change.
    """
    e, a = expected.astype(np.float64), actual.astype(np.float64)
    while len(e) > 1:
        held = (e + a) / (e.sum() + a.sum()) * min(e.sum(), a.sum())
        least = int(held.argmin())
        if held[least] >= EXPECTED_MIN:
            break
        beside = [i for i in (least - 1, least + 1) if 0 <= i < len(e)]
        into = min(beside, key=lambda i: float(held[i]))
        e[into], a[into] = e[into] + e[least], a[into] + a[least]
        e, a = np.delete(e, least), np.delete(a, least)
    return e, a


def edges(values: Floats, rows: int) -> Floats:
    """Where values are cut into bands of about equal size in the reference: ten, fewer where `rows` are few."""
    known = values[~np.isnan(values)]
    bands = int(np.clip(rows // ROWS_A_BAND, 2, BANDS))
    if not len(known):
        return np.zeros(0)
    cuts = np.unique(np.quantile(known, np.arange(1, bands) / bands, method="higher"))
    return np.asarray(cuts[cuts > known.min()], np.float64)


def banded(values: Floats, cuts: Floats) -> Codes:
    """The band of each value: 0 where it is missing, else from 1; a value on a cut is in the band above it."""
    return np.where(np.isnan(values), 0, np.searchsorted(cuts, values, side="right") + 1).astype(np.int64)


def counts(codes: Codes, bands: int) -> Codes:
    """How many rows each band holds."""
    return np.bincount(codes, minlength=bands).astype(np.int64)


def worth(person: Codes) -> float:
    """How many independent rows these are worth at least: a person's rows may be as good as one."""
    sizes = np.unique(person, return_counts=True)[1]
    return float(len(person) ** 2 / (sizes**2).sum()) if len(person) else 0.0


def share_p(before: float, after: float, n: float, m: float, tolerated: float) -> float:
    """How likely two shares differ so much when they truly differ by no more than `tolerated`."""
    pooled = (before * n + after * m) / (n + m)
    spread = sqrt(max(pooled * (1 - pooled), 1e-12) * (1 / n + 1 / m))
    return min(1.0, 2 * float(norm.sf((abs(after - before) - tolerated) / spread)))


def mean_p(before: Floats, after: Floats, n: float, m: float, tolerated: float) -> float:
    """How likely two means differ so much when they truly differ by no more than `tolerated`."""
    spread = sqrt(before.var() / n + after.var() / m)
    gap = abs(float(after.mean() - before.mean())) - tolerated
    if spread == 0:
        return 1.0 if gap <= 0 else 0.0
    return min(1.0, 2 * float(norm.sf(gap / spread)))


def by_name(names: Sequence[str], values: Sequence[str]) -> Codes:
    """How often each name occurs, in the order of `names`."""
    place = {name: i for i, name in enumerate(names)}
    return counts(np.array([place[value] for value in values], np.int64), len(names))
