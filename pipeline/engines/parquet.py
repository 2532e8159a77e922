"""Parquet files whose bytes depend on their rows alone, and how they are read back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.engines.base import first_line
from pipeline.workspace import whole
from saakh.errors import ContractError, MissingInputError, UnreadableInputError

ROW_GROUP, CELLS = 262_144, 2**24
"""How many rows are written together, and of wide tables how many values: as they are all in memory until then."""


def write_batches(path: Path, reader: pa.RecordBatchReader) -> int:
    """Write record batches as one Parquet file with fixed row groups, so that batch sizes do not show in the bytes."""
    rows = 0
    # Dictionaries pay for text only: numbers and times are written three times as fast, and smaller, without.
    texts = [f.name for f in reader.schema if pa.types.is_string(f.type)]
    with (
        whole(path) as temporary,
        pq.ParquetWriter(temporary, reader.schema, compression="zstd", use_dictionary=texts) as writer,
    ):
        together = min(ROW_GROUP, max(1, CELLS // max(1, len(reader.schema))))
        for group in _regrouped(reader, together):
            refuse_nan(group, path)
            writer.write_table(group, row_group_size=together)
            rows += group.num_rows
    return rows


def write_table(path: Path, table: pa.Table) -> int:
    """Write an in-memory table as Parquet; returns the number of rows."""
    return write_batches(path, table.to_reader())


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file into memory; a damaged one is an `UnreadableInputError`."""
    with _reading(path):
        return pq.read_table(path, columns=list(columns) if columns is not None else None)


def column_names(path: Path) -> list[str]:
    """The columns of a Parquet file; a damaged one is an `UnreadableInputError`."""
    with _reading(path):
        return list(pq.read_schema(path).names)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    if not path.exists():
        raise MissingInputError(f"no Parquet file at {path}")
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise UnreadableInputError(f"{path} is not readable Parquet: {first_line(error)}") from None


def refuse_nan(table: pa.Table, path: Path) -> None:
    """NaN never reaches Parquet: missing is null (file statistics leave NaN out, and readers then disagree)."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_floating(column.type) and pc.any(pc.is_nan(column)).as_py():
            raise ContractError(f"column '{name}' of {path.name} holds NaN; missing values must be null")


def _regrouped(reader: pa.RecordBatchReader, together: int) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in reader:
        held.append(batch)
        count += batch.num_rows
        if count < together:
            continue
        table = pa.Table.from_batches(held, reader.schema).combine_chunks()
        first = count - count % together
        for start in range(0, first, together):
            yield table.slice(start, together)
        held, count = table.slice(first).to_batches(), count - first
    yield pa.Table.from_batches(held, reader.schema).combine_chunks()
