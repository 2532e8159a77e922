"""One applicant in compiled code, where it was built: what lookup.py and linear.py say, to the last bit, in one call.

`_kernel` is optional: a machine without a compiler does without, and numpy gives the same bytes, three times slower.
Sums are in another order than numpy's, so it serves only models on the grid, whose sums are exact in every order.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from saakh.grid import STEP
from saakh.linear import Linear
from saakh.lookup import ZERO, Answers, Lookup
from saakh.trees import Array

try:
    from saakh import _kernel as kernel
except ImportError:
    kernel = None  # type: ignore[assignment]


IS_THERE = kernel is not None


class Compiled:
    """The tables of a model, for one set of refused inputs, checked and laid out for compiled code."""

    def __init__(self, lookup: Lookup, answers: Answers, linear: Linear) -> None:
        trees = lookup.trees
        arrays: dict[str, Array] = {
            "start": np.append(trees.split_start, len(trees.feature)),
            "feature": trees.feature,
            "kind": lookup.kind,
            "threshold": lookup.asked,
            "values": answers.values,
            "value_at": answers.value_at,
            "effects": answers.effects,
            "owner": answers.owner,
            "of": answers.feature,
            "effect_at": answers.effect_at,
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
        return kernel.both(self._laid_out, x, each, straight, effects), effects, each, straight

    def in_trees(self, x: Array, each: Array, some: Array) -> float:
        """The log-odds that the inputs `x` add in some trees to what `each` tree said of others."""
        change: float = kernel.in_trees(self._laid_out, x, each, some)
        return change


def take(row: Mapping[str, Any], names: tuple[str, ...], x: Array) -> bool:
    """Fill in one applicant's inputs; not when a name is missing or too many, or a value is not plain."""
    return IS_THERE and type(row) is dict and kernel.take(row, names, np.float64, x)


def _of_64_bits(array: Array) -> Array:
    return np.ascontiguousarray(array, np.float64 if array.dtype.kind == "f" else np.int64)
