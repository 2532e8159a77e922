"""The default model as MLflow serves it: a table of inputs in, probabilities of default out."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.arrays import Floats
from models.default import DefaultModel
from models.metrics import probability
from models.refusals import Refusals

if TYPE_CHECKING:
    import pandas as pd


class Served:
    """A model with the method that MLflow calls."""

    def __init__(self, model: DefaultModel) -> None:
        self.model = model

    def predict(self, rows: "pd.DataFrame") -> Floats:
        """The probability of default of each row; missing inputs are empty, and nothing counts as refused."""
        x = rows[list(self.model.names)].to_numpy(dtype=np.float64)
        return probability(self.model.log_odds(x, Refusals.none(*x.shape)))


def _load_pyfunc(path: str) -> Served:
    """What MLflow calls with the model's text, by this name."""
    return Served(DefaultModel.of_text(Path(path).read_text(encoding="utf-8")))
