"""What `saakh tune` found, as the parameters take it up: named by `train.tuned`, and never otherwise."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.workspace import digest, read_json
from saakh.errors import ConfigError, MissingInputError

if TYPE_CHECKING:
    from pipeline.params import Params

KEYS = ("values", "reproducible", "taken")


def with_tuned(told: dict[str, Any]) -> dict[str, Any]:
    """The parameters' keys with the values of the file that `train.tuned` names in place of its own."""
    train = told.get("train")
    if not isinstance(train, dict) or not isinstance(train.get("tuned"), str):
        return told
    return told | {"train": train | read_tuned(Path(train["tuned"]))["values"]}


def read_tuned(path: Path) -> dict[str, Any]:
    """What a search found; a file that is not there or not of a search is an error."""
    if not path.is_file():
        raise MissingInputError(
            f"train.tuned names {path}, which is not there; run `saakh tune --out {path}` without it"
        )
    found = read_json(path)
    if not isinstance(found, dict) or not set(KEYS) <= set(found):
        raise ConfigError(f"train.tuned names {path}, which `saakh tune` did not write; it has no {', '.join(KEYS)}")
    return dict(found)


def mark_of(params: "Params") -> dict[str, Any] | None:
    """What a training says of the search it took its values from; a release asks whether that is `reproducible`."""
    path = params.train.tuned
    if path is None:
        return None
    found = read_tuned(path)
    return {"sha256": digest(path), "taken": found["taken"], "reproducible": found["reproducible"]}
