"""One booster on all rows: what audits learn again and again, where the default model would take too long."""

from dataclasses import asdict, dataclass
from typing import Any

import lightgbm as lgb
import numpy as np

from models.arrays import Codes, Flags, Floats
from models.boosting import Inputs, column_share_for, grown_with, log_odds, normalised, refuse_one_class


@dataclass(frozen=True)
class LoneSettings:
    """What a booster is grown with; rounds are stopped early."""

    leaves: int
    leaf_rows_min: int
    column_share: float
    lambda_l2: float
    learning_rate: float
    rounds_max: int
    early_stopping_rounds: int
    seed: int


@dataclass(frozen=True)
class Lone:
    """A fitted booster as text, and what it said out of fold.

    `out_of_fold` are log-odds of bad from boosters of the same number of `rounds` that did not see the row.
    """

    text: str
    rounds: int
    out_of_fold: Floats
    out_of_fold_log_loss: float
    features_used: tuple[str, ...]


def settings_for_lone(
    rows: int, columns: int, rounds_max: int, learning_rate: float, patience: int, seed: int
) -> LoneSettings:
    """Small trees and many rows a leaf, by the numbers of rows and columns; `patience` rounds without gain end it."""
    return LoneSettings(
        leaves=4 if rows < 20_000 else 8,
        leaf_rows_min=int(np.clip(rows // 10, 20, 400)),
        column_share=column_share_for(columns),
        lambda_l2=20.0,
        learning_rate=learning_rate,
        rounds_max=rounds_max,
        early_stopping_rounds=patience,
        seed=seed,
    )


def threads_for(values: int, threads: int) -> int:
    """How many threads a matrix of so many values is worth; below a few million, handing out work costs more."""
    return threads if values >= 5_000_000 else 1


def fit_lone(x: Floats, bad: Flags, fold: Codes, inputs: Inputs, settings: LoneSettings, threads: int) -> Lone:
    """Grow a booster on all rows, for as many rounds as were best out of fold.

    `x` is rows × features with NaN for missing; the order of rows counts, so sort them first. A fold whose other folds
    lack good or bad rows is a `ContractError`.
    """
    refuse_one_class(bad, fold)
    parameters = _parameters(inputs, settings, threads)
    data = lgb.Dataset(
        x, bad.astype(np.float64), feature_name=list(inputs.names), params=parameters, free_raw_data=False
    )
    parts = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in np.unique(fold)]
    stop = lgb.early_stopping(settings.early_stopping_rounds, verbose=False)
    kept: dict[str, Any] = lgb.cv(
        parameters, data, settings.rounds_max, folds=parts, feval=_log_loss, callbacks=[stop], return_cvbooster=True
    )
    losses = kept["valid log_loss-mean"]
    out_of_fold = np.empty(len(bad))
    for (_, held), booster in zip(parts, kept["cvbooster"].boosters, strict=True):
        text = normalised(booster.model_to_string(num_iteration=len(losses)), inputs)
        out_of_fold[held] = log_odds(text, x[held], threads)
    final = lgb.train(parameters, data, len(losses))
    used = final.feature_importance("split") > 0
    names = tuple(n for n, is_used in zip(inputs.names, used, strict=True) if is_used)
    return Lone(normalised(final.model_to_string(), inputs), len(losses), out_of_fold, float(losses[-1]), names)


def _parameters(inputs: Inputs, settings: LoneSettings, threads: int) -> dict[str, object]:
    said = asdict(settings)
    del said["rounds_max"], said["early_stopping_rounds"]
    return grown_with(inputs, **said, threads=threads)


def _log_loss(probability: Floats, data: lgb.Dataset) -> tuple[str, float, bool]:
    """LightGBM's own adds up over threads, so its last digits, and with them the best round, depend on how many."""
    bad = np.asarray(data.get_label()) > 0
    return "log_loss", float(-np.log(np.where(bad, probability, 1 - probability)).mean()), False
