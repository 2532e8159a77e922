"""Why a score is below the baseline: contributions gathered by reason code, few, none twice, each proven by its flip.

The *flip test*: set the inputs a reason names to their better values, and the score must rise. A reason that does not
stand it is not told. See `saakh.flips`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from math import isnan
from typing import NamedTuple

import numpy as np

from saakh.additive import NOBODY, Additive, Explained
from saakh.flips import Flips
from saakh.input_policy import InputRule
from saakh.manifest import ReasonRule
from saakh.spec import FeatureSpec
from saakh.trees import Array

MILLIONTHS = np.array(1e6)
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
        self._rule, self._points_per_unit = rule, points_per_unit
        place = {code.code: i for i, code in enumerate(self._codes)}
        self._names = [s.name for s in specs]
        self.group = np.array([place[s.reason_code] for s in specs])
        self._members = [np.flatnonzero(self.group == g).tolist() for g in range(len(self._codes))]
        self.flips = Flips(specs, policy, model, self.group, len(self._codes))

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
        order = self._ordered(contributions)
        at_hand = list(islice(order, self._rule.most + 1))
        at_most = self.flips.at_most(found, withheld) if at_hand and self.flips.are_known else []
        proven: set[int] = set()
        while True:
            clear = clear_of_ties([total for _, total in at_hand], self._rule.most, self._rule.tie_points)
            told = [_Gathered(*one, self._lowered(one[0], contributions)) for one in at_hand[:clear]]
            tried = [one for one in told if at_most and one.group not in proven]
            fallen = {one.group for one in tried if not self._rises(x, one, found, withheld, at_most)}
            if not fallen:
                return tuple([self._reason(one, x) for one in told])
            proven |= {one.group for one in tried} - fallen
            at_hand = [one for one in at_hand if one[0] not in fallen]
            at_hand += islice(order, self._rule.most + 1 - len(at_hand))

    def _ordered(self, contributions: Array) -> Iterator[tuple[int, float]]:
        """The codes that lowered the score noticeably and by how much, the weightiest first."""
        totals = np.bincount(self.group, contributions, len(self._codes))
        # Rounded, so that equal weights come in the order of codes and not of rounding errors.
        for group in np.rint(totals * MILLIONTHS).argsort(kind="stable").tolist():
            total = totals.item(group)
            if total > -self._rule.least_points:
                return
            yield group, total

    def _lowered(self, group: int, contributions: Array) -> list[int]:
        """The features of a code that lowered the score, the weightiest first."""
        points = contributions.item
        return sorted([i for i in self._members[group] if points(i) < 0], key=points)

    def _rises(
        self, x: Array, one: _Gathered, found: Explained, withheld: frozenset[int], at_most: Sequence[float]
    ) -> bool:
        """Whether a reason raises the score when it is flipped; the trees are asked where no bound tells."""
        straight = self.flips.in_linear(x, one.lowered, found)
        if self._is_rise(straight + at_most[one.group]):
            return True
        return self._is_rise(straight + self.flips.in_trees(x, one.group, one.lowered, found, withheld))

    def _is_rise(self, change: float) -> bool:
        return change * self._points_per_unit > RISE_LEAST

    def _reason(self, one: _Gathered, x: Array) -> Reason:
        code, names, value = self._codes[one.group], self._names, x.item
        unknown = tuple([names[i] for i in one.lowered if isnan(value(i))])
        return Reason(code.code, code.text, one.total, tuple([names[i] for i in one.lowered]), unknown)


def clear_of_ties(totals: Sequence[float], most: int, tie: float) -> int:
    """How many of these rising totals to tell, at most `most`: up to the last that is clearly ahead of the next.

    Which of two near ties is left out would be chance. When none is clearly ahead, up to the widest gap.
    """
    gaps = [after - before for before, after in pairwise(totals)]
    if len(totals) <= most:
        return len(totals)
    clear = [number for number, gap in enumerate(gaps, 1) if gap >= tie]
    return clear[-1] if clear else 1 + max(range(len(gaps)), key=lambda i: (gaps[i], i))
