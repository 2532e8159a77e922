"""Natural logarithms as the C library has them, which engines ask: numpy's own differ from them in some last bits."""

import math
from functools import cache

import numpy as np

from pipeline.arrays.columns import Array

LISTED = 2**16
"""Whole numbers below this have their logarithms listed: most are counts."""


def logarithms(values: Array) -> Array:
    """The logarithm of each fraction, NaN where there is none."""
    whole = values.astype(np.int64)
    if np.all((whole == values) & (whole >= 0) & (whole < LISTED)):
        return _listed()[whole]
    return np.reshape(_asked(values), np.shape(values))


@cache
def _listed() -> Array:
    return _asked(np.arange(LISTED))


def _asked(values: Array) -> Array:
    return np.array([math.log(v) if v > 0 else math.nan for v in values.ravel().tolist()])
