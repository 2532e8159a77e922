"""The grid: what a scorecard adds up are multiples of 2⁻⁴⁴, whose sums are exact in any order, on any machine."""

import numpy as np
import numpy.typing as npt

BITS = 44
STEP = 2.0**-BITS
TOTAL_MAX = 256.0
"""What the parts may come to at most, in log-odds: below it no sum needs more than a double's 53 bits."""


def rounded(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The nearest multiples of the step, the upper one on a tie; NaN stays.

    Two multiplications by powers of two, an addition and a floor: every language and database does these alike.
    """
    steps = np.asarray(np.multiply(values, 2.0**BITS, dtype=float))
    steps += 0.5
    np.floor(steps, out=steps)
    steps *= STEP
    return steps
