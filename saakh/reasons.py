"""Why a score is below the baseline: contributions gathered by reason code, few, none twice, each proven by its flip.

The *flip test*: set the inputs a reason names to their better values, and the score must rise. A reason that does not
stand it is not told. Most are known to stand it without a try: the linear part gives back at least what it took, and
what trees could take away is bounded.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from math import isnan
from typing import NamedTuple

import numpy as np

from saakh.additive import NOBODY, NOTHING, Additive, Explained
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


class _Gathered(NamedTuple):
    """A reason code's number, its contributions added up, and the features that lowered the score."""

    group: int
    total: float
    lowered: list[int]


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
        read = {i: place for place, i in enumerate(model.linear.feature.tolist())}
        self._in_linear = [read.get(i) for i in range(len(self._names))]
        self._flips = any(better is not None for better in self._better)
        better = np.array([np.nan if value is None else value for value in self._better])
        self._linear_at_better = model.linear.effects_of(better) if self._flips else NOTHING
        self._loose, self._risked = self._at_risk() if self._flips else ([], [])
        everywhere = np.ones(len(model.trees.feature), bool)
        self._read_by = [model.lookup.some(some) for some in self._splitting(everywhere)] if self._flips else []

    @property
    def codes(self) -> tuple[str, ...]:
        """The reason codes, in the order of `group`'s numbers."""
        return tuple(code.code for code in self._codes)

    def of(
        self, x: Array, contributions: Array, found: Explained, withheld: frozenset[int] = NOBODY
    ) -> tuple[Reason, ...]:
        """The reasons for contributions in points [features] of inputs [features], missing or withheld as NaN.

        `found` is what the contributions come from, as `Additive.both` gives it.
        """
        points = contributions.tolist()  # many times faster to go through than an array
        order = self._ordered(contributions)
        at_hand = list(islice(order, self._rule.most + 1))
        proven: set[int] = set()
        while True:
            clear = clear_of_ties([total for _, total in at_hand], self._rule.most, self._rule.tie_points)
            told = [_Gathered(*one, self._lowered(one[0], points)) for one in at_hand[:clear]]
            tried = [o for o in told if o.group not in proven and not self._surely_rises(o, found)]
            fallen = {one.group for one in tried if self._falls(x, one, found, withheld)}
            if not fallen:
                return tuple([self._reason(one, x) for one in told])
            proven |= {one.group for one in tried} - fallen
            at_hand = [one for one in at_hand if one[0] not in fallen]
            at_hand += islice(order, self._rule.most + 1 - len(at_hand))

    def _ordered(self, contributions: Array) -> Iterator[tuple[int, float]]:
        """The codes that lowered the score noticeably and by how much, the weightiest first."""
        totals = np.bincount(self.group, weights=contributions, minlength=len(self._codes))
        # Rounded, so that equal weights come in the order of codes and not of rounding errors.
        for group in np.argsort(totals.round(6), kind="stable").tolist():
            total = totals.item(group)
            if total > -self._rule.least_points:
                return
            yield group, total

    def _lowered(self, group: int, points: list[float]) -> list[int]:
        """The features of a code that lowered the score, the weightiest first."""
        return sorted([i for i in self._members[group] if points[i] < 0], key=points.__getitem__)

    def flipped(self, x: Array, features: Collection[int]) -> Array:
        """The inputs with those features at their better values; one that is better still stays as it is."""
        flipped = x.copy()
        for i in features:
            better = self._better[i]
            if better is not None and not (x[i] - better) * self._risk[i] < 0:
                flipped[i] = better
        return flipped

    def _falls(self, x: Array, one: _Gathered, found: Explained, withheld: frozenset[int]) -> bool:
        """Whether a reason does not raise the score when it is flipped: only what reads its inputs is asked again."""
        flipped, some = self.flipped(x, one.lowered), self._read_by[one.group]
        trees = self._model.lookup.says(flipped, some, withheld) - found.trees.take(some.trees)
        change = float(trees.sum())
        for i in one.lowered:
            place = self._in_linear[i]
            if place is not None and flipped.item(i) != x.item(i):
                change += self._linear_at_better.item(place) - found.straight.item(place)
        return change * self._points_per_unit <= RISE_LEAST

    def _surely_rises(self, one: _Gathered, found: Explained) -> bool:
        """Whether a flip gives back more, in the linear part, than it could take anywhere.

        A tree takes no more than to its highest leaf, and nothing where all its features of the reason go the way they
        are declared to; the linear part takes what a better value costs in it against the mean.
        """
        if not self._flips:
            return True
        gained = -self._risked[one.group]
        for i in one.lowered:
            place = self._in_linear[i]
            if place is not None:
                gained += found.straight.item(place)
        loose = self._loose[one.group]
        if len(loose):
            gained += float(found.trees.take(loose).sum())
        return bool(gained * -self._points_per_unit > RISE_LEAST)

    def _splitting(self, where: Array) -> list[Array]:
        """For each reason, the trees that split on one of its inputs, at the splits that are marked."""
        trees = self._model.trees
        tree, of = np.repeat(np.arange(len(trees.splits)), trees.splits), self.group[trees.feature]
        return [np.unique(tree[where & (of == g)]) for g in range(len(self._codes))]

    def _at_risk(self) -> tuple[list[Array], list[float]]:
        """For each reason, the trees that may take something in a flip; and their highest leaves and linear costs."""
        trees, linear = self._model.trees, self._model.linear
        loose = self._splitting(np.array([risk == 0 for risk in self._risk])[trees.feature])
        risked = np.array([trees.highest[some].sum() for some in loose])
        np.add.at(risked, self.group[linear.feature], np.maximum(self._linear_at_better, 0.0))
        lacking = np.array([value is None for value in self._better])
        is_unknown = np.bincount(self.group, weights=lacking, minlength=len(risked)) > 0
        return loose, np.where(is_unknown, np.inf, risked).tolist()

    def _reason(self, one: _Gathered, x: Array) -> Reason:
        code = self._codes[one.group]
        unknown = tuple(self._names[i] for i in one.lowered if isnan(x.item(i)))
        return Reason(code.code, code.text, one.total, tuple(self._names[i] for i in one.lowered), unknown)


def clear_of_ties(totals: Sequence[float], most: int, tie: float) -> int:
    """How many of these rising totals to tell, at most `most`: up to the last that is clearly ahead of the next.

    Which of two near ties is left out would be chance. When none is clearly ahead, up to the widest gap.
    """
    gaps = [after - before for before, after in pairwise(totals)]
    if len(totals) <= most:
        return len(totals)
    clear = [number for number, gap in enumerate(gaps, 1) if gap >= tie]
    return clear[-1] if clear else 1 + max(range(len(gaps)), key=lambda i: (gaps[i], i))
