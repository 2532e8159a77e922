"""The same declarations on Spark: the same columns as DuckDB, the same bytes each time, from files or from a lake."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.catalogue import all_features
from features.joined import JOINED
from pipeline import cohort, derive, label
from pipeline.engines import open_engine, read_table, write_table
from pipeline.params import Params, Spark
from pipeline.workspace import Workspace
from saakh.errors import MissingInputError
from tests.conftest import Claim
from tests.functional.conftest import ROOT, Run
from tests.sparks import QUICK, need_spark

CLOSE = 1e-9
FULL = bool(os.environ.get("SAAKH_FULL"))
APPLICATIONS = 150
PARTS = 1 if FULL else 8
AT_HAND = ("applications", "consents", "repayments", "people", "calls", "messages")
"""`make test` measures a part of the catalogue on a run, of some tables: Spark takes a second a statement,
however few its rows. That every declaration runs there is the affair of tests/spec."""
pytestmark = pytest.mark.timeout(3_600)


@dataclass(frozen=True)
class Copy:
    """A workspace with another's tables, in which the next stages run on Spark."""

    params: Params
    ws: Workspace

    def file(self, name: str) -> Path:
        return self.ws.root / name


def on_spark(run: Run, folder: Path, **spark: object) -> Copy:
    """A copy of a run that links to its tables, with fewer people unless at full size; it is asked of Spark."""
    need_spark()
    ws = Workspace(folder)
    ws.stage("cohort")
    for path in sorted((run.ws.root / "ingest").glob("*.parquet")):
        if FULL or path.stem in AT_HAND:
            (ws.stage("ingest") / path.name).symlink_to(path)
    asked = read_table(run.ws.root / "cohort/cohort.parquet").sort_by("person_id")
    write_table(folder / "cohort/cohort.parquet", asked if FULL else asked.slice(0, APPLICATIONS))
    shutil.copy(run.ws.root / "cohort/cohort.json", folder / "cohort")
    settings = Spark.model_validate({"settings": QUICK} | spark)
    changed = {"workspace": folder, "engine": "spark", "spark": settings}
    return Copy(run.params.model_copy(update=changed), ws)


def part_of(copy: Copy, parts: int) -> Copy:
    """The copy asked for one feature in so many."""
    left_out = tuple(f.name for n, f in enumerate(all_features()) if n % parts)
    less = copy.params.derive.model_copy(update={"leave_out": left_out})
    return Copy(copy.params.model_copy(update={"derive": less}), copy.ws)


def at_hand(copy: Copy) -> list[str]:
    """The sources that a copy has, or can make of tables that it has."""
    there = {path.stem for path in copy.file("ingest").glob("*.parquet")}
    made = {table.name: set(table.sources) for table in JOINED}
    return sorted(name for name in derive.COVERED | {*made} if name in there or made.get(name, {""}) <= there)


def asked_of(copy: Copy) -> set[str]:
    """The columns of the features that a copy does not leave out, of the tables it has."""
    left_out, there = set(copy.params.derive.leave_out), at_hand(copy)
    kept = (f for f in all_features() if f.name not in left_out and f.table.name in there)
    return {column for f in kept for column in f.columns}


@pytest.fixture(scope="module")
def spark_run(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The small run's features, derived on Spark; a part of them, from every family, unless at full size."""
    copy = part_of(on_spark(small_run, tmp_path_factory.mktemp("spark")), PARTS)
    derive.run(copy.params, copy.ws)
    return copy


def apart(one: pa.Table, other: pa.Table) -> Mapping[str, float]:
    """How far two feature matrices are apart, column by column, relative to the larger; infinite where one is null."""
    assert one.column_names == other.column_names
    assert one["application_id"].equals(other["application_id"])
    return {name: _apart(one[name], other[name]) for name in one.column_names[1:]}


def _apart(one: pa.ChunkedArray, other: pa.ChunkedArray) -> float:
    x, y = one.to_numpy(), other.to_numpy()
    if (np.isnan(x) != np.isnan(y)).any():
        return float("inf")
    difference, size = np.nan_to_num(np.abs(x - y)), np.nan_to_num(np.maximum(np.abs(x), np.abs(y)))
    return float(np.divide(difference, size, out=np.zeros_like(size), where=size > 0).max(initial=0.0))


def of(matrix: pa.Table, other: pa.Table) -> pa.Table:
    """The rows and columns of a table that another has too; both are in the order of people."""
    kept = matrix.filter(pc.is_in(matrix["application_id"], other["application_id"].combine_chunks()))
    return kept.select(other.column_names)


def test_spark_gives_every_column_that_duckdb_gives(small_run: Run, spark_run: Copy, claim: Claim) -> None:
    theirs, ours = (read_table(w.root / "derive/features.parquet") for w in (spark_run.ws, small_run.ws))
    found = apart(of(ours, theirs), theirs)
    theirs_columns = set(theirs.column_names)
    claim(f"largest relative difference between DuckDB and Spark, {len(found):,} columns", "1e-9", max(found.values()))
    assert len(theirs_columns) > (len(ours.column_names) / 2 if FULL else 30)
    assert theirs_columns - {"application_id"} == asked_of(spark_run) & set(ours.column_names)
    assert {name: far for name, far in found.items() if far > CLOSE} == {}
    theirs, ours = (read_table(w.root / "derive/coverage.parquet") for w in (spark_run.ws, small_run.ws))
    theirs, ours = (c.filter(pc.is_in(c["source"], pa.array(at_hand(spark_run)))) for c in (theirs, ours))
    key = [("source", "ascending"), ("application_id", "ascending")]
    assert of(ours, theirs).sort_by(key).equals(theirs.sort_by(key))
    specs, own = (json.loads((c.ws.root / "derive/specs.json").read_text()) for c in (spark_run, small_run))
    assert specs == [spec for spec in own if spec["name"] in theirs_columns]


def test_shuffled_rows_other_partitions_and_other_threads_give_the_same_bytes(
    small_run: Run, spark_run: Copy, tmp_path: Path, claim: Claim
) -> None:
    shuffled = Run(small_run.params, Workspace(tmp_path / "shuffled"))
    shuffled.ws.root.mkdir()
    (shuffled.ws.root / "cohort").symlink_to(small_run.ws.root / "cohort")
    for path in sorted((small_run.ws.root / "ingest").glob("*.parquet")):
        rows = read_table(path)
        order = np.random.default_rng(7).permutation(len(rows))
        write_table(shuffled.ws.stage("ingest") / path.name, rows.take(pa.array(order)))
    settings = QUICK | {"spark.sql.shuffle.partitions": 3, "spark.sql.files.maxPartitionBytes": "512k"}
    again = on_spark(shuffled, tmp_path / "again", master="local[2]", settings=settings)
    again = part_of(again, PARTS)
    derive.run(again.params, again.ws)
    mine, theirs = (read_table(c.file("derive/features.parquet")) for c in (again, spark_run))
    same = "columns the same on Spark to the byte: rows shuffled, other partitions, other threads"
    claim(same, "all", len(mine.column_names) - 1)
    write_table(tmp_path / "theirs.parquet", theirs.select(mine.column_names))
    assert again.file("derive/features.parquet").read_bytes() == (tmp_path / "theirs.parquet").read_bytes()
    assert again.file("derive/coverage.parquet").read_bytes() == spark_run.file("derive/coverage.parquet").read_bytes()


@pytest.mark.parametrize("place", ["workspace", "folder", "catalogue"])
def test_cohort_and_labels_are_the_same_bytes_wherever_the_tables_lie(
    small_run: Run, tmp_path: Path, place: str
) -> None:
    ingested = small_run.ws.root / "ingest"
    need_spark()
    tables = {"workspace": None, "folder": ingested.as_uri(), "catalogue": "spark_catalog.lake"}[place]
    params = on_spark(small_run, tmp_path / "links", tables=tables).params
    ws = Workspace(tmp_path / "work")
    if place == "workspace":
        ws.root.mkdir()
        (ws.root / "ingest").symlink_to(ingested)
    elif place == "catalogue":
        store(params, ingested)
    cohort.run(params, ws)
    label.run(params, ws)
    for name in ("cohort/cohort.parquet", "cohort/cohort.json", "label/labels.parquet", "label/label.json"):
        assert (ws.root / name).read_bytes() == (small_run.ws.root / name).read_bytes(), name


def store(params: Params, ingested: Path) -> None:
    """The tables as tables of Spark's own catalogue, integers narrower than ours where they fit."""
    from pyspark.sql.functions import col

    with closing(open_engine(params)) as engine:
        session = engine._session
        session.sql("CREATE DATABASE IF NOT EXISTS lake")
        for name in ("applications", "consents", "repayments"):
            rows = session.read.parquet(ingested.joinpath(f"{name}.parquet").as_uri())
            narrow = rows.withColumn("tenor_days", col("tenor_days").cast("int")) if name == "applications" else rows
            narrow.write.mode("overwrite").saveAsTable(f"lake.{name}")


def test_a_place_without_the_tables_is_named(small_run: Run, tmp_path: Path) -> None:
    params = on_spark(small_run, tmp_path / "links", tables=f"{tmp_path.as_uri()}/nowhere").params
    with pytest.raises(MissingInputError, match=r"no table 'applications' at spark.tables, .*/nowhere"):
        cohort.run(params, Workspace(tmp_path / "work"))


def test_without_pyspark_it_is_named() -> None:
    script = (
        "import sys; sys.modules['pyspark'] = None\n"
        "from datetime import UTC, datetime\n"
        "from pipeline.engines import open_engine\nfrom pipeline.params import Params\n"
        "open_engine(Params(as_of=datetime(2026, 6, 1, tzinfo=UTC), policy='explicit-consent', engine='spark'))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert "ConfigError: `engine: spark` needs PySpark" in ran.stderr
