"""Why a score is below the baseline: contributions gathered by reason, the weightiest first, few, none twice."""

from dataclasses import dataclass

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
        place = {code.text: i for i, code in enumerate(rule.codes)}
        self._rule = rule
        self._names = [s.name for s in specs]
        self._group = np.array([place[s.reason] for s in specs])
        self._members = [np.flatnonzero(self._group == g).tolist() for g in range(len(rule.codes))]

    def of(self, x: Array, contributions: Array) -> tuple[Reason, ...]:
        """The reasons for contributions in points [features] of inputs [features]."""
        points = contributions.tolist()  # many times faster to go through than an array
        totals = np.bincount(self._group, weights=contributions, minlength=len(self._members))
        lowering = np.flatnonzero(totals <= -self._rule.least_points).tolist()
        # Rounded, so that equal weights are put in the order of codes and not of rounding errors.
        lowering.sort(key=lambda g: (round(float(totals[g]), 6), self._rule.codes[g].code))
        return tuple(self._reason(g, float(totals[g]), x, points) for g in lowering[: self._rule.most])

    def _reason(self, group: int, total: float, x: Array, points: list[float]) -> Reason:
        code = self._rule.codes[group]
        lowered = sorted([i for i in self._members[group] if points[i] < 0], key=points.__getitem__)
        missing = np.isnan(x[lowered]).tolist()
        unknown = tuple(self._names[i] for i, is_missing in zip(lowered, missing, strict=True) if is_missing)
        return Reason(code.code, code.text, total, tuple(self._names[i] for i in lowered), unknown)
