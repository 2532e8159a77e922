"""Whether log-odds mean what they say: the line of outcomes on them, slope 1 and intercept 0 when they do."""

from math import isfinite, sqrt

import numpy as np
from scipy.special import expit, ndtri

from models.arrays import Codes, Flags, Floats
from models.discrimination import Estimate

STEPS = 50
TOLERANCE = 1e-10


def calibration_line(log_odds: Floats, bad: Flags, person: Codes, confidence: float) -> dict[str, Estimate]:
    """Slope and intercept of a logistic regression of bad on log-odds (Cox 1958), and the intercept at slope 1.

    A slope below 1: too sure of itself. An intercept at slope 1 above 0: too few bad loans foretold. Intervals allow
    for people with several loans (sandwich variance, clustered by person); None where outcomes are of one kind or
    separated by the score.
    """
    ones = np.ones_like(log_odds)
    slope = _estimates(np.stack([ones, log_odds], axis=1), bad, person, np.zeros_like(log_odds), confidence)
    at_large = _estimates(ones[:, None], bad, person, log_odds, confidence)
    return {"slope": slope[1], "intercept": slope[0], "intercept_at_slope_1": at_large[0]}


def _estimates(x: Floats, bad: Flags, person: Codes, offset: Floats, confidence: float) -> list[Estimate]:
    order = np.lexsort((bad, offset, *x.T))  # sums in one order, whatever that of the rows
    x, bad, person, offset = x[order], bad[order], person[order], offset[order]
    found = _fitted(x, bad, offset)
    if found is None:
        return [Estimate(None)] * x.shape[1]
    coefficients, bread = found
    _, who = np.unique(person, return_inverse=True)
    people = int(who.max()) + 1
    residual = bad - expit(offset + np.einsum("rc,c->r", x, coefficients))
    each = np.stack([np.bincount(who, column * residual, people) for column in x.T], axis=1)
    meat = np.einsum("pi,pj->ij", each, each) * people / max(people - 1, 1)
    variance = bread @ meat @ bread
    reach = float(ndtri(0.5 + confidence / 2))
    return [
        Estimate(float(c), float(c - reach * sqrt(v)), float(c + reach * sqrt(v)))
        for c, v in zip(coefficients, variance.diagonal(), strict=True)
    ]


def _fitted(x: Floats, bad: Flags, offset: Floats) -> tuple[Floats, Floats] | None:
    """Coefficients by Newton's method, and the inverse of the information; None where there is no maximum."""
    coefficients = np.zeros(x.shape[1])
    if bad.all() or not bad.any():
        return None
    for _ in range(STEPS):
        pd = expit(offset + np.einsum("rc,c->r", x, coefficients))
        information = np.einsum("ri,r,rj->ij", x, pd * (1 - pd), x)
        if not isfinite(np.linalg.cond(information)) or np.linalg.cond(information) > 1e12:
            return None
        inverse = np.linalg.inv(information)
        step = inverse @ np.einsum("rc,r->c", x, bad - pd)
        coefficients = coefficients + step
        if np.abs(step).max() < TOLERANCE:
            return coefficients, np.asarray(inverse, dtype=np.float64)
    return None
