"""A scorecard as MLflow serves it: a table of inputs in, a table of scores out. MLflow brings the tables."""

from typing import Any

import numpy as np

from saakh import load
from saakh.scorecard import Scorecard
from saakh.trees import Array

REFUSED = "refused_"
"""What the name of a column begins with that is true where an applicant refused the category named after it."""


class Served:
    """A scorecard with the method that MLflow calls."""

    def __init__(self, card: Scorecard) -> None:
        self.card = card

    def predict(self, model_input: Any, params: Any = None) -> Any:  # noqa: ARG002 - as MLflow calls it
        """Scores [rows] of a pandas table of inputs: points, PD, log-odds, band, what was found, what to do.

        A column that is not there is missing, or not refused. The answer is a table of the same kind and index.
        """
        rows, card = model_input, self.card
        x = np.column_stack([_numbers(rows, name) for name in card.features])
        flags = [_flags(rows, REFUSED + category) for category in card.categories]
        refused = [
            {category for category, is_refused in zip(card.categories, some, strict=True) if is_refused}
            for some in zip(*flags, strict=True)
        ]
        scores = card.score_many(x, refused)
        names = ("points", "pd", "log_odds", "band", "missing", "unseen", "problems", "handling")
        return type(rows)({name: getattr(scores, name) for name in names}, index=rows.index)


def _numbers(rows: Any, name: str) -> Array:
    if name not in rows.columns:
        return np.full(len(rows), np.nan)
    return np.asarray(rows[name].to_numpy(dtype=float, na_value=np.nan))


def _flags(rows: Any, name: str) -> Array:
    if name not in rows.columns:
        return np.zeros(len(rows), bool)
    return np.asarray(rows[name].fillna(False).to_numpy(dtype=bool))


def _load_pyfunc(path: str) -> Served:
    """What MLflow calls, by this name, with the path of the scorecard."""
    return Served(load(path))
