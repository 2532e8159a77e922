"""The figures of a validation: ranking, calibration, and loss, each with its interval."""

import numpy as np
from scipy.special import expit

from models.arrays import Codes, Flags, Floats
from models.discrimination import Estimate, auc, gini
from models.resampling import interval, resampled

FIGURES = ("bad_rate", "brier", "log_loss", "observed_expected", "ks")


def probability(log_odds: Floats) -> Floats:
    """Probability of bad from its log-odds."""
    return np.asarray(expit(log_odds), dtype=np.float64)


def surprise(log_odds: Floats, bad: Flags) -> Floats:
    """−log of the probability given to what happened, a loan each."""
    return np.asarray(np.logaddexp(0, np.where(bad, -log_odds, log_odds)), dtype=np.float64)


def measured(
    log_odds: Floats,
    bad: Flags,
    person: Codes,
    *,
    confidence: float,
    resamples: int,
    seed: int,
    within: Codes | None = None,
) -> dict[str, Estimate]:
    """Every figure of a set of loans by name. `within` are folds, whose scores rank only against their own."""
    area = auc(log_odds, bad, person, confidence, within)
    others = resampled_figures(log_odds, bad, person, confidence=confidence, resamples=resamples, seed=seed)
    return {"auc": area, "gini": gini(area)} | others


def resampled_figures(
    log_odds: Floats, bad: Flags, person: Codes, *, confidence: float, resamples: int, seed: int
) -> dict[str, Estimate]:
    """The figures named in `FIGURES`, with bootstrap intervals."""
    order = np.argsort(log_odds, kind="stable")
    log_odds, bad, person = log_odds[order], bad[order], person[order]
    values = figures(log_odds, bad, np.ones((1, len(bad))))[0]
    drawn = resampled(lambda w: figures(log_odds, bad, w), person, resamples, seed)
    return {n: interval(v, drawn[:, i], confidence) for i, (n, v) in enumerate(zip(FIGURES, values, strict=True))}


def observed_expected(
    log_odds: Floats, bad: Flags, person: Codes, *, confidence: float, resamples: int, seed: int
) -> Estimate:
    """Bad loans over the sum of PDs, alone: for many small groups."""
    columns = np.stack([bad.astype(np.float64), probability(log_odds)], axis=1)

    def ratio(weight: Floats) -> Floats:
        bads, expected = np.einsum("sr,rc->cs", weight, columns)
        return np.asarray(bads / expected, dtype=np.float64)

    drawn = resampled(ratio, person, resamples, seed)
    return interval(float(ratio(np.ones((1, len(bad))))[0]), drawn, confidence)


def figures(log_odds: Floats, bad: Flags, weight: Floats) -> Floats:
    """Weighted figures of loans sorted by log-odds, one row a set of weights (sets × loans), in the order of `FIGURES`.

    NaN where undefined.

    Brier: mean squared error of the PD. Log-loss: mean −log of the probability given to what happened.
    Observed/expected: bad loans over the sum of PDs. KS: greatest distance between the two cumulative distributions.
    """
    pd = probability(log_odds)
    loss = surprise(log_odds, bad)
    # einsum adds in one fixed order; a matrix product would not, for every number of threads
    columns = np.stack([np.ones_like(pd), bad.astype(np.float64), pd, (pd - bad) ** 2, loss], axis=1)
    rows, bads, expected, squares, losses = np.einsum("sr,rc->cs", weight, columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        simple = [bads / rows, squares / rows, losses / rows, bads / expected]
        return np.stack([*simple, _ks(log_odds, bad, weight)], axis=1)


def _ks(score: Floats, bad: Flags, weight: Floats) -> Floats:
    last = np.flatnonzero(np.append(np.diff(score) != 0, True))  # equal scores count together
    bads, loans = np.cumsum(weight * bad, axis=1)[:, last], np.cumsum(weight, axis=1)[:, last]
    shares = bads / bads[:, -1:] - (loans - bads) / (loans - bads)[:, -1:]
    return np.asarray(np.abs(shares).max(axis=1), dtype=np.float64)
