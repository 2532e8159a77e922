"""An L2 logistic regression on bounded, monotone transforms of the inputs, whose coefficients keep declared directions.

The transform is the runtime's (`saakh.linear`), of the distance from the median in interquartile ranges. A missing
input stands at its mean, so being missing teaches nothing and adds nothing. The penalty is a normal prior (generalised
ridge): see `ridge`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from models.arrays import Codes, Flags, Floats, bands
from models.threads import one_thread
from saakh.grid import rounded
from saakh.linear import Linear, transformed
from saakh.scale import Calibration

PRIOR = 6.0
"""λ of λ/2 · β' R β for each column, with inputs of unit spread and the loss summed over the rows: all columns together
move the log-odds by 0.3 to 0.5."""
WEAKER = (3, 10, 30)
"""How many times less the other penalties are, for data that prove it wrong."""
UNDECLARED = 8.0
"""How much more the square of a coefficient costs whose direction nobody declared."""
TOGETHER = 0.5
"""The part of the prior by which coefficients of inputs that go together are alike."""
DIGITS = 4
"""Medians and ranges are kept to so many digits: a median is somebody's value."""
ROUNDS_MAX = 300
SMALLEST = 1e-6
QUARTERS = np.array([0.25, 0.5, 0.75])


@dataclass(frozen=True)
class Scaling:
    """The transform of each column: `center` and `scale`, and the `mean` and `spread` of what comes out."""

    center: Floats
    scale: Floats
    mean: Floats
    spread: Floats

    @classmethod
    def of(cls, x: Floats) -> "Scaling":
        """That of all rows: see `scaled`."""
        return scaled(x, np.arange(len(x)))[0]

    def __call__(self, x: Floats, rows: Codes | None = None) -> Floats:
        """Columns of mean 0 and unit spread, missing values at 0; of some rows, by default all."""
        some = np.arange(len(x)) if rows is None else rows
        z, j = np.empty((len(some), x.shape[1])), 0
        for band in bands(x, some, range(x.shape[1])):
            for column in band:
                bent = transformed(column, self.center[j, None], self.scale[j, None])
                column[:] = (bent - self.mean[j]) / self.spread[j]
                j += 1
            np.copyto(band, 0.0, where=np.isnan(band))
            z[:, j - len(band) : j] = band.T
        return z


def scaled(x: Floats, rows: Codes) -> tuple[Scaling, Floats]:
    """The scaling of some rows, and these rows by it, for what tells the one is most of the other.

    It is by median and interquartile range of each column, NaN left out; the deviation where the range is 0.
    """
    z, found = np.empty((len(rows), x.shape[1])), []
    for band in bands(x, rows, range(x.shape[1])):
        for column in band:
            there = ~np.isnan(column)
            known = column[there]
            center, scale = _center_and_scale(known)
            bent = transformed(known, np.array(center), np.array(scale))
            mean, spread = _moments(bent)
            found.append((center, scale, mean, spread))
            column[:] = 0.0
            column[there] = (bent - mean) / spread
        z[:, len(found) - len(band) : len(found)] = band.T
    return Scaling(*np.array(found).reshape(-1, 4).T), z


def penalties_for(columns: int, prior: float = PRIOR) -> tuple[float, ...]:
    """The penalties to choose among, the prior's first and strongest."""
    return tuple(columns * (prior / times) for times in (1, *WEAKER))


def ridge(z: Floats, monotone: Sequence[int]) -> Floats:
    """R [columns, columns] of the penalty λ/2 · β' R β: the inverse of the prior's covariance of coefficients, times λ.

    A direction that is declared is knowledge, so those coefficients are freer (unless none is). And where inputs go
    together, here over these rows, data cannot tell which of them counts; the prior then shares it out among them, for
    the next sample will not be able to tell either.
    """
    with one_thread():
        alike = z.T @ z
        usual = float(alike.diagonal().mean()) or 1.0
        inverse = np.linalg.inv((1 - TOGETHER) * np.eye(len(alike)) + TOGETHER / usual * alike)
    declared = np.asarray(monotone) != 0
    costs = np.where(declared | ~declared.any(), 1.0, np.sqrt(UNDECLARED))
    return np.asarray(costs[:, None] * inverse * costs)


def fits(
    z: Floats, bad: Flags, monotone: Sequence[int], penalties: Sequence[float], ridge: Floats | None = None
) -> list[Floats]:
    """For each penalty, intercept and coefficients [1 + columns] on columns that `Scaling` made; R is 1 by default."""
    bounds = [(None, None), *({1: (0.0, None), -1: (None, 0.0), 0: (None, None)}[m] for m in monotone)]
    cost = np.eye(z.shape[1]) if ridge is None else ridge
    at, found = np.zeros(1 + z.shape[1]), []
    at[0] = np.log(bad.mean() / (1 - bad.mean()))
    with one_thread():
        for penalty in penalties:
            at = minimize(
                _loss,
                at,
                (z, bad.astype(np.float64), penalty * cost),
                jac=True,
                method="L-BFGS-B",
                bounds=bounds,
                options={"maxiter": ROUNDS_MAX, "ftol": 1e-10, "gtol": 1e-7},
            ).x
            found.append(at)
    return found


def log_odds(z: Floats, fitted: Floats) -> Floats:
    """Log-odds of bad on columns that `Scaling` made."""
    with one_thread():
        return np.asarray(z @ fitted[1:] + fitted[0], dtype=np.float64)


def as_part(fitted: Floats, scaling: Scaling, weight: float) -> Linear:
    """The runtime's linear part, its output times `weight`; inputs that change nothing are left out."""
    per_unit = weight * fitted[1:] / scaling.spread
    kept = np.flatnonzero(np.abs(weight * fitted[1:]) > SMALLEST)
    arrays = {"center": scaling.center, "scale": scaling.scale, "coefficient": per_unit, "mean": scaling.mean}
    chosen = {name: values[kept] for name, values in arrays.items()}
    return Linear.of(len(per_unit), float(rounded(weight * fitted[0])), feature=kept, **chosen)


def stretched(fitted: Floats, middle: float, to: Calibration) -> Floats:
    """The fit with its log-odds calibrated about `middle`."""
    slope, level = to.slope, to.slope * (fitted[0] - middle) + to.intercept
    return np.concatenate(([level], slope * fitted[1:]))


def _loss(at: Floats, z: Floats, bad: Floats, cost: Floats) -> tuple[float, Floats]:
    """Penalised log-loss and its gradient, each a row of the sample on average."""
    score = z @ at[1:] + at[0]
    off = expit(score) - bad
    pull = cost @ at[1:]
    loss = np.logaddexp(0, score).sum() - bad @ score + at[1:] @ pull / 2
    slope = np.concatenate(([off.sum()], off @ z + pull))
    return float(loss / len(z)), slope / len(z)


def quartiles(values: Floats) -> Floats:
    """The three quartiles, as `np.quantile` has them to the last bit; it takes four times as long over a column."""
    ordered = np.sort(values)
    at = QUARTERS * (len(ordered) - 1)
    place = at.astype(np.int64)
    part, below, above = at - place, ordered[place], ordered[np.minimum(place + 1, len(ordered) - 1)]
    step = above - below
    return np.asarray(np.where(part < 0.5, below + step * part, above - step * (1 - part)))


def _center_and_scale(values: Floats) -> tuple[float, float]:
    if not len(values):
        return 0.0, 1.0
    low, middle, high = quartiles(values)
    scale = _short(high - low) or _short(values.std())
    return _short(middle), scale or 1.0


def _moments(values: Floats) -> tuple[float, float]:
    return (float(values.mean()), float(values.std()) or 1.0) if len(values) else (0.0, 1.0)


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}") + 0.0  # of two zeros that are equal, the one without a sign
