"""The log of runs: what each model was learned from and how well it did, in MLflow on SQLite beside the outputs.

Nothing here reaches an output file, which would tie its bytes to a clock; and no person's row reaches the log.
"""

import logging
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import saakh
from pipeline.bundle import Bundle
from pipeline.convert import flavour
from pipeline.params import Params
from pipeline.workspace import Workspace, digest, read_json
from saakh.errors import MissingInputError

if TYPE_CHECKING:
    from mlflow import MlflowClient

NAME = "saakh"
ALIAS = "candidate"
TAG = "saakh.train_sha256"
BUNDLE, MODEL = "bundle", "model"
FIGURES = ("value", "low", "high")


def client(ws: Workspace) -> "MlflowClient":
    """A client on the workspace's own log, which is made when it is not there."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when MLflow is imported
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    from mlflow import MlflowClient  # noqa: PLC0415 (slow to import)

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=f"sqlite:///{(ws.stage('mlflow') / 'mlflow.db').resolve()}")


def log_training(params: Params, ws: Workspace) -> str:
    """Log and register the trained model as the candidate; returns the run.

    A training that is logged already, the same to the byte, keeps its run: nothing is logged twice.
    """
    log = client(ws)
    runs_of, train = experiment(log, ws), ws.need("train", "train.json")
    mark = digest(train)
    if found := log.search_runs([runs_of], f"tags.`{TAG}` = '{mark}' and attributes.status = 'FINISHED'"):
        run_id = found[0].info.run_id
    else:
        run_id = log.create_run(runs_of, run_name="train", tags={TAG: mark}).info.run_id
        try:
            _fill(log, run_id, params, ws)
        except BaseException:
            log.set_terminated(run_id, "FAILED")
            raise
        log.set_terminated(run_id)
    _register(log, run_id)
    return run_id


def log_evaluation(params: Params, ws: Workspace) -> str:
    """Add the figures to the model's run; returns the run."""
    from mlflow.entities import Metric  # noqa: PLC0415

    run_id, log = log_training(params, ws), client(ws)
    figures, now = _figures(read_json(ws.need("evaluate", "metrics.json"))), int(time.time() * 1000)
    log.log_batch(run_id, [Metric(name, value, now, step=0) for name, value in figures])
    return run_id


def log_scorecard(params: Params, ws: Workspace, bundle: Bundle, scorecard: Path) -> str:
    """Keep a scorecard in the model's run, and what it was built from, in place of what was there; returns the run.

    The scorecard is the registered model from then on: MLflow serves it with the runtime alone.
    """
    run_id, log = log_training(params, ws), client(ws)
    with tempfile.TemporaryDirectory() as folder:
        bundle.to_folder(Path(folder) / BUNDLE)
        flavour.save(Path(folder) / MODEL, scorecard.read_bytes(), saakh.load(scorecard))
        for name in (BUNDLE, MODEL):
            log.log_artifacts(run_id, str(Path(folder) / name), name)
    return run_id


def fetch_bundle(ws: Workspace, version: str = ALIAS) -> Bundle:
    """What a registered model's scorecard was built from, out of its run alone.

    `version` is a number or an alias. A model that is not registered, or was not exported: a `MissingInputError`.
    """
    if not (ws.root / "mlflow/mlflow.db").exists():
        raise MissingInputError(f"no run is logged in {ws.root}; run `saakh run` first, or name its parameters")
    with tempfile.TemporaryDirectory() as folder:
        return Bundle.from_folder(_fetch(client(ws), Path(folder), version))


def _fetch(log: "MlflowClient", folder: Path, version: str) -> Path:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    by = log.get_model_version if version.isdigit() else log.get_model_version_by_alias
    try:
        run_id = str(by(NAME, version).run_id)
    except MlflowException:
        raise MissingInputError(f"no model '{NAME}' is registered as '{version}'; run `saakh train` first") from None
    return Path(log.download_artifacts(run_id, BUNDLE, str(folder)))


def experiment(log: "MlflowClient", ws: Workspace) -> str:
    """The experiment that holds the workspace's runs, made when it is not there."""
    found = log.get_experiment_by_name(NAME)
    if found is not None:
        return str(found.experiment_id)
    return str(log.create_experiment(NAME, artifact_location=(ws.stage("mlflow") / "artifacts").resolve().as_uri()))


def _fill(log: "MlflowClient", run_id: str, params: Params, ws: Workspace) -> None:
    from mlflow.entities import Param  # noqa: PLC0415

    account = read_json(ws.need("train", "train.json"))
    said = {k: account[k] for k in ("as_of", "seed", "policy", "catalogue_fingerprint", "model_sha256")}
    said |= {f"train.{k}": v for k, v in (params.train.model_dump() | account["parameters"]).items()}
    said |= {f"split.{k}": account["split"][k] for k in ("out_of_time_from", "boundary", "gap_days")}
    said |= {f"input.{k}": v for k, v in account["inputs"].items()}
    log.log_batch(run_id, params=[Param(k, str(v)) for k, v in said.items()])
    for file in (ws.need("train", "model.txt"), ws.need("train", "train.json"), ws.need("derive", "specs.json")):
        log.log_artifact(run_id, str(file), BUNDLE)


def _register(log: "MlflowClient", run_id: str) -> None:
    if not log.search_registered_models(f"name = '{NAME}'"):
        log.create_registered_model(NAME)
    version = next(iter(log.search_model_versions(f"run_id = '{run_id}'")), None)
    if version is None:
        source = f"{log.get_run(run_id).info.artifact_uri}/{MODEL}"
        version = log.create_model_version(NAME, source, run_id, await_creation_for=0)
    log.set_registered_model_alias(NAME, ALIAS, version.version)


def _figures(metrics: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Each figure and its bounds, as in `out_of_time.auc.low`."""
    for side in ("out_of_time", "out_of_fold", "through_the_door"):
        for name, estimate in metrics[side].items():
            if isinstance(estimate, dict):
                yield from ((f"{side}.{name}.{k}", estimate[k]) for k in FIGURES if estimate[k] is not None)
