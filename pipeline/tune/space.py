"""What a search may change: sizes of trees, what holds them back, and which columns they are offered."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna import Trial

NONE = "none"
DRIFTS = (NONE, "0.25", "0.1")
"""The two conventional limits of PSI: a column that passes one within development is left out."""


def suggested(trial: "Trial", rows: int, categories: Sequence[str]) -> dict[str, Any]:
    """Values of `train` for a trial; `rows` are those of a shard. Shards themselves are not searched for.

    How many there are is a matter of erasure and privacy, not of fit. Columns are left out by category, or for
    drifting: neither looks at an outcome.
    """
    without = trial.suggest_categorical("without", (NONE, *categories))
    drift = trial.suggest_categorical("drift_max", DRIFTS)
    return {
        "leaves": trial.suggest_int("leaves", 2, 8),
        "leaf_rows_min": trial.suggest_int("leaf_rows_min", 10, max(40, rows // 4), log=True),
        "leaf_bads_min": round(trial.suggest_float("leaf_bads_min", 1.0, 40.0, log=True), 3),
        "column_share": round(trial.suggest_float("column_share", 0.1, 1.0), 3),
        "lambda_l2": round(trial.suggest_float("lambda_l2", 1.0, 300.0, log=True), 3),
        "learning_rate": round(trial.suggest_float("learning_rate", 0.03, 0.3, log=True), 4),
        "without": [] if without == NONE else [without],
        "drift_max": None if drift == NONE else float(drift),
    }
