"""A lender's house on disk for tests of what comes out of it: raw drops, a mapping, keys; and commands run in it."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline import simulate
from pipeline.params import Params
from pipeline.workspace import Workspace
from tests import canaries

ROOT = Path(__file__).parents[1]
DROPPED = {
    "messages": {"message_text": "what was written is nobody's business"},
    "calls": {"contact_name": "the number is enough, and becomes a pseudonym"},
}

Ended = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class House:
    """A folder with `raw` drops, a mapping, a key and parameters; all that comes out goes under `out`."""

    root: Path

    @property
    def key(self) -> str:
        return (self.root / "key.txt").read_text().strip()

    @property
    def raw(self) -> Path:
        return self.root / "raw"

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def ws(self) -> Path:
        return self.out / "work"

    def write(self, name: str, content: str | Mapping[str, Any]) -> None:
        """Write a file; what is not text, as YAML."""
        said = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
        (self.root / name).write_text(said)

    def read(self, name: str) -> Any:
        """What a YAML file says."""
        return yaml.safe_load((self.root / name).read_text())

    def params(self, **sections: Any) -> None:
        """Change parameters: a section's keys are added to it."""
        said = self.read("params.yaml")
        for name, value in sections.items():
            said[name] = {**said.get(name, {}), **value} if isinstance(value, dict) else value
        self.write("params.yaml", said)

    def source(self, table: str, **keys: Any) -> None:
        """Change the mapping's source of a table."""
        said = self.read("mapping.yaml")
        for source in said["sources"]:
            if source["table"] == table:
                source.update(keys)
        self.write("mapping.yaml", said)

    def copy(self, root: Path, *stages: str) -> "House":
        """Another house with the same drops, and of what was run only these stages."""
        shutil.copytree(self.raw, root / "raw")
        for path in self.root.iterdir():
            if path.is_file():
                shutil.copy(path, root / path.name)
        for stage in stages:
            shutil.copytree(self.ws / stage, root / "out/work" / stage)
        return House(root)

    def saakh(self, *arguments: str, before: str = "", **environment: str) -> Ended:
        """A command in a process of its own, whose temporary files and home lie where the search looks."""
        temporary = self.out / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        own = {"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary), "HOME": str(temporary), "COLUMNS": "200"}
        code = f"{before}\nfrom pipeline.cli import main\nmain()"
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=self.root,
            env={**os.environ, "NO_COLOR": "1", **own, **environment},
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
            timeout=1_200,
        )

    def leaks(self, *ended: Ended) -> list[str]:
        """Where a canary, a raw cell or the key came out: in what was printed, or in any file."""
        printed = "\n".join(text for each in ended for text in (each.stdout, each.stderr))
        found = canaries.in_bytes(printed.encode(errors="surrogateescape"), (self.key,))
        return [f"printed: {what}" for what in sorted(found)] + canaries.hits(self.out, self.key)


def build(root: Path, people: int, **changed: Any) -> tuple[House, set[str]]:
    """A house whose drop is full of canaries; and these."""
    said = yaml.safe_load((ROOT / "params.yaml").read_text()) | {"workspace": "out/work"}
    drawn = {**said["simulate"], "out": str(root / "raw"), "oracle": str(root / "oracle"), "people": people}
    simulate.run(Params.model_validate(said | {"simulate": drawn}), Workspace(root))
    planted = canaries.plant(root / "raw")
    house = House(root)
    house.write("key.txt", secrets.token_hex(32))
    house.write("mapping.yaml", _mapping())
    house.write("params.yaml", said)
    house.params(ingest={"source": "raw", "mapping": "mapping.yaml", "key_file": "key.txt"}, audit={"actor": "tester"})
    house.params(decide={"terms": str(ROOT / said["decide"]["terms"])})
    house.params(evaluate={"resamples": 200}, simulate={"out": "raw", "oracle": "oracle"}, **changed)
    return house, planted


def _mapping() -> dict[str, Any]:
    """The sample's mapping, with what it must say about the columns that were added."""
    said: dict[str, Any] = yaml.safe_load((ROOT / "data/mappings/sample.yaml").read_text())
    said["refuse"] = [name for name in said["refuse"] if name not in ("message_text", "contact_name")]
    for source in said["sources"]:
        if source["table"] in DROPPED:
            source["drop"] = DROPPED[source["table"]]
    return said
