"""Loading a scorecard from its file: whole, by whom it should be signed, and not one that was stopped."""

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from saakh import archive, stops
from saakh.errors import ArtifactError
from saakh.scorecard import Scorecard
from saakh.signature import Trust


def load(
    path: str | PathLike[str], trust: Trust | None = None, stop_files: Iterable[str | PathLike[str]] = ()
) -> Scorecard:
    """Load a scorecard; an `ArtifactError` says why a file is not one, or not whole any more.

    `trust` is the public key that must have signed it (a PEM file or 64 hexadecimal digits), or several, of which one
    must; it needs `saakh[verify]`. Without it digests alone are checked, and `signature` says what was not verified.
    One that monitoring stopped or that was retired is a `StoppedError`: `kill-switch.json` and `retired.json` in the
    scorecard's folder are heeded, and any `stop_files` that are named beside.
    """
    at = Path(path)
    try:
        members = archive.read(at)
        found = Scorecard.from_members(members, trust)
        stops.refuse(members, (*stops.beside(at), *stop_files))
    except ArtifactError as error:
        raise ArtifactError(f"{path}: {error}") from None
    return found
