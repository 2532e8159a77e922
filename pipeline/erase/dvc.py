"""DVC's copies of a run: each output it ever kept lies in its cache under the digest of its content, until removed."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline.retention.errors import ErasureError

LOCK = "dvc.lock"
DIRECTORY = ".dir"


@dataclass(frozen=True)
class Project:
    """A DVC project that keeps outputs under some folders; its cache may lie elsewhere."""

    root: Path
    cache: Path
    kept: tuple[Path, ...]

    def objects(self) -> dict[Path, Path]:
        """The objects of outputs under those folders, by this lock or any run remembered, with what remembers them."""
        found: dict[Path, Path] = {}
        for said, outs in self._records():
            for out in outs:
                if self._is_kept(str(out.get("path", ""))) and isinstance(out.get("md5"), str):
                    found |= dict.fromkeys(self._with_members(out["md5"]), said)
        return found

    def forget(self) -> int:
        """Remove those objects, and the memory of the runs that made them; returns how many objects there were."""
        objects = self.objects()
        for path in objects:
            path.unlink(missing_ok=True)
        for said in {said for said in objects.values() if said.name != LOCK}:
            said.unlink(missing_ok=True)
        shutil.rmtree(self.root / ".dvc" / "tmp" / "exps", ignore_errors=True)
        return len(objects)

    def commit(self) -> None:
        """Have DVC take what lies in the folders now for what its stages made: it neither restores nor reruns then."""
        if stages := self._stages():
            _dvc(self.root, "commit", "--force", "--quiet", *stages)

    def remotes(self) -> list[str]:
        """The names of the places that copies may have been pushed to."""
        return [line.split()[0] for line in _dvc(self.root, "remote", "list").splitlines() if line.split()]

    def _records(self) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
        for _, stage in _stages_of(self.root / LOCK):
            yield self.root / LOCK, stage.get("outs", [])
        for path in sorted((self.cache / "runs").rglob("*")):
            if path.is_file():
                yield path, (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("outs", [])

    def _with_members(self, name: str) -> Iterator[Path]:
        path = self._place(name)
        if path.exists():
            if name.endswith(DIRECTORY):
                yield from (p for m in json.loads(path.read_text("utf-8")) if (p := self._place(m["md5"])).exists())
            yield path

    def _place(self, name: str) -> Path:
        return self.cache / "files" / "md5" / name[:2] / name[2:]

    def _stages(self) -> list[str]:
        """The stages of the lock with an output under those folders, as far as all their outputs are there."""
        found = []
        for name, stage in _stages_of(self.root / LOCK):
            outs = [str(out["path"]) for out in stage.get("outs", [])]
            if any(map(self._is_kept, outs)) and all((self.root / out).exists() for out in outs):
                found.append(name)
        return found

    def _is_kept(self, path: str) -> bool:
        place = (self.root / path).resolve()
        return any(folder in (place, *place.parents) or place in folder.parents for folder in self.kept)


def project_of(workspace: Path, others: Iterable[Path]) -> Project | None:
    """The DVC project that a workspace lies in, if it has run there; `others` are further folders of people's rows."""
    for root in workspace.resolve().parents:
        if (root / ".dvc").is_dir() and ((root / LOCK).exists() or (root / ".dvc" / "cache").exists()):
            cache = Path(_dvc(root, "cache", "dir").strip())
            return Project(root, root / cache, tuple(path.resolve() for path in (workspace, *others)))
    return None


def _stages_of(lock: Path) -> list[tuple[str, dict[str, Any]]]:
    if not lock.exists():
        return []
    return list((yaml.safe_load(lock.read_text(encoding="utf-8")) or {}).get("stages", {}).items())


def _dvc(root: Path, *arguments: str) -> str:
    """What a command of DVC prints; one that fails is an `ErasureError`."""
    command = [sys.executable, "-m", "dvc", *arguments]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603 (our own words)
    if ended.returncode:
        raise ErasureError(
            f"`dvc {arguments[0]}` failed in {root} with exit code {ended.returncode}; see there what is wrong, then "
            "run `saakh erase` again, which goes on from here"
        )
    return ended.stdout
