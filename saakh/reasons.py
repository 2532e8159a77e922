"""Why a score is below the baseline: contributions gathered by reason code, few, none twice, each proven by its flip.

The *flip test*: set the inputs a reason names to their better values, and the score must rise. A reason that does not
stand it is not told. Most are known to stand it without a try: what trees could take away is bounded, and the linear
part gives back at least what it took.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isnan

import numpy as np

from saakh.additive import NOBODY, Additive
from saakh.input_policy import InputRule
from saakh.manifest import ReasonRule
from saakh.spec import FeatureSpec
from saakh.trees import Array

RISE_LEAST = 1e-9
"""Points by which a flip must raise the score."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One principal reason.

    `points` (below zero) is what its features changed together; `features` are those that lowered the score, the
    weightiest first; `unknown` are those of them whose value was missing, so that nobody is told what was not seen.
    `text` is English; `Scorecard.reason_texts` has the other languages by `code`.
    """

    code: str
    text: str
    points: float
    features: tuple[str, ...]
    unknown: tuple[str, ...]


class Reasons:
    """The rule by which reasons are chosen, for a scorecard's features and its model.

    `points_per_unit` turns log-odds before calibration into points. Where the input policy knows of no better values,
    as under protocol 1, nothing is flipped.
    """

    def __init__(
        self,
        specs: Sequence[FeatureSpec],
        rule: ReasonRule,
        policy: Sequence[InputRule],
        model: Additive,
        points_per_unit: float,
    ) -> None:
        self._codes = sorted(rule.codes, key=lambda code: code.code)
        self._rule, self._model, self._points_per_unit = rule, model, points_per_unit
        place = {code.code: i for i, code in enumerate(self._codes)}
        self._names = [s.name for s in specs]
        self.group = np.array([place[s.reason_code] for s in specs])
        self._members = [np.flatnonzero(self.group == g).tolist() for g in range(len(self._codes))]
        self._risk = [s.risk for s in specs]
        self._better = [rule.better for rule in policy]
        self._sure = self._surely() if any(b is not None for b in self._better) else [np.inf] * len(self._codes)

    @property
    def codes(self) -> tuple[str, ...]:
        """The reason codes, in the order of `group`'s numbers."""
        return tuple(code.code for code in self._codes)

    def of(self, x: Array, contributions: Array, withheld: frozenset[int] = NOBODY) -> tuple[Reason, ...]:
        """The reasons for contributions in points [features] of inputs [features], missing or withheld as NaN."""
        totals = np.bincount(self.group, weights=contributions, minlength=len(self._codes))
        # Rounded, so that equal weights come in the order of codes and not of rounding errors.
        order = np.argsort(totals.round(6), kind="stable").tolist()
        points = contributions.tolist()  # many times faster to go through than an array
        told: list[tuple[int, float, list[int]]] = []
        for group in order:
            total = totals.item(group)
            if total > -self._rule.least_points or len(told) > self._rule.most:
                break
            lowered = sorted([i for i in self._members[group] if points[i] < 0], key=points.__getitem__)
            if total <= self._sure[group] or self._rises(x, lowered, withheld):
                told.append((group, total, lowered))
        clear = clear_of_ties([total for _, total, _ in told], self._rule.most, self._rule.tie_points)
        return tuple(self._reason(*one, x) for one in told[:clear])

    def flipped(self, x: Array, features: Collection[int]) -> Array:
        """The inputs with those features at their better values; one that is better still stays as it is."""
        flipped = x.copy()
        for i in features:
            better = self._better[i]
            if better is not None and not (x[i] - better) * self._risk[i] < 0:
                flipped[i] = better
        return flipped

    def _rises(self, x: Array, features: Collection[int], withheld: frozenset[int]) -> bool:
        before, after = self._model.log_odds(np.stack((x, self.flipped(x, features))), withheld).tolist()
        return bool((after - before) * self._points_per_unit > RISE_LEAST)

    def _surely(self) -> list[float]:
        """For each reason, a total from which down its flip must raise the score, in points.

        The flip gives back what the linear part took, at least. What it took is the total less what trees took, which
        is no more than the range of each tree for each feature of the reason in it; and a tree takes away no more than
        its range, or nothing where all those features go the declared way.
        """
        trees, linear = self._model.trees, self._model.linear
        uncertain = np.zeros(len(self._codes))
        if len(trees.feature):
            spread = np.maximum.reduceat(trees.value, trees.leaf_start) - np.minimum.reduceat(
                trees.value, trees.leaf_start
            )
            tree = np.repeat(np.arange(len(trees.splits)), trees.splits)
            pairs = np.unique(np.stack((tree, trees.feature)), axis=1)
            of = self.group[pairs[1]]
            np.add.at(uncertain, of, spread[pairs[0]])
            free = np.array([r == 0 for r in self._risk])[pairs[1]]
            loose = np.unique(np.stack((pairs[0][free], of[free])), axis=1)
            np.add.at(uncertain, loose[1], spread[loose[0]])
        better = np.array([np.nan if b is None else b for b in self._better])
        effect = np.zeros(len(self._names))
        effect[linear.feature] = linear.effects_of(better)
        np.add.at(uncertain, self.group, np.maximum(effect, 0.0))
        unknown = np.bincount(self.group, weights=np.isnan(better), minlength=len(uncertain)) > 0
        sure = np.where(unknown, -np.inf, -uncertain * abs(self._points_per_unit) * (1 + 1e-9) - RISE_LEAST)
        return [float(s) for s in sure]

    def _reason(self, group: int, total: float, lowered: list[int], x: Array) -> Reason:
        code = self._codes[group]
        unknown = tuple(self._names[i] for i in lowered if isnan(x.item(i)))
        return Reason(code.code, code.text, total, tuple(self._names[i] for i in lowered), unknown)


def clear_of_ties(totals: Sequence[float], most: int, tie: float) -> int:
    """How many of these rising totals to tell, at most `most`: up to the last that is clearly ahead of the next.

    Which of two near ties is left out would be chance. When none is clearly ahead, up to the widest gap.
    """
    gaps = [after - before for before, after in pairwise(totals)]
    if len(totals) <= most:
        return len(totals)
    clear = [number for number, gap in enumerate(gaps, 1) if gap >= tie]
    return clear[-1] if clear else 1 + max(range(len(gaps)), key=lambda i: (gaps[i], i))
