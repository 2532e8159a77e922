"""Stop files: scorecards that must not be used any more, because monitoring stopped them or they were retired.

A stop file is JSON: an object, or a list of them, each with the `scorecard`'s version, `reasons`, and what it is known
by: `manifest_sha256`, which signing does not change, or `scorecard_sha256`, of the whole file. Who lifts a stop takes
it out of the file, or the file away.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from saakh import archive
from saakh.errors import ArtifactError, StoppedError
from saakh.fields import parse_json
from saakh.manifest import MEMBER

KILL_SWITCH, RETIRED = "kill-switch.json", "retired.json"
BYTES_MAX = 1024 * 1024
SHOWN_MOST = 3
TEXT_MAX = 300
Files = Iterable[str | PathLike[str]]


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop: the file that holds it, the version it is about, what that is known by, and why."""

    file: Path
    scorecard: str
    digests: dict[str, str]
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        more = len(self.reasons) - SHOWN_MOST
        said = "; ".join(self.reasons[:SHOWN_MOST]) + (f"; and {more} more" if more > 0 else "")
        return f"scorecard {self.scorecard} is stopped by {self.file.name}: {said or 'no reason is given'}"


def beside(scorecard: Path) -> tuple[Path, ...]:
    """The stop files that may lie in the folder of a scorecard; they are heeded without being named."""
    return tuple(scorecard.parent / name for name in (KILL_SWITCH, RETIRED))


def digests_of(members: Mapping[str, bytes]) -> dict[str, str]:
    """What a scorecard is known by, with and without its signature."""
    digests = {"manifest_sha256": hashlib.sha256(members[MEMBER]).hexdigest()}
    return digests | {"scorecard_sha256": hashlib.sha256(archive.pack(members)).hexdigest()}


def find(digests: Mapping[str, str], stops: Iterable[Stop]) -> Stop | None:
    """The first of these stops that is about the scorecard with these digests."""
    return next((stop for stop in stops if set(stop.digests.items()) & set(digests.items())), None)


def refuse(members: Mapping[str, bytes], files: Files) -> None:
    """Raise a `StoppedError` when one of these files stops the scorecard of these members."""
    stops = read(files)
    if stop := find(digests_of(members), stops) if stops else None:
        raise StoppedError(
            f"{stop}; use another version, or have whoever answers for it look into this and lift the stop in "
            f"{stop.file}"
        )


def read(files: Files) -> list[Stop]:
    """All stops in these files; one that is not there holds none.

    One that is there and cannot be read is an `ArtifactError`: it may stop the very scorecard that is asked about.
    """
    return [_stop(Path(file), raw) for file in files for raw in _content(Path(file))]


def _content(file: Path) -> list[Any]:
    try:
        with file.open("rb") as stream:
            body = stream.read(BYTES_MAX + 1)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ArtifactError(f"{file} cannot be read ({error.strerror}), so nothing says what it stops") from None
    if len(body) > BYTES_MAX:
        raise ArtifactError(f"{file} is larger than {BYTES_MAX:,} bytes: no stop file")
    content = parse_json(body, str(file))
    return content if isinstance(content, list) else [content]


def _stop(file: Path, raw: Any) -> Stop:
    names = ("manifest_sha256", "scorecard_sha256")
    digests = {name: str(raw[name]) for name in names if name in raw} if isinstance(raw, dict) else {}
    if not digests:
        raise ArtifactError(
            f"{file} is no stop file: it does not say which scorecard it stops; put back what was there"
        )
    reasons = raw.get("reasons")
    said = reasons if isinstance(reasons, list) else []
    return Stop(file, str(raw.get("scorecard"))[:TEXT_MAX], digests, tuple(str(reason)[:TEXT_MAX] for reason in said))
