"""What every other format is written from: a scorecard's parts as plain arrays and numbers, in the runtime's order."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from saakh.inputs import Inputs
from saakh.linear import Linear
from saakh.scale import Band
from saakh.scorecard import Scorecard
from saakh.trees import Trees


@dataclass(frozen=True)
class Parts:
    """A scorecard taken apart. `category` has the number of each input's category of consent.

    An input is used when it is between `least` and `most` [features]; log-odds = `slope` · (trees + linear) +
    `intercept`, points = `offset` − `factor` · log-odds.
    """

    name: str
    version: str
    features: tuple[str, ...]
    categories: tuple[str, ...]
    category: tuple[int, ...]
    least: np.ndarray
    most: np.ndarray
    trees: Trees
    linear: Linear
    slope: float
    intercept: float
    offset: float
    factor: float
    bands: tuple[Band, ...]

    @classmethod
    def of(cls, card: Scorecard) -> Self:
        """The parts of a scorecard that was loaded."""
        manifest, least_most = card.manifest, Inputs(card.manifest.features).bounds
        return cls(
            name=manifest.name,
            version=manifest.version,
            features=card.features,
            categories=card.categories,
            category=tuple(card.categories.index(spec.category) for spec in manifest.features),
            least=least_most[0],
            most=least_most[1],
            trees=card.model.trees,
            linear=card.model.linear,
            slope=manifest.calibration.slope,
            intercept=manifest.calibration.intercept,
            offset=manifest.scale.offset,
            factor=manifest.scale.factor,
            bands=manifest.bands,
        )

    def about(self) -> dict[str, Any]:
        """What a reader of another format needs to know, as plain JSON values."""
        bands = [{"name": band.name, "from_points": band.from_points} for band in self.bands]
        return {
            "scorecard": self.name,
            "version": self.version,
            "features": list(self.features),
            "categories": list(self.categories),
            "bands": bands,
        }
