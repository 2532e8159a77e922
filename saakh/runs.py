"""Runs of equal values in ordered arrays. `np.unique` knows them too, and imports `numpy.ma`: a third of loading."""

import numpy as np

from saakh.trees import Array


def starts(ordered: Array) -> Array:
    """Where each run of equal values begins [runs] in an ordered array."""
    is_new = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    return np.flatnonzero(is_new)


def distinct(values: Array) -> list[int]:
    """The distinct whole numbers among some, from the least."""
    return sorted(set(values.ravel().tolist()))
