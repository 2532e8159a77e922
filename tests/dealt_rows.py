"""A few rows of three applications, and what the tests of loops over rows share."""

import numpy as np
import pytest

from pipeline.arrays import kernel

LEAST, MOST = -(2**63), 2**63 - 1
needs_compiled = pytest.mark.skipif(not kernel.IS_THERE, reason="the pipeline was installed without a compiler")


def whole(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


DEALT = {
    "starts": whole(0, 5, 5, 7), "codes": whole(0, 1, 0, 0, 1, 0, 0), "counts": whole(2, 0, 1),
    "band": whole(0, 1, 1, 2, 0, 1, 1), "windows": 2, "part": whole(0, 0, 1, 0, 1, 1, 1),
    "patterns": [(0,), (0, 1)],
}  # fmt: skip
"""Three applications: 0 has two keys, 1 has no rows; row 3 is in no window."""
AMOUNT = whole(10, 20, 30, 40, 50, 60, -70)
EVEN = np.array([True, False, True, False, True, False, True])
