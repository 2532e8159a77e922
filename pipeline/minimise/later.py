"""A choice held against the model as `train` learns it, with all its rounds: out of fold, and once on later loans."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from models.arrays import Codes, Flags, Floats
from models.discrimination import auc
from pipeline.minimise.paired import areas, losses
from pipeline.params import Params
from pipeline.sample import Sample
from pipeline.train import learn
from saakh.spec import FeatureSpec


@dataclass(frozen=True)
class Both:
    """Log-odds of the model learned from all columns and from some, for every loan of the sample (NaN on neither side).

    `fold` is 0 out of time, where one model scored all loans.
    """

    whole: Floats
    some: Floats
    fold: Codes
    development: Flags
    out_of_time: Flags

    @property
    def sides(self) -> dict[str, Flags]:
        """The loans of each side, by its name."""
        return {"out_of_fold": self.development, "out_of_time": self.out_of_time}


def both(params: Params, specs: Sequence[FeatureSpec], sample: Sample, kept: Iterable[str]) -> Both:
    """The model learned from all columns and from those kept; without any, everybody scores alike."""
    names = set(kept)
    at = [i for i, spec in enumerate(specs) if spec.name in names]
    whole = learn(params, specs, sample)
    some = whole.log_odds if len(at) == len(specs) else np.zeros(len(sample.bad))
    if 0 < len(at) < len(specs):
        some = learn(params, [specs[i] for i in at], replace(sample, x=sample.x[:, at])).log_odds
    fold = np.zeros(len(sample.bad), dtype=np.int64)
    fold[whole.split.development] = whole.fold
    return Both(whole.log_odds, some, fold, whole.split.development, whole.split.out_of_time)


def confirmed(params: Params, sample: Sample, found: Both) -> dict[str, Any]:
    """On each side: loans, the area of either model, and what the smaller one loses, pair by pair."""
    return {side: _side(params, sample, found, rows) for side, rows in found.sides.items()}


def _side(params: Params, sample: Sample, found: Both, rows: Flags) -> dict[str, Any]:
    how, bad, fold = params.evaluate, sample.bad[rows], found.fold[rows]
    who = np.unique(sample.person[rows], return_inverse=True)[1].astype(np.int64)
    pair = np.stack([found.some[rows], found.whole[rows]], axis=1)
    some, whole = (asdict(auc(score, bad, who, how.confidence, fold)) for score in pair.T)
    loss = losses(areas(pair, bad, fold, who), 1, how.confidence, how.resamples, params.seed)[0]
    return {"loans": len(bad), "bads": int(bad.sum()), "auc": some, "auc_of_everything": whole, "loss": asdict(loss)}
