"""The parts of a scorecard together: trees and a linear model whose log-odds, and contributions, add up."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from saakh import compiled
from saakh.errors import ArtifactError
from saakh.grid import BITS, TOTAL_MAX, rounded
from saakh.linear import Linear
from saakh.lookup import Lookup, kept
from saakh.trees import Array, Trees

BLOCK_ROWS = 64
NOBODY: frozenset[int] = frozenset()
NOTHING: Array = np.zeros(0)


class Explained(NamedTuple):
    """Log-odds and contributions `effects` [features] of one applicant, and what they come from.

    `trees` is what each tree says [trees], `straight` what the linear part adds [inputs of that part], and `places`
    where in the tables each tree's contributions are, unless compiled code looked there: see `Answers.places`.
    """

    log_odds: float
    effects: Array
    trees: Array
    straight: Array
    places: Array = NOTHING


class Additive:
    """Scores and explains inputs shaped [..., features], missing values NaN, in log-odds before calibration.

    `refused` are the numbers of inputs that an applicant refused, which must be NaN in those rows. They contribute
    exactly 0: the trees are averaged over them, by the training rows on each side of a split, and the linear part
    leaves them at their mean.

    `is_compiled`: one applicant is worked through in compiled code, to the same bits; set it to False to do without.
    """

    def __init__(self, trees: Trees, linear: Linear, inputs: int) -> None:
        self.trees, self.linear, self.inputs = trees, linear, inputs
        self.lookup = Lookup(trees, inputs)
        self.mean = self.lookup.mean + linear.intercept
        self._has_linear = bool(len(linear.feature))
        self._off_grid = self._inexact()
        self.is_compiled = compiled.IS_THERE and not self._off_grid
        self._compiled: dict[frozenset[int], compiled.Compiled] = {}

    def __getstate__(self) -> dict[str, Any]:
        """All but what is laid out for compiled code, which belongs to this process."""
        return self.__dict__ | {"_compiled": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.is_compiled = self.is_compiled and compiled.IS_THERE

    def refuse_off_grid(self) -> None:
        """An `ArtifactError` when sums of what the parts say are not exact in every order."""
        if self._off_grid:
            raise ArtifactError(self._off_grid)

    def _inexact(self) -> str:
        """Why sums of what the parts say are not exact in every order; nothing where they are."""
        said = np.append(self.trees.value, self.linear.intercept)
        if not np.array_equal(rounded(said), said):
            return f"the value of a leaf, or the intercept, is no multiple of 2^-{BITS}"
        if self.trees.most + self.linear.most >= TOTAL_MAX:
            return f"the parts can come to {TOTAL_MAX:g} log-odds or more, too much to add up exactly"
        return ""

    def both(self, x: Array, refused: frozenset[int] = NOBODY) -> Explained:
        """Log-odds and contributions of one applicant, with as few calls as it takes: each costs the most."""
        if self.is_compiled:
            log_odds, effects, each, straight = self.laid_out(refused).both(x)
            return Explained(log_odds, effects, each, straight)
        patterns, answers = self.lookup.patterns(x), self.lookup.answers(refused)
        each, places = answers.each(patterns), answers.places(patterns)
        effects = answers.effects_at(places)
        total, straight = np.add.reduce(each) + self.linear.intercept, NOTHING
        if self._has_linear:
            straight = self.linear.effects_of(x)
            self._add_straight(effects, straight)
            total = total + np.add.reduce(straight)
        return Explained(float(total), effects, each, straight, places)

    def laid_out(self, refused: frozenset[int] = NOBODY) -> compiled.Compiled:
        """The tables for compiled code when these inputs are refused; made when a set is first met, as `answers`."""
        found = self._compiled.get(refused)
        if found is None:
            found = compiled.Compiled(self.lookup, self.lookup.answers(refused), self.linear)
            self._compiled = kept(self._compiled, refused, found)
        return found

    def log_odds(self, x: Array, refused: frozenset[int] = NOBODY) -> Array:
        """Log-odds alone [rows], of many."""
        answers, total = self.lookup.answers(refused), np.empty(len(x))
        for block in blocks(x):
            total[block] = answers.log_odds(self.lookup.patterns(x[block])) + self.linear.intercept
            if self._has_linear:
                total[block] += self.linear.effects_of(x[block]).sum(axis=-1)
        return total

    def effects_of(self, x: Array, refused: frozenset[int] = NOBODY) -> Array:
        """Contributions [rows, features], of many; with `mean` they add up to the log-odds."""
        if self.is_compiled:
            return self.laid_out(refused).effects_of(x)
        answers, out = self.lookup.answers(refused), np.empty_like(x)
        for block in blocks(x):
            out[block] = answers.effects_of(self.lookup.patterns(x[block]))
            if self._has_linear:
                self._add_straight(out[block], self.linear.effects_of(x[block]))
        return out

    def _add_straight(self, effects: Array, straight: Array) -> None:
        """Add what the linear part gives the inputs it reads."""
        if straight.shape == effects.shape:
            effects += straight
        else:
            effects[..., self.linear.feature] += straight


def blocks(x: Array) -> Iterator[slice]:
    """Rows in blocks small enough for a processor's cache."""
    return (slice(start, start + BLOCK_ROWS) for start in range(0, len(x), BLOCK_ROWS))
