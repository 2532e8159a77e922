"""The population stability index of two sets of counts."""

import numpy as np

from models.arrays import Floats


def psi(expected: Floats, actual: Floats) -> float:
    """The index of two sets of counts or shares, one a band; a band that is empty in one counts as half of one there.

    Bands that are empty in both say nothing and are left out.
    """
    there = (expected > 0) | (actual > 0)
    e, a = (np.where(side[there] > 0, side[there], 0.5) for side in (expected, actual))
    e, a = e / e.sum(), a / a.sum()
    return float(((a - e) * np.log(a / e)).sum())
