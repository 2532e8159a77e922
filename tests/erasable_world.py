"""A tiny world in which people know each other by number, its run, and the same world had some people never existed.

`without` is written apart from the package under test: it reads drops with json, split and Arrow, and drops whole rows.
"""

import gzip
import json
import sqlite3
import zipfile
from collections.abc import Collection
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from features.catalogue import all_features
from pipeline.params import Params
from pipeline.pseudonyms import Pseudonyms, read_key
from pipeline.run import STAGES, run_stage
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[1]
TABLES = ("applications", "repayments", "consents", "calls")
COLUMNS_MAX = 4
"""Features of more columns than this are left out of the tiny world."""
FAMOUS = 4
"""So many people are called by others: those of the first numbers."""


def number(person: str) -> str:
    """The number under which others know a person."""
    return f"+9190000{int(person[1:]):05d}"


def params(folder: Path, people: int = 120, tables: Collection[str] | None = TABLES, **changed: Any) -> Params:
    """The parameters of a run of the world in a folder; all tables, and the sample's model, when none is named."""
    raw = yaml.safe_load((ROOT / "params.yaml").read_text())
    raw["workspace"] = str(folder / "work")
    raw["simulate"] |= {"out": str(folder / "raw"), "oracle": str(folder / "oracle"), "people": people}
    raw["ingest"] |= {"source": str(folder / "raw"), "mapping": str(folder / "mapping.yaml")}
    raw["ingest"]["key_file"] = str(folder / "raw/key.txt")
    if tables is not None:
        raw["evaluate"]["resamples"] = 100
        raw["train"] |= {"rounds_max": 30, "folds": 2}
        many = (f.name for f in all_features() if f.family == "social" and len(f.columns) > COLUMNS_MAX)
        raw["derive"]["leave_out"] = ["lifestyle", "life_stage", "interactions", *many]
    return Params.model_validate(raw | changed)


def make(folder: Path, people: int = 120, tables: Collection[str] | None = TABLES, **changed: Any) -> Params:
    """Draw the world, let people know each other, and write a mapping of these tables."""
    run = params(folder, people, tables, **changed)
    run_stage("simulate", run, Workspace(run.workspace))
    mapping = yaml.safe_load((ROOT / "data/mappings/sample.yaml").read_text())
    mapping["sources"] = [s for s in mapping["sources"] if tables is None or s["table"] in tables]
    times = {"event_at": "at", "available_at": {"like": "event_at"}}
    columns = {"person_id": "person", **times, "contact_id": "number"}
    mapping["sources"].append({"files": "numbers.csv", "table": "contact_names", "columns": columns})
    (folder / "mapping.yaml").write_text(yaml.safe_dump(mapping, sort_keys=False))
    for path in (folder / "raw").iterdir():
        if path.is_dir() and tables is not None and path.name not in tables:
            rmtree(path)
    lines = [f"{person},2025-01-01T00:00:00Z,{number(person)}\n" for person in names(folder)]
    (folder / "raw/numbers.csv").write_text("person,at,number\n" + "".join(lines))
    for table, column in (("calls", "contact"), ("payments", "counterparty")):
        if (path := folder / f"raw/{table}/part-00000.parquet").exists():
            _acquaint(path, column)
    if tables is not None:
        (folder / "raw/people.jsonl").unlink()
    return run


def _acquaint(path: Path, column: str) -> None:
    """Every ninth call or payment is with one of the famous, and most of these with the first."""
    rows = pq.read_table(path)
    callers, called = rows["person"].to_pylist(), rows[column].to_pylist()
    for row in range(0, len(called), 9):
        called[row] = number(f"P{max(1, row // 9 % (3 * FAMOUS) - 2 * FAMOUS):08d}")
        if called[row] == number(callers[row]):
            called[row] = number(f"P{FAMOUS + 1:08d}")
    place = rows.schema.get_field_index(column)
    pq.write_table(rows.set_column(place, column, pa.array(called).dictionary_encode()), path, compression="zstd")


def names(folder: Path) -> list[str]:
    """The people of the drops, by raw id."""
    lines = (folder / "raw/applications.csv").read_text().splitlines()
    return sorted({line.split(",")[1] for line in lines[1:]})


def run_all(run: Params) -> Workspace:
    """Every stage, in order."""
    ws = Workspace(run.workspace)
    for stage in STAGES:
        run_stage(stage, run, ws)
    return ws


def without(folder: Path, other: Path, people: Collection[str]) -> None:
    """The drops and the mapping of one folder in another, had these people's rows never existed."""
    copytree(folder / "raw", other / "raw")
    (other / "mapping.yaml").write_text((folder / "mapping.yaml").read_text())
    gone = set(people)
    for path in sorted((other / "raw").rglob("*")):
        if path.suffix == ".parquet":
            rows = pq.read_table(path)
            theirs = pc.is_in(rows["person"].cast(pa.string()), pa.array(sorted(gone), pa.string()))
            pq.write_table(rows.filter(pc.invert(theirs)), path, compression="zstd")
        elif path.suffix == ".jsonl":
            lines = path.read_text().splitlines(keepends=True)
            path.write_text("".join(line for line in lines if json.loads(line)["person"] not in gone))
        elif path.suffix == ".csv":
            path.write_text(_without(path.read_text(), gone))
        elif path.suffix == ".gz":
            with gzip.open(path, "rt") as packed:
                text = _without(packed.read(), gone)
            with path.open("wb") as sink, gzip.GzipFile("", "wb", compresslevel=6, fileobj=sink, mtime=0) as out:
                out.write(text.encode())


def _without(text: str, gone: set[str]) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not gone & set(line.strip().split(",")))


def pseudonym(run: Params, person: str) -> str:
    """A person's pseudonym."""
    return Pseudonyms(read_key(run.ingest)).one("person", person)


def naming(places: Collection[Path], sought: Collection[str]) -> list[Path]:
    """The files in which one of these texts stands, read the slow way: every value of every file as text."""
    files = [path for place in places for path in sorted(place.rglob("*")) if path.is_file()]
    return [path for path in files if _is_any_in(_as_text(path), sought)]


def _is_any_in(body: str, sought: Collection[str]) -> bool:
    return any(text in body for text in sought)


def _as_text(path: Path) -> str:
    body = path.read_bytes()
    if body[:4] == b"PAR1":
        return str(pq.read_metadata(path)) + "\n".join(
            "\n".join(map(str, column.unique().to_pylist())) for column in pq.read_table(path).columns
        )
    if body[:2] == b"\x1f\x8b":
        return gzip.decompress(body).decode()
    if body[:2] == b"PK":
        with zipfile.ZipFile(path) as packed:
            return "\n".join(packed.read(name).decode("latin-1") for name in packed.namelist())
    if body[:6] == b"SQLite":
        with sqlite3.connect(path) as store:
            return body.decode("latin-1") + "\n".join(store.iterdump())
    return body.decode("latin-1")
