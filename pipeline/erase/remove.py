"""Take people out of a raw file: their records go, and others' fields that name them get a tombstone instead.

A file is written anew whole or not at all, in its own order. Of a text file every other byte stays; of a Parquet file
every other value, in the same row groups.
"""

import codecs
import glob
import gzip
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TextIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.erase.find import Mark
from pipeline.erase.records import csv_fields, json_fields, opened, records, with_fields
from pipeline.retention.errors import ErasureError
from pipeline.workspace import whole

DVC = ".dvc"

Tombstones = Mapping[tuple[str, str], str]
"""By domain and pseudonym, what stands in the place of a number from now on."""


def refuse_unwritable(marks: Mapping[Path, Mark]) -> None:
    """Stop before anything is changed when a file cannot be replaced."""
    shut = [mark.name for mark in marks.values() if not os.access(_target(mark.path).parent, os.W_OK)]
    if shut:
        raise ErasureError(
            f"the raw drops hold these people and cannot be written: {', '.join(shut[:5])}; make their folder "
            "writable, or have them taken out at the source"
        )


def rewrite(mark: Mark, tombstones: Tombstones, *, is_last: bool = True) -> None:
    """Write one file without the people marked in it; a file of which nothing is left goes, unless it is the last one.

    Args:
        mark: what to take out, found in the file as it is now.
        tombstones: what to put in the place of each number.
        is_last: whether the mapping would find no file at all without this one.
    """
    target = _target(mark.path)
    for stray in target.parent.glob(f".{glob.escape(target.name)}.*"):  # of an attempt that was killed
        stray.unlink()
    with whole(target, target.stat().st_mode & 0o777) as out:
        left = _parquet(mark, out, tombstones) if _is_parquet(mark.path) else _text(mark, out, tombstones)
    if not left and not is_last:
        target.unlink()


def taken(mark: Mark, person: str) -> bytes:
    """A person's records of a file as they are, with the header of a CSV; Parquet as Parquet."""
    lines = {line for line, whose in mark.theirs.items() if whose == person}
    if _is_parquet(mark.path):
        sink = pa.BufferOutputStream()
        rows = pq.read_table(mark.path)
        pq.write_table(_plain(rows.take(pa.array(sorted(line - 1 for line in lines)))), sink)
        return cast(bytes, sink.getvalue().to_pybytes())
    with opened(mark.path, mark.encoding) as stream:
        kept = [r for n, r in records(stream, mark.delimiter) if n in lines or (mark.delimiter is not None and n == 1)]
    return "".join(kept).encode(mark.encoding)


def _text(mark: Mark, out: Path, tombstones: Tombstones) -> int:
    """Write the records of a text file that stay; returns how many there are, a header left aside."""
    left = gone = 0
    with opened(mark.path, mark.encoding) as stream, _sink(mark, out) as sink:
        header: dict[str, int] = {}
        for number, record in records(stream, mark.delimiter):
            if mark.delimiter is not None and number == 1:
                header = _header(record, mark.delimiter)
                left -= 1
            if number in mark.theirs:
                gone += 1
                continue
            sink.write(_renamed(record, mark, number, header, tombstones))
            left += bool(record.strip())
    return _checked(mark, gone, left)


def _renamed(record: str, mark: Mark, number: int, header: Mapping[str, int], tombstones: Tombstones) -> str:
    if number not in mark.naming:
        return record
    named = {column: tombstones[name] for column, name in mark.naming[number].items()}
    if mark.delimiter is None:
        spans = json_fields(record)
        return with_fields(record, {spans[column]: f'"{text}"' for column, text in named.items()})
    places = csv_fields(record, mark.delimiter)
    return with_fields(record, {places[header[column]]: text for column, text in named.items()})


def _header(record: str, delimiter: str) -> dict[str, int]:
    """The place of each column by its name."""
    names = [record[start:end].lstrip("\ufeff") for start, end in csv_fields(record, delimiter)]
    plain = [name[1:-1].replace('""', '"') if name.startswith('"') else name for name in names]
    return {name: place for place, name in enumerate(plain)}


@contextmanager
def _sink(mark: Mark, out: Path) -> Iterator[TextIO]:
    """Where to write text, packed as the file was; a packed file names no time, so that the same rows are one file."""
    codec = "utf-8" if codecs.lookup(mark.encoding).name == "utf-8" else mark.encoding
    with out.open("wb") as raw:
        is_packed = mark.path.name.lower().endswith(".gz")
        stream = gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) if is_packed else raw
        with io.TextIOWrapper(cast(IO[bytes], stream), encoding=codec, newline="") as sink:
            yield sink


def _parquet(mark: Mark, out: Path, tombstones: Tombstones) -> int:
    left, first = 0, 1
    with pq.ParquetFile(mark.path) as stored:
        schema = stored.schema_arrow
        with pq.ParquetWriter(out, schema, compression=_codecs(stored)) as writer:
            for group in range(stored.num_row_groups):
                rows = stored.read_row_group(group)
                lines = np.arange(first, first + rows.num_rows)
                first += rows.num_rows
                kept = _stays(mark, rows, lines, tombstones)
                if kept.num_rows:
                    writer.write_table(kept.cast(schema), row_group_size=kept.num_rows)
                left += kept.num_rows
    return _checked(mark, first - 1 - left, left)


def _checked(mark: Mark, gone: int, left: int) -> int:
    if gone != len(mark.theirs):
        raise ErasureError(
            f"{mark.name} has changed since it was looked through; nothing of it was written, begin again"
        )
    return left


def _stays(mark: Mark, rows: pa.Table, lines: np.ndarray, tombstones: Tombstones) -> pa.Table:
    """The rows that stay, tombstones in place, each dictionary made anew: an old one would keep what is gone."""
    for column in {column for fields in mark.naming.values() for column in fields}:
        place, kind = rows.schema.get_field_index(column), rows.schema.field(column).type
        values = _undone(rows.column(column)).to_pylist()
        for row, line in enumerate(lines.tolist()):
            if column in mark.naming.get(line, {}):
                values[row] = _fitting(tombstones[mark.naming[line][column]], kind)
        rows = rows.set_column(place, rows.schema.field(place), pa.array(values, _of(kind)).cast(kind))
    return _plain(rows.filter(pa.array(~np.isin(lines, list(mark.theirs)))), keep_kinds=True)


def _fitting(tombstone: str, kind: pa.DataType) -> Any:
    """The tombstone in the type of its column."""
    return tombstone if not (pa.types.is_integer(_of(kind)) or pa.types.is_floating(_of(kind))) else int(tombstone)


def _plain(rows: pa.Table, *, keep_kinds: bool = False) -> pa.Table:
    """The rows with no dictionary but of the values they have."""
    for place, field in enumerate(rows.schema):
        if pa.types.is_dictionary(field.type):
            values = _undone(rows.column(place))
            coded = values.dictionary_encode().cast(field.type) if keep_kinds else values
            rows = rows.set_column(place, pa.field(field.name, coded.type, field.nullable, field.metadata), coded)
    return rows


def _undone(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(_of(column.type)) if pa.types.is_dictionary(column.type) else column


def _of(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _codecs(stored: pq.ParquetFile) -> dict[str, str] | str:
    """How each column is packed."""
    if not stored.num_row_groups:
        return "zstd"
    group = stored.metadata.row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    return {c.path_in_schema: {"UNCOMPRESSED": "none"}.get(c.compression, c.compression.lower()) for c in columns}


def _is_parquet(path: Path) -> bool:
    return path.name.lower().endswith(".parquet")


def _target(path: Path) -> Path:
    """The file that holds the bytes: where a link leads, unless it leads into DVC's cache, which is emptied anyway."""
    resolved = path.resolve()
    return path if DVC in resolved.parts else resolved
