"""The engine room: what it says when it cannot go on."""

from contextlib import closing
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.engines import Embedded, parquet, read_table
from saakh.errors import ConfigError, ContractError, UnreadableInputError


def test_too_little_memory_is_a_matter_of_the_parameters() -> None:
    rows = ibis.range(3_000_000).unnest().name("n").as_table()
    with closing(Embedded(threads=1, memory_gb=0.02)) as engine, pytest.raises(ConfigError, match="memory_gb"):
        engine.arrow(rows.agg(all=rows.n.cast("string").collect()), ["all"])


def test_a_value_too_large_to_work_with_is_not_quoted() -> None:
    with closing(Embedded(threads=1, memory_gb=0.25)) as engine:
        far = engine.table(pa.table({"east_m": [8_589_934_592]}))
        with pytest.raises(ContractError, match="a value that its column cannot hold") as caught:
            engine.arrow(far.select(square=far.east_m * far.east_m), ["square"])
    assert "8589934592" not in str(caught.value)


def test_a_text_that_is_no_text_is_not_quoted_but_its_file_is_named(tmp_path: Path) -> None:
    raw = pa.array([b"Asha \xff\xfe"], pa.binary())
    broken = pa.Array.from_buffers(pa.string(), 1, raw.buffers())
    pq.write_table(pa.table({"name": broken}), tmp_path / "people.parquet")
    said = r"InvalidInputException in .*people\.parquet"
    with closing(Embedded(threads=1, memory_gb=1)) as engine, pytest.raises(UnreadableInputError, match=said) as caught:
        engine.arrow(engine.read(tmp_path / "people.parquet"), ["name"])
    assert "Asha" not in str(caught.value)


def test_a_table_has_the_types_it_was_made_with_and_a_path_may_hold_a_quote(tmp_path: Path) -> None:
    kinds = {
        "text": pa.string(),
        "whole": pa.int64(),
        "part": pa.float64(),
        "flag": pa.bool_(),
        "at": pa.timestamp("us"),
    }
    rows = pa.table({name: pa.array([None], kind) for name, kind in kinds.items()})
    (tmp_path / "o'clock").mkdir()
    pq.write_table(rows, tmp_path / "o'clock" / "rows.parquet")
    with closing(Embedded(threads=1, memory_gb=1)) as engine:
        read = engine.read(tmp_path / "o'clock" / "rows.parquet")
        engine.make("kept", read)
        for table in (read, engine.named("kept")):
            assert engine.arrow(table, ["text"]).equals(rows)


def test_rows_are_written_so_many_values_together_however_they_come(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(parquet, "CELLS", 12)
    wide = pa.table({name: range(11) for name in "abc"})
    for name, size in (("one", 11), ("three", 3), ("ten", 10)):
        batches = pa.RecordBatchReader.from_batches(wide.schema, wide.to_batches(max_chunksize=size))
        assert parquet.write_batches(tmp_path / name, batches) == 11
    written = pq.ParquetFile(tmp_path / "one").metadata
    assert [written.row_group(n).num_rows for n in range(written.num_row_groups)] == [4, 4, 3]
    assert len({(tmp_path / name).read_bytes() for name in ("one", "three", "ten")}) == 1
    assert read_table(tmp_path / "one").equals(wide)


def test_literal_rows_are_brought_again_when_their_columns_have_other_names() -> None:
    with closing(Embedded(threads=1, memory_gb=1)) as engine:
        for part in ("is_weekend", "is_night"):
            engine.bring_once("members", {"slice": ibis.dtype("int64"), part: ibis.dtype("boolean")}, [(0, True)])
            assert engine.named("members").columns == ("slice", part)
