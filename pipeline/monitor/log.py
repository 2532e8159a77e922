"""Monitoring in MLflow: one run a batch, beside the model's own, with its severity and its main figures."""

import time
from collections.abc import Iterator
from typing import Any

from pipeline import tracking
from pipeline.params import Params
from pipeline.workspace import Workspace

SEVERITIES = ("calm", "watch", "act")


def log_monitoring(params: Params, ws: Workspace, report: dict[str, Any]) -> str:
    """Log a report's figures as a run under the model's; the same report again takes the place of the one before."""
    from mlflow.entities import Metric, RunTag  # noqa: PLC0415 - slow to import

    parent, log = tracking.log_training(params, ws), tracking.client(ws)
    experiment = log.get_run(parent).info.experiment_id
    tags = {"mlflow.parentRunId": parent, "saakh.as_of": report["as_of"]}
    tags |= {"saakh.scorecard_sha256": report["scorecard_sha256"]}
    asked = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    for former in log.search_runs([experiment], asked):
        log.delete_run(former.info.run_id)
    run = log.create_run(experiment, run_name=f"monitor {report['as_of'][:10]}", tags=tags)
    now = int(time.time() * 1000)
    metrics = [Metric(name, value, now, step=0) for name, value in figures(report)]
    severity = [RunTag("saakh.severity", report["severity"])]
    log.log_batch(run.info.run_id, metrics=metrics, tags=severity)
    log.set_terminated(run.info.run_id)
    return str(run.info.run_id)


def figures(report: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """The figures worth following from batch to batch."""
    yield "severity", float(SEVERITIES.index(report["severity"]))
    yield "alarms", float(len(report["alarms"]))
    if report["score"]:
        yield "score.psi", report["score"]["psi"]
        yield "score.psi_limit", report["score"]["limit"]
        yield "score.mean_change", report["score"]["mean_points"]["change"]
        if report["approval"]["batch"] is not None:
            yield "approval.share", report["approval"]["batch"]
        yield "reasons.psi", report["reasons"]["psi"]
        yield "inputs.csi_points_total", report["inputs"]["csi_points_total"]
        yield "inputs.csi_largest", max(row["psi"] for row in report["inputs"]["features"])
    if report["ranking"]:
        yield "gini", report["ranking"]["batch"]["value"]
    for row in (report["calibration"] or {"by_vintage": ()})["by_vintage"]:
        if row["side"] == "batch" and row["observed_expected"] and row["observed_expected"]["value"] is not None:
            yield f"observed_expected.{row['month']}", row["observed_expected"]["value"]
    for row in (report["early"] or {"by_vintage": ()})["by_vintage"]:
        if row["side"] == "batch" and row["ratio"] is not None:
            yield f"early.{row['month']}", row["ratio"]
