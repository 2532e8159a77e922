"""The scorecard in service: held in memory whole, and replaced by a new version that verifies, never by another."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline.stops import stop_files
from saakh import archive, stops
from saakh.errors import ArtifactError, SaakhError, StoppedError
from saakh.scorecard import Scorecard
from saakh.stops import Stop

Outcome = Literal["loaded", "unchanged", "refused"]
Told = Callable[[Outcome, dict[str, Any]], None]
"""Hears how a reload went, with what to log of it."""


@dataclass(frozen=True)
class InService:
    """A verified scorecard and what it is known by."""

    card: Scorecard
    digests: dict[str, str]

    @property
    def sha256(self) -> str:
        """The SHA-256 of its file."""
        return self.digests["scorecard_sha256"]

    def named(self) -> dict[str, Any]:
        """What the scorecard is, for logs and answers."""
        return {"name": self.card.name, "version": self.card.version, "sha256": self.sha256}


class Held:
    """What answers requests now. A request takes `now` once and keeps it, so that no answer mixes two versions.

    `stopped` says why it answers none: monitoring stopped that scorecard, or it was retired.
    """

    def __init__(self, path: Path, trust: Sequence[str] | None = None, named: Sequence[Path] = ()) -> None:
        self.path = path
        self._trust, self._named = trust, named
        self._stamp = _stamp(path)
        self._stops_stamp = self._stamp_of_stops()
        self.now = self._read()
        self.stopped: Stop | None = None
        self.look_for_stops()
        if self.stopped:
            raise StoppedError(f"{self.stopped}; it is not served")

    def has_changed(self) -> bool:
        """Whether the file is another than the one that was last looked at."""
        return _stamp(self.path) != self._stamp

    def are_stops_changed(self) -> bool:
        """Whether what may stop the scorecard is another than when it was last looked at."""
        return self._stamp_of_stops() != self._stops_stamp

    def look_for_stops(self) -> None:
        """See whether the scorecard in service is stopped; by a file that cannot be read, too."""
        self._stops_stamp = self._stamp_of_stops()
        try:
            self.stopped = stops.find(self.now.digests, stops.read(self._stop_files()))
        except ArtifactError as error:
            self.stopped = Stop(self.path, self.now.card.version, self.now.digests, (str(error),))

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
        self.look_for_stops()
        told("loaded", found.named() | {"before": before.card.version})
        return "loaded"

    def _read(self) -> InService:
        try:
            members = archive.read(self.path)
            card = Scorecard.from_members(members, self._trust)
            card.verify()
        except ArtifactError as error:
            raise ArtifactError(f"{self.path}: {error}") from None
        return InService(card, stops.digests_of(members))

    def _stop_files(self) -> tuple[Path, ...]:
        return (*stops.beside(self.path), *stop_files(self.path, self._named))

    def _stamp_of_stops(self) -> list[tuple[int, int, int] | None]:
        return [_stamp(file) for file in self._stop_files()]


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
