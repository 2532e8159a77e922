"""Names for the arrays the models speak in."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]
"""Whole numbers that stand for people or folds."""
Times = npt.NDArray[np.datetime64]
WIDE, DEEP = 32, 4_096
"""So many columns of so many rows stay in a processor's cache while they change sides."""


def bands(x: Floats, rows: Codes, columns: Sequence[int]) -> Iterator[Floats]:
    """Some columns of some rows of a matrix [rows, columns], a few at a time, each side by side in memory [few, rows].

    Down its columns a matrix is slow to read, and a copy of all of it may not fit beside it.
    """
    for start in range(0, len(columns), WIDE):
        few = np.asarray(columns[start : start + WIDE])
        band = np.empty((len(few), len(rows)))
        low, high = int(few.min()), int(few.max()) + 1
        is_all = np.array_equal(few, np.arange(low, high))
        for first in range(0, len(rows), DEEP):
            part = x[rows[first : first + DEEP], low:high]  # taken together, which is faster than each alone
            band[:, first : first + DEEP] = part.T if is_all else part[:, few - low].T
        yield band


def columns_of(x: Floats, rows: Codes | None = None, columns: Sequence[int] | None = None) -> Iterator[Floats]:
    """Columns of a matrix one by one, of some rows, by default all; each side by side in memory."""
    some = np.arange(len(x)) if rows is None else rows
    for band in bands(x, some, range(x.shape[1]) if columns is None else columns):
        yield from band
