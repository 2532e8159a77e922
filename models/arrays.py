"""Names for the arrays the models speak in."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]
"""Whole numbers that stand for people or folds."""
Times = npt.NDArray[np.datetime64]
