"""Other ways to rank loans, each as its library has it by default: what the default model has to stand beside.

A library is imported by the challenger that needs it, and one that is not installed is no error.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from models.arrays import Flags, Floats
from models.boosting import Inputs

Scores = Callable[[Floats], Floats]
"""Log-odds of bad [rows] of inputs [rows, columns] with NaN where missing."""
FARTHEST = 25.0
"""What arcsinh makes of a number of eleven digits: where an input declares no bound, it is taken to end there."""
MISSING_SHARE = 0.1
"""How far below its range a missing value is put, as a share of that range."""


@dataclass(frozen=True)
class Privacy:
    """The (ε, δ) of differential privacy, for one loan: who has several is protected by as many times ε."""

    epsilon: float
    delta: float


@dataclass(frozen=True)
class Challenger:
    """A way to learn: `fit` takes inputs, outcomes, what the columns are, and a seed.

    `needs` is the module it cannot do without, `settings` how it differs from its library's defaults.
    """

    name: str
    needs: str
    settings: str
    fit: Callable[[Floats, Flags, Inputs, int], Scores]

    @property
    def is_installed(self) -> bool:
        """Whether it can be learned here."""
        return find_spec(self.needs) is not None


def challengers(privacy: Privacy | None) -> tuple[Challenger, ...]:
    """All there are, in the order of the table; with `privacy`, one that keeps to it."""
    private = f"ε = {privacy.epsilon:g}, δ = {privacy.delta:g} for each loan, 50 rounds" if privacy else ""
    found = (
        Challenger("LightGBM", "lightgbm", "defaults", _lightgbm),
        Challenger("XGBoost", "xgboost", "defaults", _xgboost),
        Challenger("CatBoost", "catboost", "defaults", _catboost),
        Challenger("EBM", "interpret", "2 bags, no pairs of columns, learning rate 0.1", _ebm),
        Challenger("logistic", "sklearn", "medians where missing, columns of unit spread", _logistic),
        Challenger("WOE", "optbinning", "weights of evidence of optimal bins, then a logistic", _woe),
    )
    if privacy is None:
        return found
    return (*found, Challenger("DP-EBM", "interpret", private, partial(_private, privacy)))


def _lightgbm(x: Floats, bad: Flags, _inputs: Inputs, seed: int) -> Scores:
    from lightgbm import LGBMClassifier  # noqa: PLC0415

    model = LGBMClassifier(n_jobs=1, verbosity=-1, random_state=seed, deterministic=True, force_row_wise=True)
    model.fit(x, bad)
    return lambda other: _floats(model.booster_.predict(other, raw_score=True, num_threads=1))


def _xgboost(x: Floats, bad: Flags, _inputs: Inputs, seed: int) -> Scores:
    from xgboost import XGBClassifier  # noqa: PLC0415

    model = XGBClassifier(n_jobs=1, random_state=seed).fit(x, bad)
    return lambda other: _floats(model.predict(other, output_margin=True))


def _catboost(x: Floats, bad: Flags, _inputs: Inputs, seed: int) -> Scores:
    from catboost import CatBoostClassifier  # noqa: PLC0415

    model = CatBoostClassifier(thread_count=1, random_seed=seed, verbose=False, allow_writing_files=False)
    model.fit(x, bad.astype(int))
    return lambda other: _floats(model.predict(other, prediction_type="RawFormulaVal", thread_count=1))


def _ebm(x: Floats, bad: Flags, _inputs: Inputs, seed: int) -> Scores:
    from interpret.glassbox import ExplainableBoostingClassifier  # noqa: PLC0415

    # With all 14 bags and pairs of columns, a fit on a thousand loans of 300 columns takes a minute.
    model = ExplainableBoostingClassifier(outer_bags=2, interactions=0, learning_rate=0.1, n_jobs=1, random_state=seed)
    return _interpreted(model, x, bad)


def _private(privacy: Privacy, x: Floats, bad: Flags, inputs: Inputs, seed: int) -> Scores:
    from interpret.privacy import DPExplainableBoostingClassifier  # noqa: PLC0415

    low, high = declared_range(inputs)
    model = DPExplainableBoostingClassifier(
        epsilon=privacy.epsilon,
        delta=privacy.delta,
        privacy_bounds=np.stack([low, high], axis=1),
        max_rounds=50,  # each spends of the same budget, and takes its time
        learning_rate=0.06,
        n_jobs=1,
        random_state=seed,
    )
    scores = _interpreted(model, within(x, low, high), bad)
    return lambda other: scores(within(other, low, high))


def declared_range(inputs: Inputs) -> tuple[Floats, Floats]:
    """Where each column may lie after `within`, by its declaration alone: no bound is read off anybody's data."""
    ends = ((-FARTHEST, FARTHEST), inputs.bounds)
    low = np.array([ends[0][0] if a is None else np.arcsinh(a) for a, _ in ends[1]])
    high = np.array([ends[0][1] if b is None else np.arcsinh(b) for _, b in ends[1]])
    return low - MISSING_SHARE * (high - low), high


def within(x: Floats, low: Floats, high: Floats) -> Floats:
    """The columns bent by arcsinh and held to their ranges; missing values stand at the low end, apart from others."""
    return np.where(np.isnan(x), low, np.clip(np.arcsinh(x), low, high))


def _interpreted(model: Any, x: Floats, bad: Flags) -> Scores:
    with warnings.catch_warnings():
        # On missing values in its charts, and on a fixed seed: noise that can be drawn again protects nobody, which
        # matters to a model that is given away, and not to a comparison.
        warnings.simplefilter("ignore", UserWarning)
        model.fit(x, bad)
    return lambda other: _floats(model.decision_function(other))


def _logistic(x: Floats, bad: Flags, _inputs: Inputs, seed: int) -> Scores:
    from sklearn.impute import SimpleImputer  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    line = LogisticRegression(max_iter=1_000, random_state=seed)
    model = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler(), line)
    with threadpool_limits(1):  # sums of several threads come in another order
        model.fit(x, bad)
    return lambda other: _floats(model.decision_function(other))


def _woe(x: Floats, bad: Flags, inputs: Inputs, seed: int) -> Scores:
    from optbinning import BinningProcess  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    line = LogisticRegression(max_iter=1_000, random_state=seed)
    model = make_pipeline(BinningProcess(list(inputs.names), n_jobs=1), line)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, on the versions beside it
        model.fit(x, bad.astype(int))

    def scores(other: Floats) -> Floats:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _floats(model.decision_function(other))

    return scores


def _floats(values: Any) -> Floats:
    return np.asarray(values, dtype=np.float64)
