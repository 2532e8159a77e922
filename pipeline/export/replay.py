"""Replay: the runtime against LightGBM and a plain walk, on the same inputs. One that differs is never written."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from models.lightgbm_text import parse
from models.model_text import rest_of
from models.plain import linear_effects, trees_log_odds
from saakh.errors import ArtifactError
from saakh.scorecard import Scorecard

TOLERANCE = 1e-9


@dataclass(frozen=True)
class Differences:
    """The largest differences found: in log-odds, in contributions (log-odds), and of a sum from its score (points)."""

    rows: int
    log_odds: float
    contributions: float
    sums: float

    def check(self, what: str) -> None:
        """Raise an `ArtifactError` when a difference is above 1e-9."""
        found = {"log-odds": self.log_odds, "contributions": self.contributions, "sums of contributions": self.sums}
        if above := [f"{name} by {size:.2g}" for name, size in found.items() if not size <= TOLERANCE]:
            raise ArtifactError(
                f"the runtime does not reproduce the model on {self.rows} {what}: differs in {', '.join(above)}, "
                f"more than {TOLERANCE:g}; no scorecard was written"
            )


def replay(scorecard: Scorecard, model: str, x: np.ndarray, refused: Sequence[Collection[str]]) -> Differences:
    """Compare on inputs [rows, features] (missing as NaN), all within their declared ranges.

    LightGBM knows of no refusals: where there are some, log-odds are compared with a plain walk of the trees, and what
    was refused must contribute exactly 0.
    """
    withheld = np.array([[s.category in r for s in scorecard.manifest.features] for r in refused]).reshape(x.shape)
    is_plain = np.asarray(~withheld.any(axis=1))
    calibration, scale = scorecard.manifest.calibration, scorecard.manifest.scale
    raw, effects = _by_others(model, x, withheld, is_plain)
    log_odds = raw * calibration.slope + calibration.intercept
    many, points = scorecard.score_many(x, refused), scorecard.explain_many(x, refused)
    unit = -scale.factor * calibration.slope
    one_log_odds, one_sum = _one_by_one(scorecard, x, refused)
    return Differences(
        rows=len(x),
        log_odds=max(_largest(many.log_odds - log_odds), _largest(one_log_odds - log_odds)),
        contributions=max(_largest(points[is_plain] / unit - effects), _largest(points[withheld])),
        sums=max(_largest(scorecard.baseline + points.sum(axis=1) - many.points), _largest(one_sum)),
    )


def _by_others(model: str, x: np.ndarray, withheld: np.ndarray, is_plain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds before calibration [rows], and contributions of the rows that refused nothing, without the runtime."""
    import lightgbm as lgb  # noqa: PLC0415  a quarter of a second

    booster = lgb.Booster(model_str=model)
    linear, _ = rest_of(model, x.shape[1])
    straight = linear_effects(linear, x, withheld)
    raw = np.empty(len(x))
    raw[~is_plain] = trees_log_odds(parse(model).trees, x[~is_plain], withheld[~is_plain])
    effects = straight[is_plain]
    if is_plain.any():
        raw[is_plain] = booster.predict(x[is_plain], raw_score=True, num_threads=1)
        effects = effects + np.asarray(booster.predict(x[is_plain], pred_contrib=True, num_threads=1))[:, :-1]
    return raw + linear.intercept + straight.sum(axis=1), effects


def _one_by_one(
    scorecard: Scorecard, x: np.ndarray, refused: Sequence[Collection[str]]
) -> tuple[np.ndarray, np.ndarray]:
    """The log-odds [rows] of single scores, and how far each one's contributions are from its points."""
    rows = [dict(zip(scorecard.features, row, strict=True)) for row in x.tolist()]
    scores = [scorecard.score(row, r) for row, r in zip(rows, refused, strict=True)]
    sums = [s.baseline + sum(s.contributions.values()) - s.points for s in scores]
    return np.array([s.log_odds for s in scores]), np.array(sums)


def _largest(difference: np.ndarray) -> float:
    return float(np.max(np.abs(difference), initial=0.0))
