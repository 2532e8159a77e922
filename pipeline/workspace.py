"""Where each stage keeps its files: one folder a stage, named after it. Files appear whole or not at all."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saakh.errors import MissingInputError, UnreadableInputError


@dataclass(frozen=True)
class Workspace:
    """The folder of one run; `ws.stage("label") / "labels.parquet"` is where the stage `label` wrote its labels."""

    root: Path

    def stage(self, name: str) -> Path:
        """The folder of a stage, made when it is not there."""
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def need(self, stage: str, file: str) -> Path:
        """A file an earlier stage wrote; a `MissingInputError` names the stage to run first."""
        path = self.root / stage / file
        if not path.exists():
            raise MissingInputError(f"{path} is not there; run `saakh {stage}` first (or `saakh run` for all stages)")
        return path


@contextmanager
def whole(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """A temporary path beside `path`, moved onto it when the block ends well and removed when it does not.

    `mode` holds before the file appears under its name: a restricted one (0o600) is never open to others.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its place when the block ends well, and is removed when it does not.

    What was in `path` before goes as a whole, so no file of an earlier run stays behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    former = temporary.with_name(f"{temporary.name}.former")
    try:
        yield temporary
        temporary.chmod(0o755)
        if path.is_dir():
            path.replace(former)
        temporary.replace(path)
    finally:
        if former.exists() and not path.exists():
            former.replace(path)
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(former, ignore_errors=True)


def write_text(path: Path, text: str, mode: int = 0o644) -> None:
    """Write text whole or not at all."""
    with whole(path, mode) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write JSON, keys in the order given, whole or not at all; NaN and infinity are refused."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON; a damaged file is an `UnreadableInputError`."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise UnreadableInputError(f"{path} is not readable JSON ({error}); rerun the stage that writes it") from None


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
