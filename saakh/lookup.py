"""A whole ensemble as a few gathers: inputs to answers, answers to patterns, patterns to value and Shapley values."""

from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np

from saakh import shapley
from saakh.grid import rounded
from saakh.runs import starts
from saakh.shapley import Group
from saakh.trees import SPLITS_MAX, Array, Trees

ZERO = float(np.float32(1e-35))
WIDTH = SPLITS_MAX + 1
Made = TypeVar("Made")
SETS_KEPT = 16
"""For how many sets of refused inputs tables are kept; those of a large model take a few megabytes each."""


class Some(NamedTuple):
    """Some of the trees of a `Lookup`, and what their bits ask."""

    trees: Array
    source: Array
    threshold: Array


class Lookup:
    """Scores and explains inputs shaped [..., features], missing values NaN, in log-odds.

    `mean` is the output averaged over the training rows, each leaf by its cover: what is said when all is refused.

    Each tree has eight bits, so one `packbits` makes all patterns. A comparison with NaN is false; where a missing
    input goes left the split is asked the other way round, of the negated input, and its bit means right.
    """

    def __init__(self, trees: Trees, inputs: int) -> None:
        self.trees, self.inputs = trees, inputs
        flipped = trees.missing_left.astype(bool)
        self._lay_out_questions(trees, flipped)
        groups = shapley.groups(trees, flipped)
        self.mean = float(sum(shapley.mean(group).sum() for group in groups))
        self._plain = Answers(groups, [shapley.values(group) for group in groups], np.zeros(inputs, bool))
        self._with_refusals: dict[frozenset[int], Answers] = {}

    def _lay_out_questions(self, trees: Trees, flipped: Array) -> None:
        """What each bit asks: an input (plain, negated, or with zeros missing) and a threshold; spare bits are 0.

        By split, `kind` says which (1: negated, 2: zeros are missing), and `asked` is the threshold.
        """
        tree = np.repeat(np.arange(len(trees.splits)), trees.splits)
        place = tree * WIDTH + np.arange(len(tree)) - trees.split_start[tree]
        self.zeros_matter = bool(trees.zero_is_missing.any())
        self.kind = flipped + 2 * trees.zero_is_missing.astype(np.intp)
        self.asked = np.where(flipped, np.nextafter(-trees.threshold, -np.inf), trees.threshold)
        self.source = np.zeros(len(trees.splits) * WIDTH, np.intp)
        self.source[place] = trees.feature + self.inputs * self.kind
        self.threshold = np.full(len(self.source), np.nan)
        self.threshold[place] = self.asked

    def patterns(self, x: Array) -> Array:
        """The pattern of answers [..., trees]."""
        return self._asked(x, self.source, self.threshold) if x.ndim == 1 else self._asked_many(x)

    def _asked_many(self, x: Array) -> Array:
        """The patterns of many [rows, trees]: one bit of all trees after the other, rows side by side in memory."""
        sides = np.ascontiguousarray(self._sides(x).T)
        found = np.zeros((len(self.source) // WIDTH, len(x)), np.uint8)
        for bit in range(int(self.trees.splits.max(initial=0))):
            answers = sides.take(self.source[bit::WIDTH], axis=0) <= self.threshold[bit::WIDTH, None]
            found |= answers.view(np.uint8) << np.uint8(bit)
        return found.astype(np.intp).T

    def some(self, trees: Array) -> "Some":
        """The questions of some trees alone."""
        at = (trees[:, None] * WIDTH + np.arange(WIDTH)).ravel()
        return Some(trees, self.source[at], self.threshold[at])

    def says(self, x: Array, some: "Some", refused: frozenset[int] = frozenset()) -> Array:
        """What each of some trees says of the inputs of one applicant [some]."""
        answers = self.answers(refused)
        patterns = self._asked(x, some.source, some.threshold)
        return answers.values.take(patterns + answers.value_at.take(some.trees))

    def _asked(self, x: Array, source: Array, threshold: Array) -> Array:
        bits = self._sides(x).take(source, axis=-1) <= threshold
        return np.packbits(bits, bitorder="little").reshape(*x.shape[:-1], -1).astype(np.intp)

    def _sides(self, x: Array) -> Array:
        """Inputs [..., features], the same negated and, where it matters, with zeros missing."""
        sides = np.concatenate((x, -x), axis=-1)
        if self.zeros_matter:
            sides = np.concatenate((sides, np.where(np.abs(sides) <= ZERO, np.nan, sides)), axis=-1)
        return sides

    def answers(self, refused: frozenset[int] = frozenset()) -> "Answers":
        """What patterns come to when the inputs with these numbers are refused; whatever their answers, it is the same.

        Tables of a set are made when it is first met. Threads may make one twice, which costs time and nothing else.
        """
        if not refused:
            return self._plain
        found = self._with_refusals.get(refused)
        if found is None:
            found = self._plain.without(refused)
            self._with_refusals = kept(self._with_refusals, refused, found)
        return found


def kept(tables: dict[frozenset[int], Made], refused: frozenset[int], made: Made) -> dict[frozenset[int], Made]:
    """Tables by set of refused inputs with one more among them; when there are too many, with that one alone."""
    return {**(tables if len(tables) < SETS_KEPT else {}), refused: made}


class Shares(NamedTuple):
    """Tables of Shapley values end to end, `effects`, and their rows in the order of their features.

    Row by row, `owner` is the tree, `feature` the input, and `effect_at` where the row begins. `turns` are the rows of
    each input's first tree, of its second, and so on.
    """

    owner: Array
    feature: Array
    effect_at: Array
    effects: Array
    turns: list[Array]


class Answers:
    """What each pattern of a `Lookup` comes to: the sum of the trees, and the Shapley values of the inputs.

    Values are laid end to end, and `value_at` is where each tree's begin. `shares` are made when they are first asked
    for: learning asks for values alone, of very many sets of refusals.
    """

    def __init__(self, groups: list[Group], values: list[Array], refused: Array) -> None:
        """The `values` of groups of trees [tree, pattern], worked out for the `refused` inputs [inputs]."""
        self.inputs, self._groups, self._refused = len(refused), groups, refused
        tree = _joined([g.tree for g in groups], np.intp)
        self.values = _joined([v.ravel() for v in values], float)
        self.value_at = np.zeros(len(tree), np.intp)
        self.value_at[tree] = _starts(values)

    def without(self, refused: frozenset[int]) -> "Answers":
        """What patterns come to when these inputs are refused; only the trees that read one are worked out anew."""
        is_refused = np.zeros(self.inputs, bool)
        is_refused[sorted(refused)] = True
        readers = [np.flatnonzero(is_refused[g.feature].any(axis=1)) for g in self._groups]
        if not any(len(trees) for trees in readers):
            return self
        on_grid, values = rounded(self.values), []  # as all is that is worked out anew; protocol 1 was not
        for group, trees in zip(self._groups, readers, strict=True):
            patterns = np.arange(1 << group.feature.shape[1])
            values.append(on_grid[self.value_at[group.tree][:, None] + patterns])
            if len(trees):
                values[-1][trees] = shapley.values(shapley.without(group.rows(trees), is_refused))
        return Answers(self._groups, values, is_refused)

    @cached_property
    def shares(self) -> Shares:
        """The Shapley values."""
        are = [shapley.without(g, self._refused) if self._refused.any() else g for g in self._groups]
        found = [shapley.effects(group) for group in are]
        feature = _joined([f.feature for f in found], np.intp)
        order = np.argsort(feature, kind="stable")
        owner = _joined([g.tree[f.owner] for g, f in zip(self._groups, found, strict=True)], np.intp)[order]
        feature, effects = feature[order], [f.effect for f in found]
        first = starts(feature)
        turn = np.arange(len(feature)) - np.repeat(first, np.diff(first, append=len(feature)))
        turns = [np.flatnonzero(turn == number) for number in range(int(turn.max(initial=-1)) + 1)]
        return Shares(owner, feature, _starts(effects)[order], _joined([e.ravel() for e in effects], float), turns)

    def each(self, patterns: Array) -> Array:
        """What each tree says [..., trees]."""
        return self.values.take(patterns + self.value_at)

    def log_odds(self, patterns: Array) -> Array:
        """The sum of the trees [...]."""
        total: Array = self.each(patterns).sum(axis=-1)
        return total

    def places(self, patterns: Array) -> Array:
        """Where in `effects` what each tree gives each of its inputs is found [rows of `shares`], for one applicant."""
        shares = self.shares
        places: Array = patterns.take(shares.owner)
        places += shares.effect_at
        return places

    def effects_at(self, places: Array) -> Array:
        """The Shapley value of each input [features]; with `Lookup.mean` they add up to `log_odds`."""
        if not len(places):  # of which `bincount` makes whole numbers
            return np.zeros(self.inputs)
        shares = self.shares
        return np.bincount(shares.feature, shares.effects.take(places), self.inputs)

    def effects_of(self, patterns: Array) -> Array:
        """The Shapley values [..., features] of patterns [..., trees]; rows lie side by side while they are added.

        Each input's first tree, then its second, and so on: in the order of `effects_at`, to the last bit.
        """
        if patterns.ndim == 1:
            return self.effects_at(self.places(patterns))
        out, columns, shares = np.zeros((self.inputs, len(patterns))), np.ascontiguousarray(patterns.T), self.shares
        for rows in shares.turns:
            places = columns.take(shares.owner[rows], axis=0)
            places += shares.effect_at[rows, None]
            out[shares.feature[rows]] += shares.effects.take(places)
        return np.ascontiguousarray(out.T)


def _joined(parts: list[Array], dtype: type) -> Array:
    return np.concatenate(parts).astype(dtype, copy=False) if parts else np.zeros(0, dtype)


def _starts(blocks: list[Array]) -> Array:
    """Where each row of two-dimensional blocks begins when all are laid end to end."""
    widths = _joined([np.full(len(b), b.shape[1]) for b in blocks], np.intp)
    return np.cumsum(widths) - widths
