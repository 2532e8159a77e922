"""Guarded calibration: the score as it is, unless stretching or shifting it proves better on loans it was not fit to.

Only changes that are affine in log-odds are allowed, so that contributions still add up. Source: Guo et al. 2017
(temperature), Platt 1999 (logit).
"""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from models.arrays import Codes, Flags, Floats
from models.metrics import surprise
from models.threads import one_thread
from saakh.scale import Calibration

IDENTITY = Calibration(1.0, 0.0)
BEYOND_NOISE = 1.0
"""How many standard errors a held-out gain must reach: a shift of z standard errors gains z / 2 of its own."""


def chosen(score: Floats, bad: Flags, person: Codes, fold: Codes) -> tuple[str, Calibration]:
    """The best calibrator of out-of-fold log-odds by held-out log-loss, by name; identity unless one wins beyond noise.

    Each is fit on all folds but one and judged on that one; a person's loans count together.
    """
    best, most = "identity", 0.0
    for name, fit in CALIBRATORS.items():
        gain = surprise(score, bad) - surprise(held_out(fit, score, bad, fold), bad)
        if errors(gain, person) > BEYOND_NOISE and gain.sum() > most:
            best, most = name, float(gain.sum())
    return best, CALIBRATORS[best](score, bad) if best in CALIBRATORS else IDENTITY


def errors(gain: Floats, person: Codes) -> float:
    """How many standard errors a gain, given a loan each, lies above 0; a person's loans count together."""
    by_person = np.bincount(np.unique(person, return_inverse=True)[1], gain)
    error = float(np.sqrt(((by_person - by_person.mean()) ** 2).sum()))
    return float(gain.sum()) / error if error else 0.0


def calibrated(score: Floats, calibration: Calibration) -> Floats:
    """Log-odds after calibration."""
    return score * calibration.slope + calibration.intercept


def temperature(score: Floats, bad: Flags) -> Calibration:
    """Log-odds divided by one number."""
    slope = _fit(np.stack([score], axis=1), bad, np.ones(1))
    return Calibration(float(slope[0]), 0.0)


def logit(score: Floats, bad: Flags) -> Calibration:
    """Log-odds stretched and shifted: a logistic regression on the score."""
    slope, intercept = _fit(np.stack([score, np.ones(len(score))], axis=1), bad, np.array([1.0, 0.0]))
    return Calibration(float(slope), float(intercept))


CALIBRATORS: Mapping[str, Callable[[Floats, Flags], Calibration]] = {"temperature": temperature, "logit": logit}


def held_out(fit: Callable[[Floats, Flags], Calibration], score: Floats, bad: Flags, fold: Codes) -> Floats:
    """Log-odds after a calibration that was fit without the row's fold."""
    out = np.empty(len(score))
    for f in np.unique(fold):
        held = fold == f
        out[held] = calibrated(score[held], fit(score[~held], bad[~held]))
    return out


def _fit(columns: Floats, bad: Flags, start: Floats) -> Floats:
    """Coefficients of least log-loss; sums by einsum, whose order no thread changes."""

    def loss(at: Floats) -> tuple[float, Floats]:
        score = np.einsum("rc,c->r", columns, at)
        slope = np.einsum("r,rc->c", expit(score) - bad, columns)
        return float(surprise(score, bad).mean()), slope / len(bad)

    bounds = [(0.1, 10.0), (-5.0, 5.0)][: len(start)]
    with one_thread():
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-13, "gtol": 1e-9})
    return np.asarray(found.x, dtype=np.float64)
