"""The scorecard in service: held in memory whole, and replaced by a new version that verifies, never by another."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from saakh import archive
from saakh.errors import ArtifactError, SaakhError
from saakh.scorecard import Scorecard

Outcome = Literal["loaded", "unchanged", "refused"]
Told = Callable[[Outcome, dict[str, Any]], None]
"""Hears how a reload went, with what to log of it."""


@dataclass(frozen=True)
class InService:
    """A verified scorecard and the SHA-256 of its file."""

    card: Scorecard
    sha256: str

    def named(self) -> dict[str, Any]:
        """What the scorecard is, for logs and answers."""
        return {"name": self.card.name, "version": self.card.version, "sha256": self.sha256}


class Held:
    """What answers requests now. A request takes `now` once and keeps it, so that no answer mixes two versions."""

    def __init__(self, path: Path, trust: Sequence[str] | None = None) -> None:
        self.path = path
        self._trust = trust
        self._stamp = _stamp(path)
        self.now = self._read()

    def has_changed(self) -> bool:
        """Whether the file is another than the one that was last looked at."""
        return _stamp(self.path) != self._stamp

    def reload(self, told: Told) -> Outcome:
        """Look at the file: a version that verifies is taken, anything else is refused and the old one stays."""
        self._stamp = _stamp(self.path)  # before reading: what is written meanwhile is looked at again
        try:
            found = self._read()
            if found.sha256 == self.now.sha256:
                told("unchanged", self.now.named())
                return "unchanged"
            _refuse_another(self.now.card, found.card)
        except SaakhError as error:
            told("refused", {"error": type(error).__name__, "why": str(error)})
            return "refused"
        except Exception as error:  # whatever is wrong with a file, the service goes on
            told("refused", {"error": type(error).__name__})
            return "refused"
        before, self.now = self.now, found
        told("loaded", found.named() | {"before": before.card.version})
        return "loaded"

    def _read(self) -> InService:
        try:
            members = archive.read(self.path)
            card = Scorecard.from_members(members, self._trust)
            card.verify()
        except ArtifactError as error:
            raise ArtifactError(f"{self.path}: {error}") from None
        return InService(card, hashlib.sha256(archive.pack(members)).hexdigest())


def _refuse_another(now: Scorecard, found: Scorecard) -> None:
    """Callers built for one scorecard must not wake up to other inputs: that takes a restart."""
    if found.name != now.name or _major(found) != _major(now):
        raise ArtifactError(
            f"{found.name} {found.version} has other inputs than {now.name} {now.version}, which is in service; "
            "start a service of its own for it, and move callers over"
        )


def _major(card: Scorecard) -> str:
    return card.version.partition(".")[0]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  follows a link, as `current.saakh` often is
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
