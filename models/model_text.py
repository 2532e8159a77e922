"""A model as one text: LightGBM's, for the trees, and one line after them for the linear part and the calibration.

LightGBM reads such a text and skips the line, so that its predictions are those of the trees alone. A text without the
line is a model of trees alone, not calibrated.
"""

import json
from dataclasses import replace

from models import lightgbm_text
from saakh.errors import ArtifactError
from saakh.grid import rounded
from saakh.linear import ARRAYS, Linear
from saakh.scale import Calibration

MARK = "\nsaakh:"


def with_rest(text: str, linear: Linear, calibration: Calibration) -> str:
    """The trees' text with the line for the rest of the model."""
    arrays = {name: getattr(linear, name).tolist() for name in ARRAYS}
    rest = {
        "linear": {"intercept": linear.intercept, **arrays},
        "calibration": {"slope": calibration.slope, "intercept": calibration.intercept},
    }
    before, end, after = text.partition("\nend of trees\n")
    return before + end + MARK + json.dumps(rest, allow_nan=False) + "\n" + after


def on_grid(text: str) -> str:
    """The text with all that is added up rounded to the grid: what a scorecard may hold. Twice is as good as once."""
    inputs = len(lightgbm_text.parse(text).features)  # and an error for what is no such text
    if MARK not in text:
        return lightgbm_text.on_grid(text)
    linear, calibration = rest_of(text, inputs)
    before, _, after = text.partition(MARK)
    trees = lightgbm_text.on_grid(before + after.partition("\n")[2])
    return with_rest(trees, replace(linear, intercept=float(rounded(linear.intercept))), calibration)


def rest_of(text: str, inputs: int) -> tuple[Linear, Calibration]:
    """The linear part and the calibration of a model's text over so many inputs."""
    line = text.rpartition(MARK)[2].partition("\n")[0] if MARK in text else ""
    if not line:
        return Linear.none(), Calibration()
    try:
        rest = json.loads(line)
        linear, calibration = rest["linear"], rest["calibration"]
        return Linear.of(inputs, linear.pop("intercept"), **linear), Calibration(**calibration)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(f"model.txt is damaged after its trees ({str(error)[:80]}); train again") from None
