"""Exact SHAP: what each input adds to each applicant's log-odds of bad, with proof that the parts make the whole."""

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.default import DefaultModel
from models.plain import linear_effects
from models.refusals import Refusals
from saakh.errors import ArtifactError
from saakh.spec import FAMILIES, FeatureSpec

TOLERANCE = 1e-9


@dataclass(frozen=True)
class Contributions:
    """Shapley values of every row, in log-odds of bad.

    `values` has shape (rows, features); `base` is the mean log-odds over the rows the trees were grown on; `log_odds`
    has shape (rows,) and equals `base + values.sum(axis=1)`.
    """

    values: np.ndarray
    base: float
    log_odds: np.ndarray

    def points(self, factor: float) -> np.ndarray:
        """The same contributions in points of the score: a higher risk costs points. Shape (rows, features)."""
        return -factor * self.values


def contributions(model: DefaultModel, inputs: np.ndarray, refusals: Refusals) -> Contributions:
    """Tree-path-dependent Shapley values (Lundberg et al. 2020), exact for the model as it stands.

    Where nothing was refused, those of the trees are held against the shap library's.

    Args:
        model: the model of the run.
        inputs: shape (rows, features), float64, missing as NaN.
        refusals: who refused what; it contributes exactly 0.

    Raises:
        ArtifactError: when they miss the model's log-odds, or shap's values, by more than 1e-9 for any row.
    """
    log_odds = model.log_odds(inputs, refusals)
    found = Contributions(model.contributions(inputs, refusals), model.base, log_odds)
    refuse_gap(found)
    is_plain = ~refusals.closed.any(axis=1)
    refuse_other_values(found.values[is_plain], by_shap(model, inputs[is_plain]))
    return found


def by_shap(model: DefaultModel, inputs: np.ndarray) -> np.ndarray:
    """The contributions by the shap library and, for the linear part, by its formula; shape (rows, features)."""
    import lightgbm as lgb  # noqa: PLC0415 - heavy

    with warnings.catch_warnings():  # shap colours its own plots at import, by calls matplotlib means to retire
        warnings.filterwarnings("ignore", category=PendingDeprecationWarning)
        from shap import TreeExplainer  # noqa: PLC0415 - heavy
    straight = linear_effects(model.additive.linear, inputs, np.zeros(inputs.shape, bool))
    if not len(inputs):
        return straight
    explained = TreeExplainer(lgb.Booster(model_str=model.text))(inputs)
    grown = np.asarray(explained.values, dtype=np.float64)
    return np.asarray((grown + straight) * model.calibration.slope, dtype=np.float64)


def refuse_other_values(ours: np.ndarray, theirs: np.ndarray) -> None:
    """An `ArtifactError` when contributions are not those of an independent reckoning."""
    gap = float(np.max(np.abs(ours - theirs), initial=0.0))
    if not gap <= TOLERANCE:
        raise ArtifactError(
            f"contributions differ from shap's by up to {gap:.1e}, and at most {TOLERANCE:.0e} is allowed; compare the "
            "versions of shap and lightgbm with requirements.lock"
        )


def refuse_gap(found: Contributions) -> None:
    """An `ArtifactError` when contributions do not add up to the log-odds: numbers that lie explain nothing."""
    gap = float(np.max(np.abs(found.base + found.values.sum(axis=1) - found.log_odds), initial=0.0))
    if not gap <= TOLERANCE:
        raise ArtifactError(
            f"contributions miss the model's log-odds by up to {gap:.1e}, and at most {TOLERANCE:.0e} is allowed; "
            "rerun `saakh train`, and compare the versions of shap and lightgbm with requirements.lock"
        )


def importance(found: Contributions, specs: Sequence[FeatureSpec], factor: float) -> dict[str, Any]:
    """Mean absolute contribution by feature and by family, largest first, in log-odds of bad and in points.

    Shapley values add up, so a family's contribution to an applicant is the sum of its features'; `share` is the part
    of all features' mean absolute contributions that belongs to the family.
    """
    by_feature = np.abs(found.values).mean(axis=0)
    features = [
        _entry(spec.name, size, factor, family=spec.family) for spec, size in zip(specs, by_feature, strict=True)
    ]
    total = float(by_feature.sum()) or 1.0
    families = []
    for family in FAMILIES:
        columns = [i for i, spec in enumerate(specs) if spec.family == family]
        size = np.abs(found.values[:, columns].sum(axis=1)).mean()
        families.append(
            _entry(family, size, factor, share=float(by_feature[columns].sum()) / total, features=len(columns))
        )
    return {
        "rows": len(found.log_odds),
        "base_log_odds": found.base,
        "points_per_log_odds": factor,
        "families": sorted(families, key=_largest_first),
        "features": sorted(features, key=_largest_first),
    }


def _entry(name: str, size: float, factor: float, **more: Any) -> dict[str, Any]:
    return {"name": name, **more, "mean_abs_log_odds": float(size), "mean_abs_points": float(size) * factor}


def _largest_first(entry: dict[str, Any]) -> tuple[float, str]:
    return -entry["mean_abs_log_odds"], entry["name"]


def sample(keys: Sequence[str], most: int, seed: int) -> np.ndarray:
    """Positions of at most `most` keys, drawn by a seeded digest of each key, in the order of that digest.

    Whether a key is drawn depends on the keys and the seed, never on the order of rows; the order tells nothing.
    """
    digests = [hashlib.sha256(f"{seed}:{key}".encode()).digest() for key in keys]
    return np.array(sorted(range(len(keys)), key=digests.__getitem__)[:most], dtype=np.int64)
