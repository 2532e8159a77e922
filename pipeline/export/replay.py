"""Replay: the runtime against LightGBM itself, on the same inputs. A scorecard that differs is never written."""

from dataclasses import dataclass

import numpy as np

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


def replay(scorecard: Scorecard, model: str, x: np.ndarray) -> Differences:
    """Compare on inputs [rows, features] (missing as NaN), all within their declared ranges."""
    import lightgbm as lgb  # noqa: PLC0415  a quarter of a second

    booster = lgb.Booster(model_str=model)
    raw = np.asarray(booster.predict(x, raw_score=True, num_threads=1))
    effects = np.asarray(booster.predict(x, pred_contrib=True, num_threads=1))[:, :-1]
    calibration, scale = scorecard.manifest.calibration, scorecard.manifest.scale
    log_odds = raw * calibration.slope + calibration.intercept
    many, points = scorecard.score_many(x), scorecard.explain_many(x)
    unit = -scale.factor * calibration.slope
    one_log_odds, one_sum = _one_by_one(scorecard, x)
    return Differences(
        rows=len(x),
        log_odds=max(_largest(many.log_odds - log_odds), _largest(one_log_odds - log_odds)),
        contributions=_largest(points / unit - effects),
        sums=max(_largest(scorecard.baseline + points.sum(axis=1) - many.points), _largest(one_sum)),
    )


def _one_by_one(scorecard: Scorecard, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The log-odds [rows] of single scores, and how far each one's contributions are from its points."""
    scores = [scorecard.score(dict(zip(scorecard.features, row, strict=True))) for row in x.tolist()]
    sums = [s.baseline + sum(s.contributions.values()) - s.points for s in scores]
    return np.array([s.log_odds for s in scores]), np.array(sums)


def _largest(difference: np.ndarray) -> float:
    return float(np.max(np.abs(difference), initial=0.0))
