"""Columns that say the same: of several whose ranks go together, the first is kept. No outcome is looked at."""

import numpy as np
import numpy.typing as npt

from models.arrays import Floats

LEVELS = 32
"""Ranks are rounded to so many levels either side of the middle, so that their products add up exactly in any order."""
BLOCK_ROWS = 65_536
STEP, LEAST = 0.05, 0.1


def alike(x: Floats, most: float, count: int | None = None) -> dict[int, int]:
    """Columns whose rank correlation with one kept before them is above `most` in size: column to the one it repeats.

    Args:
        x: rows × columns, NaN where missing; missing values stand in the middle.
        most: at 1, nothing is set aside.
        count: when more columns than this are left, `most` is lowered until they are not, but not below a tenth.
    """
    together = _together(x) if most < 1 or count is not None else np.zeros((x.shape[1], x.shape[1]))
    repeats = _repeats(together, most)
    while count is not None and x.shape[1] - len(repeats) > count and most > LEAST:
        most = round(min(most, 1.0) - STEP, 2)
        repeats = _repeats(together, most)
    return repeats


def _repeats(together: Floats, most: float) -> dict[int, int]:
    kept: list[int] = []
    repeats: dict[int, int] = {}
    for j in np.flatnonzero(together.diagonal() > 0).tolist() if most < 1 else ():
        closest = int(np.argmax(together[j, kept])) if kept else 0
        if kept and together[j, kept[closest]] > most:
            repeats[j] = kept[closest]
        else:
            kept.append(j)
    return repeats


def _together(x: Floats) -> Floats:
    """The size of the rank correlation of each two columns; 0 for a column of one value."""
    levels = np.zeros(x.shape, np.int8)
    for j, column in enumerate(x.T):
        levels[:, j] = _levels(column)
    products = np.zeros((x.shape[1], x.shape[1]))
    for start in range(0, len(x), BLOCK_ROWS):
        block = levels[start : start + BLOCK_ROWS].astype(np.float64)
        products += block.T @ block  # whole numbers, so exact for any number of threads
    size = np.sqrt(products.diagonal())
    apart = np.outer(size, size)
    return np.divide(np.abs(products), apart, out=np.zeros_like(products), where=apart > 0)


def _levels(column: Floats) -> npt.NDArray[np.int8]:
    """Mid-ranks of the values that are there as whole numbers around 0."""
    there = ~np.isnan(column)
    values, at, counts = np.unique(column[there], return_inverse=True, return_counts=True)
    levels = np.zeros(len(column), np.int8)
    if len(values) > 1:
        middle = np.cumsum(counts) - counts / 2
        levels[there] = np.rint((2 * middle / counts.sum() - 1) * LEVELS)[at]
    return levels
