"""Where people are in a workspace: rows of its tables by person or application, and the copy a law makes one keep."""

import io
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.engines import read_table
from pipeline.erase.find import Mark
from pipeline.erase.remove import taken
from pipeline.run import STAGES
from pipeline.workspace import Workspace

PERSON, APPLICATION = "person_id", "application_id"
IDS = {"applications": APPLICATION, "consents": "artefact_id"}


@dataclass
class Held:
    """What a workspace holds of people: rows by file, which of them it knows, their applications and artefacts."""

    rows: dict[str, int] = field(default_factory=dict)
    people: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


def held(ws: Workspace, people: Collection[str]) -> Held:
    """What the tables of the stages hold of these people."""
    found, applications = Held(), set[str]()
    wanted = pa.array(sorted(people), pa.string())
    for path in _tables(ws):
        rows = _theirs(path, wanted, pa.array(sorted(applications), pa.string()))
        if rows is None or not len(rows):
            continue
        found.rows[path.relative_to(ws.root).as_posix()] = len(rows)
        if PERSON in rows.column_names:
            found.people |= set(rows[PERSON].unique().to_pylist())
        if path.parent.name == "ingest" and path.stem in IDS:
            names = set(rows[IDS[path.stem]].unique().to_pylist())
            found.names |= names
            applications |= names if path.stem == "applications" else set()
    return found


def copy_of(ws: Workspace, marks: Mapping[Path, Mark], person: str) -> bytes:
    """All that is held of a person, as a zip: the raw records as they came, and the rows of every stage's tables."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as packed:
        for mark in marks.values():
            if person in mark.theirs.values():
                packed.writestr(f"raw/{mark.name}", taken(mark, person))
        applications = pa.array(sorted(held(ws, [person]).names), pa.string())
        for path in _tables(ws):
            rows = _theirs(path, pa.array([person], pa.string()), applications, whole=True)
            if rows is not None and len(rows):
                sink = pa.BufferOutputStream()
                pq.write_table(rows, sink, compression="zstd")
                packed.writestr(path.relative_to(ws.root).as_posix(), sink.getvalue().to_pybytes())
    return body.getvalue()


def _tables(ws: Workspace) -> Iterator[Path]:
    """The stages' tables, that of applications first, since others name people by these alone."""
    first = ws.root / "ingest" / "applications.parquet"
    yield from [first] if first.exists() else []
    for stage in STAGES:
        yield from (path for path in sorted((ws.root / stage).glob("*.parquet")) if path != first)


def _theirs(path: Path, people: pa.Array, applications: pa.Array, *, whole: bool = False) -> pa.Table | None:
    """The rows of a table that are theirs, whole or their ids alone; None when it names nobody."""
    names = pq.read_schema(path).names
    key, wanted = (PERSON, people) if PERSON in names else (APPLICATION, applications)
    if key not in names:
        return None
    is_theirs = pc.is_in(read_table(path, [key])[key], wanted)
    if not pc.any(is_theirs).as_py():
        return None
    ids = [name for name in dict.fromkeys([PERSON, APPLICATION, *IDS.values()]) if name in names]
    return read_table(path, None if whole else ids).filter(is_theirs)
