"""Columns as ranks: what a linear learner can read whatever the unit, and how much two columns say the same."""

from collections.abc import Iterable, Sequence

import numpy as np

from models.arrays import Codes, Floats

LEVELS = 32
"""Ranks are whole numbers up to so many either side of the middle, so that their products add up exactly in any order.

The same as `models.alike` sees: what is alike there is alike here.
"""


def levels(x: Floats) -> Floats:
    """The columns of `x` (NaN where missing) as mid-ranks around 0, in whole numbers; missing values in the middle."""
    return np.stack([_of_column(column) for column in x.T], axis=1) if x.size else np.zeros(x.shape)


def nearness(ranks: Floats) -> Floats:
    """The size of each pair's rank correlation, columns × columns; 0 beside a column that does not vary."""
    products = ranks.T @ ranks
    size = np.sqrt(np.diag(products))
    size[size == 0] = np.inf
    return np.asarray(np.abs(products) / np.outer(size, size), dtype=np.float64)


def apart(near: Floats, columns: Iterable[int], most: float) -> Codes:
    """Of these columns in their order, those that do not repeat one kept before them (nearness above `most`)."""
    kept: list[int] = []
    for j in columns:
        if not kept or most >= 1 or near[j, kept].max() <= most:
            kept.append(int(j))
    return np.array(kept, dtype=np.int64)


def bundles(near: Floats, named: Sequence[str], most: float) -> dict[str, tuple[str, ...]]:
    """Names that go together because a column of one repeats a column of the other: first name to all, in order.

    Args:
        near: columns × columns.
        named: whose column each is; several columns may share a name.
        most: nearness above which two columns say the same.
    """
    first = {name: name for name in named}
    for i, j in np.argwhere(np.triu(near > most, 1)):
        one, other = _first(first, named[i]), _first(first, named[j])
        first[max(one, other)] = min(one, other)
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted(first):
        leader = _first(first, name)
        found[leader] = (*found.get(leader, ()), name)
    return found


def _first(first: dict[str, str], name: str) -> str:
    while first[name] != name:
        name = first[name]
    return name


def _of_column(column: Floats) -> Floats:
    there = ~np.isnan(column)
    values, at, counts = np.unique(column[there], return_inverse=True, return_counts=True)
    ranked = np.zeros(len(column))
    if len(values) > 1:
        middle = np.cumsum(counts) - counts / 2
        ranked[there] = np.rint((2 * middle / counts.sum() - 1) * LEVELS)[at]
    return ranked
