"""What chance could have made of a figure: people drawn with replacement, each with all of their loans."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.special import ndtr, ndtri

from models.arrays import Codes, Floats
from models.discrimination import Estimate

BLOCK = 4_000_000
"""How many weights are held at a time."""


def resampled(figures: Callable[[Floats], Floats], person: Codes, resamples: int, seed: int) -> Floats:
    """Figures of bootstrap samples, resamples × figures.

    `figures` takes weights (samples × rows) and returns samples × figures. Persons, not rows, are drawn: one person's
    loans go well or badly together.
    """
    _, who = np.unique(person, return_inverse=True)
    return np.concatenate([figures(drawn[:, who]) for drawn in _draws(int(who.max()) + 1, len(who), resamples, seed)])


def interval(value: float, drawn: Floats, confidence: float) -> Estimate:
    """The bias-corrected percentile interval (Efron 1981), since some figures, KS above all, rise by resampling.

    None where no resample moves the figure: loans of which none went bad do not prove that none will.
    """
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or len(drawn) == 0:
        return Estimate(float(value) if np.isfinite(value) else None)
    if drawn.min() == drawn.max():
        return Estimate(float(value))
    below = ((drawn < value).sum() + (drawn == value).sum() / 2) / len(drawn)
    shift = 2 * float(ndtri(np.clip(below, 0.5 / len(drawn), 1 - 0.5 / len(drawn))))
    reach = float(ndtri(0.5 + confidence / 2))
    low, high = np.quantile(drawn, [ndtr(shift - reach), ndtr(shift + reach)])
    return Estimate(float(value), float(low), float(high))


def _draws(people: int, rows: int, resamples: int, seed: int) -> Iterator[Floats]:
    rng = np.random.default_rng(seed)
    step = max(1, BLOCK // rows)
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        yield np.stack([np.bincount(rng.integers(0, people, people), minlength=people) for _ in range(count)]).astype(
            float
        )
