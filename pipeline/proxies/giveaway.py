"""How well features tell something of people that they should not, and which of them do it."""

from collections.abc import Iterable
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from models.arrays import Codes, Flags, Floats
from models.boosting import Inputs, log_odds
from models.discrimination import Estimate, auc
from models.lone import fit_lone, settings_for_lone, threads_for
from pipeline.minimise.study import Study, person_folds

LEARNING_RATE, ROUNDS_MAX, PATIENCE = 0.1, 200, 20
"""A small booster: it must find what is there, not find it best."""


@dataclass(frozen=True)
class Giveaway:
    """How well columns tell a target out of fold, how much each of them served (`gain`, shares), and the model."""

    auc: Estimate
    gain: Floats
    text: str


def giveaway(study: Study, target: Floats, columns: Codes, repeat: int = 0) -> Giveaway:
    """Learn a target (1, 0 or NaN for each loan of the study) from columns alone, a person in one fold."""
    known = ~np.isnan(target)
    x, holds = study.x[np.ix_(known, columns)], target[known] > 0
    who = np.unique(study.who[known], return_inverse=True)[1].astype(np.int64)
    fold = person_folds(who, study.params.train.folds, study.params.seed + repeat)
    specs, confidence = [study.specs[i] for i in columns], study.params.evaluate.confidence
    free = Inputs(tuple(s.name for s in specs), (0,) * len(specs), tuple((s.low, s.high) for s in specs))
    rows, threads = len(holds), threads_for(x.size, study.params.threads)
    seed = study.params.seed + repeat
    small = settings_for_lone(rows, len(columns), ROUNDS_MAX, LEARNING_RATE, PATIENCE, seed)
    fitted = fit_lone(x, holds, fold, free, small, threads)
    return Giveaway(auc(fitted.out_of_fold, holds, who, confidence, fold), gains(fitted.text), fitted.text)


def gains(text: str) -> Floats:
    """The share of a model's gain that each of its columns brought."""
    gain = np.asarray(lgb.Booster(model_str=text).feature_importance("gain"), dtype=np.float64)
    return gain / (gain.sum() or 1.0)


def told_later(found: Giveaway, x: Floats, target: Floats, who: Codes, confidence: float, threads: int) -> Estimate:
    """How well the same model tells the target of later loans (`x` with the model's columns)."""
    known = ~np.isnan(target)
    return auc(log_odds(found.text, x[known], threads), target[known] > 0, who[known], confidence)


def by_bundle(shares: Floats, columns: Iterable[int], bundle: list[str]) -> dict[str, float]:
    """Shares by column, summed by the bundle of features that a column belongs to."""
    summed: dict[str, float] = {}
    for share, column in zip(shares.tolist(), columns, strict=True):
        summed[bundle[column]] = summed.get(bundle[column], 0.0) + share
    return summed


def sides(target: Floats) -> tuple[int, int]:
    """How many applications are on each side of a target."""
    return int((target > 0).sum()), int((target == 0).sum())


def enough(target: Floats, rows: Flags, side_min: int) -> bool:
    """Whether both sides are large enough to be learned, and to be written about."""
    return min(sides(target[rows])) >= side_min
