"""What was made from everybody's rows: the stages' folders and MLflow's runs. All of it goes, to be made anew."""

import contextlib
import io
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

from pipeline import tracking
from pipeline.retention.errors import ErasureError
from pipeline.run import STAGES
from pipeline.workspace import Workspace, digest

BESIDE = (
    *("compare", "decide", "evidence", "fairness", "judge", "membership", "minimise", "monitor", "optimise", "policy"),
    *("proxies", "reidentify", "score", "tune", "validate"),
)
"""Folders that other commands make of people's rows. They go and are not made anew: whoever wants them asks again."""
LEARNED = ("train/*.txt", "export/*", "release/*.saakh")
"""What learned from everybody and may have been given to others, so that its digest says what is superseded."""
MLFLOW = "mlflow"
_URI = "MLFLOW_TRACKING_URI"


def made(ws: Workspace) -> list[str]:
    """The stages that have a folder, in their order: those to make anew."""
    return [name for name in STAGES if (ws.root / name).is_dir()]


def beside(ws: Workspace) -> list[str]:
    """The folders beside those of the stages that hold what was made of people's rows."""
    return [name for name in BESIDE if (ws.root / name).is_dir()]


def superseded(ws: Workspace) -> list[str]:
    """The digests of models and scorecards that learned from everybody, in order."""
    return sorted({digest(path) for pattern in LEARNED for path in ws.root.glob(pattern) if path.is_file()})


def clear_released(ws: Workspace) -> None:
    """Remove the scorecards that were released; the signed records of that stay, and what was retired stays refused."""
    for path in (ws.root / "release").glob("*.saakh"):
        path.unlink()


def clear(ws: Workspace, names: list[str]) -> None:
    """Remove folders of the workspace, those that a killed stage left beside them too."""
    for name in names:
        for folder in (ws.root / name, *ws.root.glob(f".{name}.*")):
            shutil.rmtree(folder, ignore_errors=not folder.exists())


def refuse_runs_elsewhere(ws: Workspace) -> None:
    """Stop when the runs' files lie outside the workspace, as in a copy of another: they are not its to remove."""
    home = (ws.root / MLFLOW).resolve()
    if strange := [place for place in _places(ws) if home not in place.resolve().parents]:
        raise ErasureError(
            f"{len(strange)} of MLflow's runs keep their files outside {home}, as after copying or moving a workspace; "
            f"move them back, or remove {home} if they belong to another"
        )


def clear_runs(ws: Workspace) -> int:
    """Remove every run and its files for good, and every version of the model; returns how many runs there were.

    The versions' numbers stay taken, so that a number means one model for ever.
    """
    if not (ws.root / MLFLOW / "mlflow.db").exists():
        return 0
    log, ids = tracking.client(ws), list(_runs(ws))
    for version in log.search_model_versions(f"name = '{tracking.NAME}'"):
        log.delete_model_version(tracking.NAME, version.version)
    for run in ids:
        if log.get_run(run).info.lifecycle_stage == "active":
            log.delete_run(run)
    if ids:
        collect(ws)
    shutil.rmtree(ws.root / MLFLOW / "artifacts", ignore_errors=True)
    with contextlib.closing(sqlite3.connect(ws.root / MLFLOW / "mlflow.db")) as store:
        store.execute("VACUUM")  # what was deleted stays in a database's pages until they are written anew
    return len(ids)


def _runs(ws: Workspace) -> Iterator[str]:
    """Every run, deleted ones too."""
    from mlflow.entities import ViewType  # noqa: PLC0415 (slow to import)

    log, token = tracking.client(ws), None
    experiments = [e.experiment_id for e in log.search_experiments(view_type=ViewType.ALL)]
    while True:
        page = log.search_runs(experiments, run_view_type=ViewType.ALL, page_token=token)
        yield from (run.info.run_id for run in page)
        if not (token := page.token):
            return


def _places(ws: Workspace) -> list[Path]:
    """Where the runs keep their files."""
    if not (ws.root / MLFLOW / "mlflow.db").exists():
        return []
    log = tracking.client(ws)
    return [Path(url2pathname(urlparse(log.get_run(run).info.artifact_uri).path)) for run in _runs(ws)]


def collect(ws: Workspace) -> None:
    """MLflow's own garbage collection, which removes what is marked as deleted; what it sets is set back."""
    import mlflow  # noqa: PLC0415
    import mlflow.cli  # noqa: PLC0415

    store = f"sqlite:///{(ws.root / MLFLOW / 'mlflow.db').resolve()}"
    before, named = mlflow.get_tracking_uri(), os.environ.get(_URI)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            mlflow.cli.gc.main(["--backend-store-uri", store, "--tracking-uri", store], standalone_mode=False)
    finally:
        mlflow.set_tracking_uri(before)
        os.environ.pop(_URI, None)
        if named is not None:
            os.environ[_URI] = named
