"""The golden vectors as arrays, and the proof that another format scores them as the runtime does."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from saakh.errors import ArtifactError
from saakh.scorecard import Scorecard

PD_TOLERANCE = 1e-12
"""How far a PD may be off: exponential functions differ in their last bit from library to library."""


@dataclass(frozen=True)
class Vectors:
    """Inputs [rows, features] with NaN for null, refusals [rows, categories], and what the runtime makes of them."""

    inputs: np.ndarray
    refused: np.ndarray
    points: np.ndarray
    pd: np.ndarray

    @classmethod
    def of(cls, card: Scorecard, kind: type = np.float64) -> Self:
        """Those of a scorecard, each input as the nearest number of a kind."""
        vectors = card.vectors()
        rows = [[np.nan if value is None else value for value in vector.row.values()] for vector in vectors]
        inputs: np.ndarray = np.array(rows).astype(kind)
        refused = [vector.refused for vector in vectors]
        flags = np.array([[category in some for category in card.categories] for some in refused])
        scores = card.score_many(inputs.astype(np.float64), refused)
        return cls(inputs, flags, scores.points, scores.pd)

    def check(self, what: str, points: np.ndarray, pd: np.ndarray) -> None:
        """An `ArtifactError` unless points are the runtime's to the last bit, and PDs within 1e-12."""
        differs = (points != self.points) | ~(np.abs(pd - self.pd) <= PD_TOLERANCE)
        if differs.any():
            raise ArtifactError(
                f"{what} scores {differs.sum():,} of {len(points):,} golden vectors otherwise than the runtime; "
                "nothing was written"
            )
