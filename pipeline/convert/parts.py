"""What every other format is written from: a scorecard's parts as plain arrays and numbers, in the runtime's order."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from saakh.input_policy import OUTCOMES, InputRule
from saakh.inputs import Inputs
from saakh.linear import Linear
from saakh.scale import Band
from saakh.scorecard import Scorecard
from saakh.trees import Trees

FOUND = ("missing", "unseen", "out_of_range")
"""What may be found in an input and is told from the row alone; that it is stale is not."""


@dataclass(frozen=True)
class Parts:
    """A scorecard taken apart. `category` has the number of each input's category of consent.

    An input is possible between `least` and `most` [features]; `rules` are its input policy. Log-odds = `slope` ·
    (trees + linear) + `intercept`, points = `offset` − `factor` · log-odds.
    """

    name: str
    version: str
    features: tuple[str, ...]
    categories: tuple[str, ...]
    category: tuple[int, ...]
    least: np.ndarray
    most: np.ndarray
    rules: tuple[InputRule, ...]
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
        manifest = card.manifest
        least, most = Inputs(manifest.features).bounds
        return cls(
            name=manifest.name,
            version=manifest.version,
            features=card.features,
            categories=card.categories,
            category=tuple(card.categories.index(spec.category) for spec in manifest.features),
            least=least,
            most=most,
            rules=manifest.input_policy,
            trees=card.model.trees,
            linear=card.model.linear,
            slope=manifest.calibration.slope,
            intercept=manifest.calibration.intercept,
            offset=manifest.scale.offset,
            factor=manifest.scale.factor,
            bands=manifest.bands,
        )

    def outcome(self, i: int, found: str) -> int:
        """What follows when something is found in an input: its place in `OUTCOMES`, the mildest first."""
        return OUTCOMES.index(getattr(self.rules[i], found))

    def instead(self, i: int, found: str) -> float | None:
        """The value that an input is scored as when something is found in it; None when by what it is."""
        rule = self.rules[i]
        return rule.worse if getattr(rule, found) == "worst" else None

    def seen(self, i: int) -> tuple[float, float]:
        """The range of an input that training people showed, as far as it is known."""
        return self.rules[i].seen or (-np.inf, np.inf)

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
