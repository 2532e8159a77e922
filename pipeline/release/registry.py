"""MLflow's registry as releases use it: which registered model a scorecard is, and which of them decides."""

from collections.abc import Mapping

from pipeline import tracking
from pipeline.bundle import Bundle
from pipeline.export import build
from pipeline.release.errors import ReleaseError
from pipeline.tracking import NAME
from pipeline.workspace import Workspace
from saakh import archive, signature
from saakh.errors import MissingInputError, SaakhError
from saakh.scorecard import Scorecard

CHAMPION, FORMER = "champion", "former-champion"
"""Aliases of the registered model that decides now, and of the one that did before."""


def registered(ws: Workspace, card: Scorecard, members: Mapping[str, bytes]) -> tuple[str, Bundle]:
    """The number of the registered model that a scorecard was built from, byte for byte, and what it was built from."""
    unsigned = archive.pack({name: body for name, body in members.items() if name != signature.MEMBER})
    model = card.manifest.training.get("model_sha256")
    for number, sha256 in _versions(ws).items():
        if sha256 == model and (bundle := _bundle(ws, number)) and build(bundle) == unsigned:
            return number, bundle
    raise ReleaseError(
        f"no model registered in {ws.root} gives this very scorecard: release it from the workspace that made it, "
        "after `saakh export`"
    )


def promote(ws: Workspace, number: str, former: str | None, tags: Mapping[str, str]) -> None:
    """Make a registered model the champion, with what is to be said of it, and another (or none) the former one."""
    log = tracking.client(ws)
    for name, value in tags.items():
        log.set_model_version_tag(NAME, number, f"saakh.{name}", value)
    if former is not None:
        log.set_registered_model_alias(NAME, FORMER, former)
    elif FORMER in _aliases(ws):
        log.delete_registered_model_alias(NAME, FORMER)
    log.set_registered_model_alias(NAME, CHAMPION, number)


def withdraw(ws: Workspace, model: str) -> None:
    """Remove every registered version of a model, its aliases and its run with all files."""
    if not _is_there(ws):
        return
    from pipeline.erase.stores import collect  # noqa: PLC0415 - with MLflow, slow to import

    log = tracking.client(ws)
    numbers = [number for number, sha256 in _versions(ws).items() if sha256 == model]
    for alias in [alias for alias, number in _aliases(ws).items() if number in numbers]:
        log.delete_registered_model_alias(NAME, alias)
    for number in numbers:
        run = str(log.get_model_version(NAME, number).run_id)
        log.delete_model_version(NAME, number)
        log.delete_run(run)
    if numbers:
        collect(ws)


def _is_there(ws: Workspace) -> bool:
    return (ws.root / "mlflow" / "mlflow.db").exists()


def _versions(ws: Workspace) -> dict[str, str | None]:
    """The digest of each registered version's model, the newest version first."""
    if not _is_there(ws):
        raise MissingInputError(f"no run is logged in {ws.root}; name the parameters of the workspace that made it")
    log = tracking.client(ws)
    found = {str(v.version): str(v.run_id) for v in log.search_model_versions(f"name = '{NAME}'")}
    newest = sorted(found, key=int, reverse=True)
    return {number: log.get_run(found[number]).data.params.get("model_sha256") for number in newest}


def _aliases(ws: Workspace) -> dict[str, str]:
    return {alias: str(number) for alias, number in tracking.client(ws).get_registered_model(NAME).aliases.items()}


def _bundle(ws: Workspace, number: str) -> Bundle | None:
    """What a version was built from; None when it was never exported."""
    try:
        return tracking.fetch_bundle(ws, number)
    except SaakhError:
        return None
