"""The comparison in MLflow: a run with one nested run a model, and who is champion and who challenger."""

from typing import TYPE_CHECKING, Any

from pipeline import tracking
from pipeline.nested import Nested, log_nested
from pipeline.params import Params
from pipeline.workspace import Workspace, digest

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION, CHALLENGER = "champion", "challenger"


def log_comparison(params: Params, ws: Workspace, account: dict[str, Any], seconds: dict[str, float]) -> None:
    """Log the table, unless the very same is there, and set the two aliases.

    `champion` is the model that was trained here. `challenger` is a version that stands for the best of the others: it
    holds how that one was learned and what it reached, and no model, since a library's own files can run code.
    """
    trained, log = tracking.log_training(params, ws), tracking.client(ws)
    experiment, mark = str(log.get_run(trained).info.experiment_id), digest(ws.need("compare", "compare.json"))
    entered = [_entered(model, account, seconds) for model in account["models"] if model["installed"]]
    runs = log_nested(log, experiment, "compare", mark, account, entered)
    log.set_registered_model_alias(tracking.NAME, CHAMPION, _version(log, trained))
    if (best := account["challenger"]) is not None:
        log.set_registered_model_alias(tracking.NAME, CHALLENGER, _version(log, runs[best]))


def _entered(model: dict[str, Any], account: dict[str, Any], seconds: dict[str, float]) -> Nested:
    told = {name: value for name, value in model.items() if isinstance(value, dict)}
    figures = {f"{name}.{k}": v for name, of in told.items() for k, v in of.items() if v is not None}
    said = {"settings": model["settings"], "seed": account["seed"]}
    return Nested(model["name"], said, figures | {"cpu_seconds": seconds[model["name"]]})


def _version(log: "MlflowClient", run_id: str) -> str:
    """The version of the registered model that stands for a run."""
    found = next(iter(log.search_model_versions(f"run_id = '{run_id}'")), None)
    if found is None:
        source = f"{log.get_run(run_id).info.artifact_uri}/model"
        found = log.create_model_version(tracking.NAME, source, run_id, await_creation_for=0)
    return str(found.version)
