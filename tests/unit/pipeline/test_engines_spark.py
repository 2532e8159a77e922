"""Spark as an engine: the same offers as DuckDB's, and what it says when it cannot go on."""

from binascii import hexlify
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import ibis
import pyarrow as pa
import pytest

from pipeline import spread, train
from pipeline.catalogue.sql import text
from pipeline.engines import Embedded, Engine
from pipeline.params import Spark
from pipeline.sample import read_sample, read_specs
from pipeline.workspace import Workspace
from saakh.errors import ConfigError, ContractError, UnreadableInputError
from tests.labelled_run import write_labelled
from tests.sparks import QUICK, need_spark, spark

AMOUNTS = pa.table({"who": [1, 1, 2], "amount": [3, None, 8_589_934_592], "is_in": [True, None, None]})


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with closing(spark()) as held:
        yield held


@pytest.fixture(params=["duckdb", "spark"])
def either(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with closing(Embedded(threads=1, memory_gb=1) if request.param == "duckdb" else spark()) as held:
        yield held


def test_a_table_made_by_name_is_found_replaced_and_dropped(either: Engine) -> None:
    rows = either.table(AMOUNTS)
    either.make("kept", rows.filter(rows.who == 1))
    either.view("seen", either.named("kept").select("who"))
    assert (either.size("kept"), either.size("seen")) == (2, 2)
    either.make("kept", rows)
    either.view("seen", either.named("kept").select("who"))
    assert either.size("seen") == 3
    either.drop("seen_never", "kept")
    kept = either.keep(rows.filter(rows.who == 2))
    assert either.arrow(kept, ["who"])["amount"].to_pylist() == [8_589_934_592]
    either.forget(kept)


def test_literal_rows_keep_their_kinds_and_nulls(either: Engine) -> None:
    columns = {"slice": ibis.dtype("int64"), "days": ibis.dtype("int64"), "is_night": ibis.dtype("boolean")}
    either.bring_once("members", columns, [(0, 30, True), (1, None, False)])
    found = either.arrow(either.named("members"), ["slice"])
    assert found.to_pylist() == [
        {"slice": 0, "days": 30, "is_night": True},
        {"slice": 1, "days": None, "is_night": False},
    ]
    assert found.schema.types == [pa.int64(), pa.int64(), pa.bool_()]


def test_a_count_over_nothing_is_zero(either: Engine) -> None:
    rows = either.table(AMOUNTS)
    assert either.count(rows.count(where=rows.who > 7)) == 0
    nothing = rows.filter(rows.who > 7)
    assert either.count(nothing.count(where=nothing.is_in)) == 0


def test_a_median_of_some_rows(either: Engine) -> None:
    rows = either.table(pa.table({"who": [1, 1, 1, 1], "gap": [4, 1, 9, 100]}))
    found = either.arrow(rows.group_by("who").agg(middle=rows.gap.median(where=rows.gap < 50)), ["who"])
    assert found["middle"].to_pylist() == [4.0]


def test_a_value_too_large_is_not_quoted_by_spark(engine: Engine) -> None:
    far = engine.table(AMOUNTS)
    with pytest.raises(ContractError, match=r"a value that its column cannot hold \(ARITHMETIC_OVERFLOW") as caught:
        engine.arrow(far.select(square=far.amount * far.amount), ["square"])
    assert "8589934592" not in str(caught.value)
    many = engine.table(pa.table({"amount": [2**62, 2**62, 5]}))
    with pytest.raises(ContractError, match="a value that its column cannot hold"):  # a sum never wraps around
        engine.arrow(many.agg(all=many.amount.sum()), ["all"])


def test_a_file_that_is_no_parquet_is_unreadable(engine: Engine, tmp_path: Path) -> None:
    from features.tables import calls

    ws = Workspace(tmp_path)
    (ws.stage("ingest") / "calls.parquet").write_text("not Parquet")
    with pytest.raises(UnreadableInputError):
        engine.find(ws, calls)


def test_a_table_without_its_columns_is_named(engine: Engine, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    from features.tables import calls

    ws = Workspace(tmp_path)
    pq.write_table(AMOUNTS, ws.stage("ingest") / "calls.parquet")
    with pytest.raises(ContractError, match=r"calls\.parquet has no column person_id, event_at"):
        engine.find(ws, calls)


def test_spark_without_java_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    need_spark()
    from pipeline.engines import session

    monkeypatch.setattr(session, "which", lambda _: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(ConfigError, match="needs Java 17"):
        session._started(session.Wanted(None, 1, 1.0, ()), "nowhere")


def test_settings_of_the_parameters_come_on_top_and_options_for_java_add_up() -> None:
    need_spark()
    from pipeline.engines.session import JAVA, _merged

    merged = _merged({"a": "1", "b": "1", JAVA: "-Xss4m"}, {"b": "2", JAVA: "-Dx=y"})
    assert merged == {"a": "1", "b": "2", JAVA: "-Xss4m -Dx=y"}


def test_spark_is_asked_for_a_quantile_where_a_median_is_meant() -> None:
    rows = ibis.table({"gap": "int64"}, name="rows")
    said = text(rows.agg(middle=rows.gap.median(where=rows.gap > 0)), "pyspark")
    assert said.count("IF(") == 1
    assert "0.5" in said


def test_the_same_work_is_done_with_each_parcel_and_answers_keep_their_order(either: Engine) -> None:
    parcels = [bytes([n]) * n for n in range(5)]
    assert either.each(hexlify, parcels) == [parcel.hex().encode() for parcel in parcels]
    assert either.each(hexlify, []) == []


def test_a_model_learned_on_spark_has_the_bytes_of_one_learned_here(engine: Engine, tmp_path: Path) -> None:
    params = write_labelled(tmp_path)
    params = params.model_copy(update={"train": params.train.model_copy(update={"shards": 3, "rounds_max": 10})})
    specs = read_specs(Workspace(tmp_path))
    sample = read_sample(Workspace(tmp_path), specs)
    here, there = (train.learn(params, specs, sample, where=where).fitted for where in (None, spread.on(engine)))
    assert len(here.grown) == 3
    assert there.grown == here.grown
    assert there.model.text == here.model.text


def test_training_goes_to_executors_only_where_it_is_asked_for(tmp_path: Path) -> None:
    need_spark()
    params = write_labelled(tmp_path)
    for engine, trains in (("duckdb", True), ("spark", False)):
        with spread.growing(params.model_copy(update={"engine": engine, "spark": Spark(trains=trains)})) as where:
            assert where is None
    alike = {"engine": "spark", "threads": 1, "memory_gb": 2.0, "spark": Spark(settings=QUICK, trains=True)}
    with spread.growing(params.model_copy(update=alike)) as where:
        assert where is not None
