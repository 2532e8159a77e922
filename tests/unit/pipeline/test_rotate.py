"""Another key: other pseudonyms, the same people, the same joins, the same shards; or nothing happens at all."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.tables import TABLES
from pipeline import ingest, rotate
from pipeline.audit import path_of
from pipeline.canonical import schema
from pipeline.engines import Embedded, write_table
from pipeline.params import Params
from pipeline.pseudonyms import Pseudonyms, keep_in_file, read_shard_key
from pipeline.workspace import Workspace
from saakh.errors import ConfigError, ContractError, MissingInputError, SaakhError
from tests.lender_drop import HEADER, KEY, TOPUPS, Drop, mapping

NEXT = "a7" * 32
LOCATIONS = {
    "files": "fixes.csv",
    "table": "locations",
    "columns": {"person_id": "user", "event_at": "at", "available_at": "got"},
    "location": {"latitude": "latitude", "longitude": "longitude"},
}


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    """Ten people who top up now and then, half of them somewhere."""
    drop = Drop(tmp_path)
    days = [(n, day) for n in range(10) for day in (1, n + 2)]
    rows = [f"u{n},2026-01-{day:02} 10:00:00,2026-01-{day:02} 11:00:00,{day},data,no" for n, day in days]
    drop.write("topups.csv", HEADER + "\n".join(rows) + "\n")
    fixes = [f"u{n},2026-01-05 10:00:00,2026-01-05 10:01:00,12.{n},77.{n}" for n in range(5)]
    drop.write("fixes.csv", "user,at,got,latitude,longitude\n" + "\n".join(fixes) + "\n")
    return drop


@pytest.fixture
def rotated(drop: Drop) -> Callable[..., Params]:
    """Ingests under the first key, and returns the parameters that name the next."""

    def prepare(**more: object) -> Params:
        before = drop.params(mapping(TOPUPS, LOCATIONS, reference_latitude=12.0))
        before = before.model_copy(update={"workspace": drop.root / "run"})
        ingest.run(before, Workspace(before.workspace))
        shard_key, key = drop.root / "shards.txt", drop.root / "next.txt"
        keep_in_file(shard_key, read_shard_key(before.ingest))
        key.write_text(NEXT)
        said = {"key_file": key, "shard_key_file": shard_key} | more
        return before.model_copy(update={"ingest": before.ingest.model_copy(update=said)})

    return prepare


def slots(drop: Drop) -> dict[str, int]:
    table = pq.read_table(drop.root / "run/ingest/shards.parquet")
    return dict(zip(table["person_id"].to_pylist(), table["slot"].to_pylist(), strict=True))


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_pseudonym_is_another_and_every_shard_the_same(drop: Drop, rotated: Callable[..., Params]) -> None:
    params = rotated()
    first, then = (Pseudonyms(bytes.fromhex(key)) for key in (KEY, NEXT))
    before = slots(drop)
    summary = rotate.run(params, Workspace(params.workspace))
    after = slots(drop)
    for n in range(10):
        assert after[then.one("person", f"u{n}")] == before[first.one("person", f"u{n}")]
    assert not set(before) & set(after)
    held = b"".join(everything(drop.root / "run").values())
    assert not any(person.encode() in held for person in before)
    assert summary.counts["figures alike"] > 20
    assert b'"stage":"ingest"' in path_of(Workspace(params.workspace)).read_bytes()


def test_distances_within_a_person_stay(drop: Drop, rotated: Callable[..., Params]) -> None:
    more = "u0,2026-01-06 10:00:00,2026-01-06 10:01:00,12.5,77.5\n"
    drop.write("fixes.csv", (drop.root / "raw/fixes.csv").read_text() + more)
    params = rotated()

    def apart() -> list[int]:
        table = pq.read_table(drop.root / "run/ingest/locations.parquet")
        twice = [held["values"] for held in table["person_id"].value_counts().to_pylist() if held["counts"] == 2]
        mine = table.filter(pc.is_in(table["person_id"], pa.array(twice))).sort_by("event_at")
        return [mine[name][1].as_py() - mine[name][0].as_py() for name in ("east_m", "north_m")]

    before = apart()
    rotate.run(params, Workspace(params.workspace))
    assert apart() == before
    assert all(before)


def gone(drop: Drop) -> None:
    (drop.root / "raw/topups.csv").unlink()


def changed(drop: Drop) -> None:
    drop.write("topups.csv", (drop.root / "raw/topups.csv").read_text() + "u11,2026-01-05,2026-01-05,9,data,no\n")


def nothing(drop: Drop) -> None:
    return


def another_shard_key(drop: Drop) -> None:
    (drop.root / "shards.txt").write_text("9b" * 32)


@pytest.mark.parametrize(
    ("more", "happened", "error", "says"),
    [
        ({"shard_key_file": None}, nothing, ConfigError, "shards would move with the key"),
        ({"key_file": Path("key.txt")}, nothing, ConfigError, "made with the very key that is named"),
        ({}, gone, MissingInputError, "topups.csv is gone"),
        ({}, changed, ContractError, "topups.csv changed since it was ingested"),
        ({}, another_shard_key, ContractError, "shards: "),
    ],
)
def test_where_it_cannot_be_done_everything_stays_as_it_was(
    drop: Drop,
    rotated: Callable[..., Params],
    more: dict[str, Path | None],
    happened: Callable[[Drop], None],
    error: type[SaakhError],
    says: str,
) -> None:
    params = rotated(**{name: drop.root / path if path else None for name, path in more.items()})
    before = everything(drop.root / "run")
    happened(drop)
    with pytest.raises(error, match=says):
        rotate.run(params, Workspace(params.workspace))
    assert everything(drop.root / "run") == before
    assert sorted(path.name for path in (drop.root / "run").iterdir()) == ["ingest"]


def test_a_person_split_in_two_or_two_made_one_would_be_seen(drop: Drop, rotated: Callable[..., Params]) -> None:
    rotated()
    with closing(Embedded(1, 1)) as engine:
        figures = rotate.figures(engine, drop.root / "run/ingest")
        table = pq.read_table(drop.root / "run/ingest/topups.parquet")
        people = table["person_id"].to_pylist()
        for swapped in ([people[-1], *people[1:]], [people[0], people[2], people[1], *people[3:]]):
            other = drop.root / "other"
            other.mkdir(exist_ok=True)
            pq.write_table(table.set_column(0, "person_id", pa.array(swapped)), other / "topups.parquet")
            found = rotate.figures(engine, other)
            assert any(found[name] != figures[name] for name in found if name.startswith("topups"))


def test_every_table_there_is_can_be_compared(tmp_path: Path) -> None:
    """More than seven hold people, so that the places of an id outgrow a byte."""
    for table in TABLES:
        write_table(tmp_path / f"{table.name}.parquet", schema(table).empty_table())
    with closing(Embedded(1, 1)) as engine:
        found = rotate.figures(engine, tmp_path)
    assert found["person: places"] == 0
    assert {name.partition(":")[0] for name in found} >= {table.name for table in TABLES}
