"""A lender's drop in a temporary folder: files, a mapping, a key; ingested by the real stage."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from pipeline import ingest
from pipeline.params import Params
from pipeline.workspace import Workspace, read_json

KEY = "5f" * 32
TIMES = {"event_at": "at", "available_at": "got"}
TOPUPS: dict[str, Any] = {
    "files": "topups.csv",
    "table": "topups",
    "columns": {
        "person_id": "user",
        **TIMES,
        "amount_minor": {"from": "rupees", "unit": "major"},
        "bundle": "kind",
        "is_advance": "advance",
    },
}
CALLS: dict[str, Any] = {
    "files": "calls*",
    "table": "calls",
    "columns": {
        "person_id": "user",
        "event_at": "at",
        "available_at": {"like": "event_at"},
        "contact_id": "other",
        "direction": "way",
        "duration_s": {"constant": 1},
        "is_answered": {"constant": True},
    },
}
HEADER = "user,at,got,rupees,kind,advance\n"
GOOD = "u1,2026-01-05 10:00:00,2026-01-05 10:05:00,19.99,data,no\n"


def mapping(*sources: Mapping[str, Any], **top: Any) -> dict[str, Any]:
    """A mapping of these sources, consent asserted."""
    consent = {"basis": "asserted_by_source", "categories": ["airtime", "location"], "purposes": ["score", "train"]}
    return {"local_zone": "Asia/Kolkata", "consent": consent, **top, "sources": list(sources)}


@dataclass
class Drop:
    """A drop under `root`; `write` its files, then `ingest` it with a mapping."""

    root: Path

    def write(self, name: str, content: str | bytes | pa.Table) -> Path:
        path = self.root / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pa.Table):
            pq.write_table(content, path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def params(self, content: Mapping[str, Any], **more: Any) -> Params:
        path, key = self.root / "mapping.yaml", self.root / "key.txt"
        path.write_text(yaml.safe_dump(dict(content), sort_keys=False))
        key.write_text(KEY)
        section = {"source": self.root / "raw", "mapping": path, "key_file": key, **more}
        return Params.model_validate(
            {"policy": "explicit-consent", "as_of": "2026-06-01T00:00:00Z", "threads": 1, "ingest": section}
        )

    def ingest(self, content: Mapping[str, Any], to: str = "run", **more: Any) -> "Ingested":
        ingest.run(self.params(content, **more), Workspace(self.root / to))
        return Ingested(self.root / to / "ingest")


@dataclass(frozen=True)
class Ingested:
    """What ingest wrote."""

    folder: Path

    def table(self, name: str) -> pa.Table:
        return pq.read_table(self.folder / f"{name}.parquet")

    def column(self, table: str, name: str) -> list[Any]:
        return self.table(table)[name].to_pylist()

    @property
    def rejects(self) -> list[tuple[str, int, str, str]]:
        rows = self.table("rejects").to_pylist()
        return [(row["file"], row["line"], row["rule"], row["column"]) for row in rows]

    @property
    def report(self) -> dict[str, Any]:
        return read_json(self.folder / "ingest.json")

    @property
    def bytes(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}
