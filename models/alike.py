"""Columns that say the same: of several whose ranks go together, the first is kept. No outcome is looked at."""

import numpy as np

from models.arrays import Floats

LEVELS = 32
"""Ranks are rounded to so many levels either side of the middle, so that their products add up exactly in any order."""


def alike(x: Floats, most: float) -> dict[int, int]:
    """Columns whose rank correlation with one kept before them is above `most` in size: column to the one it repeats.

    Args:
        x: rows × columns, NaN where missing; missing values stand in the middle.
        most: at 1, nothing is set aside.
    """
    ranks = np.stack([_levels(column) for column in x.T], axis=1) if x.size else np.zeros(x.shape)
    size = np.sqrt((ranks**2).sum(axis=0))
    kept: list[int] = []
    repeats: dict[int, int] = {}
    for j in np.flatnonzero(size > 0):
        if kept and most < 1:
            together = np.abs(ranks[:, j] @ ranks[:, kept]) / (size[j] * size[kept])
            closest = int(np.argmax(together))
            if together[closest] > most:
                repeats[int(j)] = kept[closest]
                continue
        kept.append(int(j))
    return repeats


def _levels(column: Floats) -> Floats:
    """Mid-ranks of the values that are there as whole numbers around 0."""
    there = ~np.isnan(column)
    values, at, counts = np.unique(column[there], return_inverse=True, return_counts=True)
    levels = np.zeros(len(column))
    if len(values) > 1:
        middle = np.cumsum(counts) - counts / 2
        levels[there] = np.rint((2 * middle / counts.sum() - 1) * LEVELS)[at]
    return levels
