"""Why a score is below the baseline: contributions gathered by reason, the weightiest first, few, none twice."""

from dataclasses import dataclass
from math import isnan

import numpy as np

from saakh.manifest import ReasonRule
from saakh.spec import FeatureSpec
from saakh.trees import Array


@dataclass(frozen=True, slots=True)
class Reason:
    """One principal reason.

    `points` (below zero) is what its features changed together; `features` are those that lowered the score, the
    weightiest first; `unknown` are those of them whose value was missing, so that nobody is told what was not seen.
    """

    code: str
    text: str
    points: float
    features: tuple[str, ...]
    unknown: tuple[str, ...]


class Reasons:
    """The rule by which reasons are chosen, for a scorecard's features."""

    def __init__(self, specs: tuple[FeatureSpec, ...], rule: ReasonRule) -> None:
        self._codes = sorted(rule.codes, key=lambda code: code.code)
        self._most, self._least = rule.most, rule.least_points
        place = {code.text: i for i, code in enumerate(self._codes)}
        self._names = [s.name for s in specs]
        self._group = np.array([place[s.reason] for s in specs])
        self._members = [np.flatnonzero(self._group == g).tolist() for g in range(len(self._codes))]

    def of(self, x: Array, contributions: Array) -> tuple[Reason, ...]:
        """The reasons for contributions in points [features] of inputs [features]."""
        totals = np.bincount(self._group, weights=contributions, minlength=len(self._codes))
        # Rounded, so that equal weights come in the order of codes and not of rounding errors.
        first = np.argsort(totals.round(6), kind="stable")[: self._most].tolist()
        points = contributions.tolist()  # many times faster to go through than an array
        found = [(group, totals.item(group)) for group in first]
        return tuple(self._reason(group, total, x, points) for group, total in found if total <= -self._least)

    def _reason(self, group: int, total: float, x: Array, points: list[float]) -> Reason:
        code = self._codes[group]
        lowered = sorted([i for i in self._members[group] if points[i] < 0], key=points.__getitem__)
        unknown = tuple(self._names[i] for i in lowered if isnan(x.item(i)))
        return Reason(code.code, code.text, total, tuple(self._names[i] for i in lowered), unknown)
