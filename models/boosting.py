"""Gradient boosting with small trees on one shard of the people, the same bytes whatever the machine is doing."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import lightgbm as lgb
import numpy as np

from models.arrays import Codes, Flags, Floats, columns_of
from models.unseen_missing import send_unseen_missing_to_worse
from saakh.errors import ContractError


@dataclass(frozen=True)
class Settings:
    """What a shard's trees are grown with. Rows are counted without weights: weighting classes ruins calibration.

    A leaf holds about `leaf_rows_min` rows (LightGBM reckons rows from their hessians, so the riskiest leaves may
    hold fewer), and so many that `leaf_bads_min` bad ones are expected among them.
    """

    leaves: int
    leaf_rows_min: int
    leaf_bads_min: float
    column_share: float
    lambda_l2: float
    learning_rate: float
    rounds_max: int
    seed: int


@dataclass(frozen=True)
class Inputs:
    """What the columns of a matrix are: names, directions of risk (+1, 0, −1), possible values (None: unbounded)."""

    names: tuple[str, ...]
    monotone: tuple[int, ...]
    bounds: tuple[tuple[float | None, float | None], ...]


@dataclass(frozen=True)
class Grown:
    """The trees of one shard as text: those of all its rows, and for each fold those of the rows outside it."""

    text: str
    without: tuple[str, ...]


def leaves_for(rows: int) -> int:
    """Leaves a tree: few, since phone data are noisy, and a few more where there are rows to support them."""
    return 4 if rows < 50_000 else 8


def leaf_rows_for(rows: int) -> int:
    """Fewest rows of a shard a leaf may hold: a tenth, from 20 up to 200; many, so that single people do not show."""
    return int(np.clip(rows // 10, 20, 200))


def column_share_for(columns: int) -> float:
    """Share of the columns a tree may look at: three tenths, so that trees differ, but at least a dozen columns."""
    return min(1.0, max(0.3, 12 / columns))


def grow(x: Floats, bad: Flags, fold: Codes, folds: int, inputs: Inputs, settings: Settings) -> Grown:
    """Grow a shard's trees, `rounds_max` of them, on one thread: on all its rows, and once without each fold.

    `x` is rows × features with NaN for missing; the order of rows counts, so sort them first. How many of the trees
    are used is decided later: the first so many are what so many rounds would have given. A fold whose other folds
    lack good or bad rows is a `ContractError`.
    """
    refuse_one_class(bad, fold)
    parameters = parameters_of(inputs, settings, float(bad.mean()))
    data = lgb.Dataset(x, bad.astype(np.float64), feature_name=list(inputs.names), params=parameters).construct()
    parts = (data.subset(np.flatnonzero(fold != f).tolist()) for f in range(folds))  # one at a time
    whole, *without = (
        normalised(_trained(parameters, part, settings.rounds_max), inputs) for part in itertools.chain((data,), parts)
    )
    return Grown(whole, tuple(without))


def _trained(parameters: dict[str, object], data: lgb.Dataset, rounds: int) -> str:
    """The text of the trees; a booster that is kept as it is need not be read back from a text of its own."""
    return lgb.train(parameters, data, rounds, keep_training_booster=True).model_to_string()


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


def uninformative(x: Floats, names: Sequence[str], rows: Codes | None = None) -> dict[str, str]:
    """Columns that say nothing, with the reason, in some rows, by default all.

    One value beside missing ones is constant too: being missing is not a behaviour.
    """
    reasons = {}
    for name, column in zip(names, columns_of(x, rows), strict=True):
        present = column[~np.isnan(column)]
        if len(present) == 0:
            reasons[name] = "all null"
        elif present.min() == present.max():
            reasons[name] = "constant"
    return reasons


def refuse_one_class(bad: Flags, fold: Codes) -> None:
    """A `ContractError` when all rows outside a fold ended alike."""
    for f in np.unique(fold):
        if len(np.unique(bad[fold != f])) < 2:
            raise ContractError(
                f"{int(bad.sum())} bad of {len(bad)} loans are too few for {len(np.unique(fold))} folds in time: "
                "outside a fold all are of one kind; check the label definition or give a longer period"
            )


def grown_with(
    inputs: Inputs,
    *,
    leaves: int,
    leaf_rows_min: int,
    column_share: float,
    lambda_l2: float,
    learning_rate: float,
    seed: int,
    threads: int = 1,
) -> dict[str, object]:
    """LightGBM's parameters for small trees that come out the same each time; what it would report is not asked for."""
    return {
        "objective": "binary",
        "metric": "None",
        "max_bin": 63,
        "feature_fraction": column_share,
        "num_leaves": leaves,
        "min_data_in_leaf": leaf_rows_min,
        "lambda_l2": lambda_l2,
        "learning_rate": learning_rate,
        "monotone_constraints": ",".join(map(str, inputs.monotone)),  # a list is copied at every turn
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "verbosity": -1,
    }


def parameters_of(inputs: Inputs, settings: Settings, bad_rate: float) -> dict[str, object]:
    """LightGBM's parameters of a shard with this bad rate."""
    said = {name: value for name, value in asdict(settings).items() if name not in {"leaf_bads_min", "rounds_max"}}
    least = settings.leaf_bads_min * (1 - bad_rate)  # Σ p (1 − p): a bad counts 1 − p
    return grown_with(inputs, **said) | {"min_sum_hessian_in_leaf": least}


def _bound(value: float | None, otherwise: str) -> str:
    return otherwise if value is None else repr(float(value))
