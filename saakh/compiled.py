"""One applicant in compiled code, where it was built: what lookup.py and linear.py say, to the last bit, in one call.

`_kernel` is optional: a machine without a compiler does without, and numpy gives the same bytes, more slowly.
Sums are in another order than numpy's, so it serves only models on the grid, whose sums are exact in every order.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from saakh.grid import STEP
from saakh.linear import Linear
from saakh.lookup import ZERO, Answers, Lookup
from saakh.runs import distinct
from saakh.trees import Array

LAYOUT = 1
"""Which layout of tables this module makes; a kernel that was built for another is left alone."""
try:
    from saakh import _kernel as kernel
except ImportError:
    IS_THERE = False
else:
    IS_THERE = getattr(kernel, "LAYOUT", 0) == LAYOUT


class Compiled:
    """The tables of a model, for one set of refused inputs, checked and laid out for compiled code.

    By tree: `order`, in which contributions are added up; `start`, of its splits; `slot_start`, of its inputs in `of`;
    and `block_at`, where its block begins in `blocks`. A block has a row for each pattern: what the tree then says, and
    what it gives each of its inputs, side by side, since a large table costs what it takes to fetch it from memory.
    """

    def __init__(self, lookup: Lookup, answers: Answers, linear: Linear) -> None:
        trees = lookup.trees
        arrays: dict[str, Array] = _blocks(trees.splits, answers) | {
            "start": _starts(trees.splits),
            "feature": trees.feature,
            "kind": lookup.kind,
            "threshold": lookup.asked,
            "read": linear.feature,
            "center": linear.center,
            "scale": linear.scale,
            "coefficient": linear.coefficient_in_steps,
            "mean": linear.mean,
        }
        fitting = {name: _of_64_bits(array) for name, array in arrays.items()}
        self._laid_out = kernel.lay_out(fitting, lookup.inputs, ZERO, STEP, linear.intercept)
        self._trees, self._straight = len(trees.splits), len(linear.feature)

    def both(self, x: Array) -> tuple[float, Array, Array, Array]:
        """Log-odds and contributions [features] of one applicant, what each tree says and what the linear part adds."""
        each, straight, effects = np.empty(self._trees), np.empty(self._straight), np.empty(len(x))
        log_odds = kernel.both(self._laid_out, np.ascontiguousarray(x, float), each, straight, effects)
        return log_odds, effects, each, straight

    def effects_of(self, x: Array) -> Array:
        """Contributions [rows, features] of many."""
        out = np.empty(x.shape)
        kernel.effects(self._laid_out, np.ascontiguousarray(x, float).reshape(-1), out.reshape(-1))
        return out

    def in_trees(self, x: Array, each: Array, some: Array) -> float:
        """The log-odds that the inputs `x` add in some trees to what `each` tree said of others."""
        change: float = kernel.in_trees(self._laid_out, x, each, _of_64_bits(some))
        return change


def take(row: Mapping[str, Any], names: tuple[str, ...], x: Array) -> bool:
    """Fill in one applicant's inputs; not when a name is missing or too many, or a value is not plain."""
    return IS_THERE and type(row) is dict and kernel.take(row, names, np.float64, x)


def _blocks(splits: Array, answers: Answers) -> dict[str, Array]:
    """The tables of `answers` with what belongs to a tree and a pattern side by side."""
    shares = answers.shares
    rows = np.lexsort((shares.feature, shares.owner))
    owner = shares.owner[rows]
    slots = np.bincount(owner, minlength=len(splits))
    patterns, width, slot_start = 1 << splits.astype(np.int64), slots + 1, _starts(slots)
    block_at = _starts(patterns * width)[:-1]
    blocks = np.empty(int((patterns * width).sum()))
    rank = np.arange(len(rows)) - slot_start[owner]
    for count in distinct(splits):
        pattern, trees = np.arange(1 << count), np.flatnonzero(splits == count)
        to = block_at[trees][:, None] + pattern * width[trees][:, None]
        blocks[to] = answers.values[answers.value_at[trees][:, None] + pattern]
        some = np.flatnonzero(splits[owner] == count)
        to = (block_at[owner] + 1 + rank)[some][:, None] + pattern * width[owner[some]][:, None]
        blocks[to] = shares.effects[shares.effect_at[rows[some]][:, None] + pattern]
    laid = {"slot_start": slot_start, "of": shares.feature[rows], "block_at": block_at, "blocks": blocks}
    return laid | {"order": np.argsort(splits, kind="stable")}


def _starts(lengths: Array) -> Array:
    """Where stretches of these lengths begin, and where the last ends."""
    return np.concatenate(([0], np.cumsum(lengths)))


def _of_64_bits(array: Array) -> Array:
    return np.ascontiguousarray(array, np.float64 if array.dtype.kind == "f" else np.int64)
