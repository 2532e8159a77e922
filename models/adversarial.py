"""Adversarial validation: how well earlier loans can be told from later ones by what is measured of them."""

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from models.arrays import Codes, Flags, Floats
from models.discrimination import auc

ROUNDS, SHOWN = 50, 3


@dataclass(frozen=True)
class ToldApart:
    """The AUC of telling the sides apart, out of fold, and the columns that tell most, by their place."""

    auc: float
    columns: tuple[int, ...]


def told_apart(x: Floats, later: Flags, person: Codes, seed: int) -> ToldApart:
    """Small trees that learn on half of the people which side a loan is on, judged on the other half."""
    _, who = np.unique(person, return_inverse=True)
    half = np.random.default_rng(seed).permutation(int(who.max()) + 1)[who] % 2
    said, gain = np.zeros(len(later)), np.zeros(x.shape[1])
    for side in (0, 1):
        learn = half != side
        if len(np.unique(later[learn])) < 2 or not (half == side).any():
            return ToldApart(0.5, ())
        booster = lgb.train(_PARAMETERS | {"seed": seed}, lgb.Dataset(x[learn], later[learn].astype(float)), ROUNDS)
        said[half == side] = np.asarray(booster.predict(x[half == side], raw_score=True, num_threads=1))
        gain += booster.feature_importance("gain")
    area = auc(said, later, person, 0.95, within=half.astype(np.int64)).value
    most = [int(i) for i in np.argsort(-gain, kind="stable")[:SHOWN] if gain[i] > 0]
    return ToldApart(0.5 if area is None else area, tuple(most))


_PARAMETERS = {
    "objective": "binary",
    "num_leaves": 4,
    "min_data_in_leaf": 50,
    "learning_rate": 0.1,
    "max_bin": 63,
    "feature_fraction": 0.3,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
