"""Small decision trees as flat arrays: what a scorecard stores, and what its tables are built from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from saakh.errors import ArtifactError

SPLITS_MAX = 7
TREES_MAX = 10_000
VALUE_MAX = 1e6
COVER_MAX = 2**40
ARRAYS: Mapping[str, str] = MappingProxyType(
    {
        "splits": "<i4",
        "feature": "<i4",
        "threshold": "<f8",
        "missing_left": "|u1",
        "zero_is_missing": "|u1",
        "left": "<i4",
        "right": "<i4",
        "value": "<f8",
        "cover": "<i8",
    }
)
Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Trees:
    """Trees whose outputs, in log-odds of bad, are added up.

    Per tree: `splits`, their number (0: the tree is one leaf). Per split, tree after tree: `feature`, the index of the
    input; an input goes left when it is at most `threshold`, and a missing one when `missing_left` is 1; where
    `zero_is_missing` is 1, so are values within 1e-35 of zero; `left` and `right` are a split of the same tree (0 is
    the root) or, negative, ~leaf. Per leaf, tree after tree: `value`, and `cover`, the training rows that reached it.
    """

    splits: Array
    feature: Array
    threshold: Array
    missing_left: Array
    zero_is_missing: Array
    left: Array
    right: Array
    value: Array
    cover: Array

    @classmethod
    def of(cls, inputs: int, **arrays: npt.ArrayLike) -> Self:
        """Trees over so many inputs, every array checked; an `ArtifactError` says which rule is broken."""
        trees = cls(**{name: np.asarray(arrays[name], dtype) for name, dtype in ARRAYS.items()})
        trees._check_sizes()
        trees._check_values(inputs)
        trees._check_shape()
        return trees

    @classmethod
    def joined(cls, several: Sequence[Self]) -> Self:
        """The trees of each, one after the other."""
        return cls(**{name: np.concatenate([getattr(trees, name) for trees in several]) for name in ARRAYS})

    @property
    def split_start(self) -> Array:
        """Where each tree's splits begin."""
        return np.cumsum(self.splits) - self.splits

    @property
    def leaf_start(self) -> Array:
        """Where each tree's leaves begin."""
        return self.split_start + np.arange(len(self.splits))

    @property
    def most(self) -> float:
        """The most that they can come to, either way."""
        if not len(self.splits):
            return 0.0
        return float(np.maximum.reduceat(np.abs(self.value), self.leaf_start).sum())

    @property
    def highest(self) -> Array:
        """The highest leaf of each tree [trees], in log-odds."""
        return np.maximum.reduceat(self.value, self.leaf_start) if len(self.splits) else np.zeros(0)

    @property
    def spread(self) -> Array:
        """How far apart each tree's leaves are [trees], in log-odds."""
        lowest = np.minimum.reduceat(self.value, self.leaf_start) if len(self.splits) else np.zeros(0)
        return np.asarray(self.highest - lowest)

    def _check_sizes(self) -> None:
        _must(len(self.splits) <= TREES_MAX, f"more than {TREES_MAX:,} trees")
        _must(_within(self.splits, 0, SPLITS_MAX), f"a tree has more than {SPLITS_MAX + 1} leaves")
        splits = int(self.splits.sum())
        for name in ("feature", "threshold", "missing_left", "zero_is_missing", "left", "right"):
            _must(len(getattr(self, name)) == splits, f"'{name}' does not have one entry for each of {splits} splits")
        leaves = splits + len(self.splits)
        for name in ("value", "cover"):
            _must(len(getattr(self, name)) == leaves, f"'{name}' does not have one entry for each of {leaves} leaves")

    def _check_values(self, inputs: int) -> None:
        _must(_within(self.feature, 0, inputs - 1), "a split asks for an input that is not declared")
        _must(not bool(np.isnan(self.threshold).any()), "a threshold is not a number")
        _must(_within(self.value, -VALUE_MAX, VALUE_MAX), "the value of a leaf is out of range")
        _must(_within(self.cover, 1, COVER_MAX), "the cover of a leaf is out of range")
        _must(_within(self.missing_left, 0, 1) and _within(self.zero_is_missing, 0, 1), "a flag is neither 0 nor 1")

    def _check_shape(self) -> None:
        """Children come after their parent, and each split and leaf has one parent: so each tree is a tree."""
        tree = np.repeat(np.arange(len(self.splits)), self.splits)
        own, splits = np.arange(len(tree)) - self.split_start[tree], self.splits[tree]
        for child in (self.left, self.right):
            inner = (child > own) & (child < splits)
            leaf = (child < 0) & (~child <= splits)
            _must(bool((inner | leaf).all()), "a split leads nowhere")
        width = 2 * SPLITS_MAX + 2
        below = np.concatenate([tree * width + np.where(c >= 0, c, SPLITS_MAX + ~c) for c in (self.left, self.right)])
        below.sort()
        _must(bool((below[1:] != below[:-1]).all()), "two splits lead to the same place")


def _within(values: Array, low: float, high: float) -> bool:
    return bool(((values >= low) & (values <= high)).all())


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ArtifactError(f"the trees are not sound: {otherwise}")
