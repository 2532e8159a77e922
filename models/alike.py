"""Columns that say the same: of several whose ranks go together, the first is kept. No outcome is looked at."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.arrays import Codes, Flags, Floats, columns_of
from models.threads import one_thread

LEVELS = 32
"""Ranks are rounded to so many levels either side of the middle, so that their products add up exactly in any order."""
BLOCK_ROWS = 16_384
"""Of no more rows a sum of products, 32² each, may come to 2²⁴: the most that half as many bits count to exactly."""
STEP, LEAST = 0.05, 0.1


def alike(
    x: Floats,
    most: float,
    count: int | None = None,
    rows: Codes | None = None,
    columns: Sequence[int] | None = None,
) -> dict[int, int]:
    """Columns whose rank correlation with one kept before them is above `most` in size: column to the one it repeats.

    Args:
        x: rows × columns, NaN where missing; missing values stand in the middle.
        most: at 1, nothing is set aside.
        count: when more columns than this are left, `most` is lowered until they are not, but not below a tenth.
        rows: which rows are looked at, by default all.
        columns: which columns, by default all; those that come out are then numbered among these.
    """
    if most >= 1 and count is None:
        return {}
    together = _together(_ranked(x, rows, columns))
    repeats = _repeats(together, most)
    while count is not None and len(together) - repeats.sum() > count and most > LEAST:
        most = round(min(most, 1.0) - STEP, 2)
        repeats = _repeats(together, most)
    kept = (together.diagonal() > 0) & ~repeats
    return {j: int(np.where(kept[:j], together[j, :j], -1).argmax()) for j in np.flatnonzero(repeats).tolist()}


def _repeats(together: Floats, most: float) -> Flags:
    """Which columns repeat one before them that repeats none itself."""
    repeats = np.zeros(len(together), bool)
    for j in np.flatnonzero(together.diagonal() > 0) if most < 1 else ():
        if not repeats[j]:
            repeats[j + 1 :] |= together[j, j + 1 :] > most
    return repeats


def _ranked(x: Floats, rows: Codes | None, columns: Sequence[int] | None) -> npt.NDArray[np.int8]:
    """The levels of each column [columns, rows]."""
    shape = x.shape[1] if columns is None else len(columns), len(x) if rows is None else len(rows)
    levels = np.empty(shape, np.int8)
    for j, column in enumerate(columns_of(x, rows, columns)):
        levels[j] = _levels(column)
    return levels


def _together(levels: npt.NDArray[np.int8]) -> Floats:
    """The size of the rank correlation of each two columns; 0 for a column of one value."""
    products = np.zeros((len(levels), len(levels)))
    with one_thread():  # whole numbers are exact for any number, of which two take more than twice the work of one
        for start in range(0, levels.shape[1], BLOCK_ROWS):
            block = levels[:, start : start + BLOCK_ROWS].astype(np.float32, order="C")
            products += block @ block.T
    size = np.sqrt(products.diagonal())
    apart = np.outer(size, size)
    return np.divide(np.abs(products), apart, out=np.zeros_like(products), where=apart > 0)


def _levels(column: Floats) -> npt.NDArray[np.int8]:
    """Mid-ranks of the values that are there as whole numbers around 0."""
    there = np.flatnonzero(~np.isnan(column))
    values = column[there]
    order = np.argsort(values)
    ordered, levels = values[order], np.zeros(len(column), np.int8)
    begin = np.flatnonzero(np.append(len(values) > 0, ordered[1:] != ordered[:-1]))
    if len(begin) > 1:
        counts = np.diff(begin, append=len(values))
        middle = begin + counts / 2
        levels[there[order]] = np.repeat(np.rint((2 * middle / len(values) - 1) * LEVELS).astype(np.int8), counts)
    return levels
