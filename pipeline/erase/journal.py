"""What an erasure has set out to do and has done, so that one that was stopped can be finished; gone when it is."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from pipeline.erase.receipt import FOLDER
from pipeline.params import Section
from pipeline.retention.errors import ErasureError
from pipeline.workspace import Workspace, write_text


class Hold(Section):
    """What must be kept of people who are erased: for which purpose, and until which day."""

    purpose: str
    destroy_by: str


class Journal(Section):
    """An erasure under way. It holds pseudonyms, since it must know whom to go on with, and no raw id.

    `names` are all pseudonyms to look for at the end; `tombstones` stand, by domain and pseudonym, for numbers that
    others' rows name; `affected` are those others. With `outlived_by`, not people go but rows that have outlived their
    data life by that day, and `affected` are those whose they are. `folders` of the workspace go, `stages` are made
    anew. `done` are the steps behind it.
    """

    format: Literal["saakh/erasure-journal/1"] = "saakh/erasure-journal/1"
    token: str
    why: str
    people: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    tombstones: dict[str, dict[str, str]] = Field(default_factory=dict)
    affected: tuple[str, ...]
    removed: dict[str, int]
    replaced: int = 0
    folders: tuple[str, ...]
    stages: tuple[str, ...]
    superseded: tuple[str, ...]
    hold: Hold | None = None
    outlived_by: str | None = None
    is_anew: bool = False
    runs_removed: int = 0
    copies_removed: int = 0
    done: tuple[str, ...] = ()

    def after(self, step: str, **found: int) -> "Journal":
        """The journal once a step is done."""
        return self.model_copy(update={"done": (*self.done, step), **found})


def place(ws: Workspace) -> Path:
    """Where the journal lies while an erasure is under way."""
    return ws.root / FOLDER / "journal.json"


def read(ws: Workspace) -> Journal | None:
    """The journal of an erasure that was stopped; None when there is none."""
    path = place(ws)
    if not path.exists():
        return None
    try:
        return Journal.model_validate_json(path.read_bytes())
    except ValidationError:
        raise ErasureError(f"{path} is no journal of an erasure: put back what was there") from None


def write(ws: Workspace, journal: Journal) -> None:
    """Write the journal, readable by its owner alone."""
    write_text(place(ws), journal.model_dump_json() + "\n", 0o600)


@contextmanager
def alone(ws: Workspace) -> Iterator[None]:
    """Keep other erasures of this workspace out while one is under way."""
    folder = ws.root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ErasureError(f"another erasure is under way in {ws.root}; wait for it to end") from None
        yield
    finally:
        os.close(handle)
