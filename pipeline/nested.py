"""A run in MLflow that holds several: one nested run each, with its figures; the same account is logged once."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient

PARENT = "mlflow.parentRunId"


@dataclass(frozen=True)
class Nested:
    """One nested run: its name, what it was asked, and its figures."""

    name: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]


def log_nested(
    log: "MlflowClient", experiment: str, name: str, mark: str, account: Mapping[str, Any], parts: Sequence[Nested]
) -> dict[str, str]:
    """Log the account with its parts, unless it is there already; returns the run of each part by name.

    `mark` is the account's digest.
    """
    tag = f"saakh.{name}_sha256"
    found = log.search_runs([experiment], f"tags.`{tag}` = '{mark}' and attributes.status = 'FINISHED'")
    if found:
        nested = log.search_runs([experiment], f"tags.`{PARENT}` = '{found[0].info.run_id}'")
        return {run.info.run_name: run.info.run_id for run in nested}
    parent = log.create_run(experiment, run_name=name, tags={tag: mark}).info.run_id
    log.log_text(parent, json.dumps(account, indent=2), f"{name}.json")
    runs = {part.name: _one(log, experiment, parent, part) for part in parts}
    log.set_terminated(parent)
    return runs


def _one(log: "MlflowClient", experiment: str, parent: str, part: Nested) -> str:
    from mlflow.entities import Metric, Param  # noqa: PLC0415

    run, now = str(log.create_run(experiment, run_name=part.name, tags={PARENT: parent}).info.run_id), time.time()
    metrics = [Metric(name, value, int(now * 1000), step=0) for name, value in part.metrics.items()]
    log.log_batch(run, metrics, [Param(name, str(value)) for name, value in part.params.items()])
    log.set_terminated(run)
    return run
