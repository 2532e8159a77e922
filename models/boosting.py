"""Gradient boosting with small trees, the same bytes whatever the machine is doing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np

from models.arrays import Codes, Flags, Floats
from models.unseen_missing import send_unseen_missing_to_worse
from saakh.errors import ContractError


@dataclass(frozen=True)
class Settings:
    """What a booster is grown with. Rows are counted without weights: weighting classes ruins calibration."""

    leaves: int
    leaf_rows_min: int
    column_share: float
    lambda_l2: float
    learning_rate: float
    rounds_max: int
    early_stopping_rounds: int
    seed: int


@dataclass(frozen=True)
class Inputs:
    """What the columns of a matrix are: names, directions of risk (+1, 0, −1), possible values (None: unbounded)."""

    names: tuple[str, ...]
    monotone: tuple[int, ...]
    bounds: tuple[tuple[float | None, float | None], ...]


@dataclass(frozen=True)
class Fitted:
    """A fitted booster as text, and what it said out of fold.

    `out_of_fold` are log-odds of bad from boosters of the same number of `rounds` that did not see the row.
    """

    text: str
    rounds: int
    out_of_fold: Floats
    out_of_fold_log_loss: float
    features_used: tuple[str, ...]


def leaves_for(rows: int) -> int:
    """Leaves a tree: few, since phone data are noisy, and a few more where there are rows to support them."""
    return 4 if rows < 20_000 else 8


def leaf_rows_for(rows: int) -> int:
    """Fewest rows a leaf may hold: a tenth, from 20 up to 400; many, so that single people do not show."""
    return int(np.clip(rows // 10, 20, 400))


def column_share_for(columns: int) -> float:
    """Share of the columns a tree may look at: three tenths, so that trees differ, but at least a dozen columns."""
    return min(1.0, max(0.3, 12 / columns))


def threads_for(values: int, threads: int) -> int:
    """How many threads a matrix of so many values is worth; below a few million, handing out work costs more."""
    return threads if values >= 5_000_000 else 1


def fit(x: Floats, bad: Flags, fold: Codes, inputs: Inputs, settings: Settings, threads: int) -> Fitted:
    """Grow a booster on all rows, for as many rounds as were best out of fold.

    `x` is rows × features with NaN for missing; the order of rows counts, so sort them first. A fold whose other folds
    lack good or bad rows is a `ContractError`.
    """
    _refuse_one_class(bad, fold)
    grown_with = _parameters(inputs, settings, threads)
    data = lgb.Dataset(
        x, bad.astype(np.float64), feature_name=list(inputs.names), params=grown_with, free_raw_data=False
    )
    parts = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in np.unique(fold)]
    stop = lgb.early_stopping(settings.early_stopping_rounds, verbose=False)
    kept: dict[str, Any] = lgb.cv(
        grown_with, data, settings.rounds_max, folds=parts, feval=_log_loss, callbacks=[stop], return_cvbooster=True
    )
    losses = kept["valid log_loss-mean"]
    out_of_fold = np.empty(len(bad))
    for (_, held), booster in zip(parts, kept["cvbooster"].boosters, strict=True):
        text = normalised(booster.model_to_string(num_iteration=len(losses)), inputs)
        out_of_fold[held] = log_odds(text, x[held], threads)
    final = lgb.train(grown_with, data, len(losses))
    used = final.feature_importance("split") > 0
    names = tuple(n for n, is_used in zip(inputs.names, used, strict=True) if is_used)
    return Fitted(normalised(final.model_to_string(), inputs), len(losses), out_of_fold, float(losses[-1]), names)


def log_odds(text: str, x: Floats, threads: int) -> Floats:
    """Log-odds of bad from a booster's text, one a row."""
    return np.asarray(lgb.Booster(model_str=text).predict(x, raw_score=True, num_threads=threads), dtype=np.float64)


def normalised(text: str, inputs: Inputs) -> str:
    """The text without what differs between runs or tells of a person, and with an answer to what was never missing.

    The parameters name the thread count; `feature_infos` holds the least and greatest value anyone had, which the
    possible range replaces (LightGBM needs an entry a feature there and does not predict with it).
    """
    infos = " ".join(f"[{_bound(low, '-inf')}:{_bound(high, 'inf')}]" for low, high in inputs.bounds)
    text = re.sub(r"^feature_infos=.*$", f"feature_infos={infos}", text, count=1, flags=re.MULTILINE)
    text = re.sub(r"^parameters:.*?^end of parameters\n+", "", text, count=1, flags=re.MULTILINE | re.DOTALL)
    return send_unseen_missing_to_worse(text)


def uninformative(x: Floats, names: Sequence[str]) -> dict[str, str]:
    """Columns that say nothing, with the reason.

    One value beside missing ones is constant too: being missing is not a behaviour.
    """
    reasons = {}
    for name, column in zip(names, x.T, strict=True):
        present = column[~np.isnan(column)]
        if len(present) == 0:
            reasons[name] = "all null"
        elif present.min() == present.max():
            reasons[name] = "constant"
    return reasons


def _parameters(inputs: Inputs, settings: Settings, threads: int) -> dict[str, object]:
    return {
        "objective": "binary",
        "metric": "None",
        "max_bin": 63,
        "feature_fraction": settings.column_share,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.leaf_rows_min,
        "lambda_l2": settings.lambda_l2,
        "learning_rate": settings.learning_rate,
        "monotone_constraints": list(inputs.monotone),
        "seed": settings.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "verbosity": -1,
    }


def _log_loss(probability: Floats, data: lgb.Dataset) -> tuple[str, float, bool]:
    """LightGBM's own adds up over threads, so its last digits, and with them the best round, depend on how many."""
    bad = np.asarray(data.get_label()) > 0
    return "log_loss", float(-np.log(np.where(bad, probability, 1 - probability)).mean()), False


def _refuse_one_class(bad: Flags, fold: Codes) -> None:
    for f in np.unique(fold):
        if len(np.unique(bad[fold != f])) < 2:
            raise ContractError(
                f"{int(bad.sum())} bad of {len(bad)} loans are too few for {len(np.unique(fold))} folds in time: "
                "outside a fold all are of one kind; check the label definition or give a longer period"
            )


def _bound(value: float | None, otherwise: str) -> str:
    return otherwise if value is None else repr(float(value))
