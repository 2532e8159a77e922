"""The flip test: set the inputs a reason names to their better values, and the score must rise.

The linear part says to the last bit what a flip earns in it. Compiled code then asks the trees that read the reason's
inputs. Without it most reasons are known to stand without a try: for each tree and each pattern of its answers a table
says the most the tree could take, whichever of a reason's inputs are flipped. That table is read in the same places as
the contributions, so it costs two calls of numpy for all reasons.
"""

from collections.abc import Collection, Sequence
from math import inf
from typing import NamedTuple

import numpy as np

from saakh.additive import NOBODY, NOTHING, Additive, Explained
from saakh.input_policy import InputRule
from saakh.lookup import Answers, Some, kept
from saakh.runs import distinct, starts
from saakh.spec import FeatureSpec
from saakh.trees import Array


class _Stakes(NamedTuple):
    """What trees could take in a flip, log-odds, laid out as `Answers.effects`; and by row the reason it is about."""

    most: Array
    group: Array


class Flips:
    """Flips of reasons: `group` [features] is the number of each input's reason, of `groups` in all.

    Where the input policy knows of no better values, as under protocol 1, nothing is flipped.
    """

    def __init__(
        self, specs: Sequence[FeatureSpec], policy: Sequence[InputRule], model: Additive, group: Array, groups: int
    ) -> None:
        self._model, self._group, self._groups = model, group, groups
        self._risk = [spec.risk for spec in specs]
        self._better = [rule.better for rule in policy]
        self.are_known = any(better is not None for better in self._better)
        self._values = np.array([np.nan if value is None else value for value in self._better])
        read = {i: place for place, i in enumerate(model.linear.feature.tolist())}
        self._in_linear = [read.get(i) for i in range(len(self._better))]
        self._linear_at_better: list[float] = (
            model.linear.effects_of(self._values) if self.are_known else NOTHING
        ).tolist()
        self._read_by: dict[int, Some] = {}
        self._no_bound = [inf] * groups
        self._stakes: dict[frozenset[int], _Stakes] = {}

    def flipped(self, x: Array, features: Collection[int]) -> Array:
        """The inputs with those features at their better values; one that is better still stays as it is."""
        flipped = x.copy()
        for i in features:
            better = self._better[i]
            if better is not None and not (x.item(i) - better) * self._risk[i] < 0:
                flipped[i] = better
        return flipped

    def at_most(self, found: Explained, withheld: frozenset[int] = NOBODY) -> list[float]:
        """For each reason, the most log-odds that the trees could add when some of its inputs are flipped.

        Infinity where nothing is known: compiled code asks the trees themselves sooner than it could say.
        """
        if self._model.is_compiled:
            return self._no_bound
        stakes = self._stakes.get(withheld)
        if stakes is None:  # threads may make one twice, which costs time and nothing else
            stakes = self._worked_out(self._model.lookup.answers(withheld))
            self._stakes = kept(self._stakes, withheld, stakes)
        if not len(found.places):
            return [0.0] * self._groups
        most: list[float] = np.bincount(stakes.group, stakes.most.take(found.places), self._groups).tolist()
        return most

    def in_linear(self, x: Array, features: Collection[int], found: Explained) -> float:
        """The log-odds that a flip of these features adds in the linear part."""
        change, straight, value = 0.0, found.straight.item, x.item
        for i in features:
            place, better = self._in_linear[i], self._better[i]
            if place is not None and better is not None and not (value(i) - better) * self._risk[i] < 0:
                change += self._linear_at_better[place] - straight(place)
        return change

    def in_trees(
        self, x: Array, group: int, features: Collection[int], found: Explained, withheld: frozenset[int] = NOBODY
    ) -> float:
        """The log-odds that a flip of these features of a reason adds in the trees: those that read them are asked."""
        some = self._read_by.get(group)
        if some is None:
            some = self._read_by[group] = self._model.lookup.some(self._reading(group))
        if self._model.is_compiled:
            return self._model.laid_out(withheld).in_trees(self.flipped(x, features), found.trees, some.trees)
        says = self._model.lookup.says(self.flipped(x, features), some, withheld)
        return float((says - found.trees.take(some.trees)).sum())

    def _reading(self, group: int) -> Array:
        """The trees that split on an input of a reason."""
        trees = self._model.trees
        reading = np.repeat(np.arange(len(trees.splits)), trees.splits)[self._group[trees.feature] == group]
        return reading[starts(reading)]

    def _worked_out(self, answers: Answers) -> _Stakes:
        """The most that each tree takes for each reason, in the first of the rows of both; 0 in the others.

        Flips only set bits of a pattern, so the highest value over all choices of what to flip is found bit by bit.
        """
        trees, shares = self._model.trees, answers.shares
        group, most = self._group[shares.feature], np.zeros(len(shares.effects))
        at_better = self._model.lookup.patterns(self._values)
        both = shares.owner * self._groups + group
        order = np.argsort(both, kind="stable")
        first = order[starts(both[order])]
        splits = trees.splits[shares.owner[first]]
        for count in distinct(splits):
            rows = first[splits == count]
            tree, patterns = shares.owner[rows], np.arange(1 << count)
            says = highest = answers.values.take(answers.value_at[tree][:, None] + patterns)
            for split in range(count):
                feature, bit = trees.feature[trees.split_start[tree] + split], 1 << split
                may = (self._group[feature] == group[rows]) & ~np.isnan(self._values[feature])
                after = np.take_along_axis(highest, patterns & ~bit | (at_better[tree] & bit)[:, None], axis=1)
                highest = np.where(may[:, None], np.maximum(highest, after), highest)
            most[shares.effect_at[rows][:, None] + patterns] = highest - says
        return _Stakes(most, group)
