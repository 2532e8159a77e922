"""From log-odds of bad to points, probability and band."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from math import exp, log

import numpy as np

from saakh.trees import Array


@dataclass(frozen=True)
class Scale:
    """Points on a log-odds scale: `base_points` at `base_odds` good to one bad, and `pdo` points double the odds.

    points = offset − factor · log-odds of bad, with factor = pdo / ln 2 and offset = base_points − factor · ln
    base_odds (Siddiqi 2006, *Credit Risk Scorecards*, chapter 6). 600 at 50:1 with 20: factor 28.8539, offset 487.123.
    """

    base_points: float
    base_odds: float
    pdo: float

    @cached_property
    def factor(self) -> float:
        """Points per unit of log-odds."""
        return self.pdo / log(2)

    @cached_property
    def offset(self) -> float:
        """Points at even odds."""
        return self.base_points - self.factor * log(self.base_odds)

    def points(self, log_odds: float) -> float:
        """Points for a log-odds of bad."""
        return self.offset - self.factor * log_odds


@dataclass(frozen=True)
class Calibration:
    """What turns the trees' sum into log-odds of bad: slope · sum + intercept."""

    slope: float = 1.0
    intercept: float = 0.0


@dataclass(frozen=True)
class Band:
    """A class of scores: from `from_points` up to the next band's; None is the lowest band."""

    name: str
    from_points: float | None


class Bands:
    """Bands from the best to the worst, as a scorecard lists them."""

    def __init__(self, bands: tuple[Band, ...]) -> None:
        ascending = bands[::-1]
        self.names = tuple(b.name for b in ascending)
        self.cutoffs = [b.from_points for b in ascending if b.from_points is not None]

    def of(self, points: float) -> str:
        """The band of a score; a score on a cut-off is in the band above it."""
        return self.names[bisect_right(self.cutoffs, points)]

    def of_many(self, points: Array) -> Array:
        """The bands of scores [rows], as strings."""
        return np.array(self.names)[np.searchsorted(self.cutoffs, points, side="right")]


def probability(log_odds: float) -> float:
    """The probability that has these log-odds."""
    small = exp(-abs(log_odds))
    return 1 / (1 + small) if log_odds >= 0 else small / (1 + small)


def probabilities(log_odds: Array) -> Array:
    """The probabilities that have these log-odds."""
    small = np.exp(-np.abs(log_odds))
    return np.where(log_odds >= 0, 1.0, small) / (1 + small)
