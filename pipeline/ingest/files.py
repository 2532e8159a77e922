"""Source files in batches, whatever their format: CSV, CSV.gz, JSON Lines (also .gz) and Parquet.

Only the columns asked for are read. Every row keeps its line: the record's number in the file, a CSV header being 1;
the row's number from 1 in Parquet. No message repeats what a file holds.
"""

import codecs
import csv
import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from saakh.errors import EmptyInputError, MappingError, MissingInputError, UnreadableInputError

BATCH_ROWS = 262_144
JSON_BATCH_ROWS = 65_536
TOLD_BY_MIN = 5
CSV_BLOCK_BYTES = 16 << 20
FORMATS = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".parquet")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, each field once: of two values under one name neither may win unseen."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError
    return fields


# Numbers stay as they are written, so that no digit is lost.
_JSON_RECORD = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_object)

Lines = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """A batch: `lines` of its rows, the `columns` asked for, and `broken` lines that could not be split into fields."""

    lines: Lines
    columns: dict[str, pa.Array]
    broken: Lines = field(default_factory=lambda: np.empty(0, np.int64))


@dataclass
class SourceFile:
    """One file of a drop. `names` are all its columns, complete once its rows were read; bare, it is but a header."""

    path: Path
    delimiter: str = ","
    encoding: str = "utf8"
    names: list[str] = field(default_factory=list)
    is_bare: bool = False
    seen: Counter[str] = field(default_factory=Counter)
    records: int = 0

    def __post_init__(self) -> None:
        self._open, self._read = _READERS[extension(self.path)]
        with readable(self.path):
            self.names = self._open(self)

    @property
    def told(self) -> list[str]:
        """The names that may be repeated: one in JSON may be a person's, until several records share it."""
        enough = min(TOLD_BY_MIN, (self.records + 1) // 2)
        return [name for name in self.names if not self.seen or self.seen[name] >= enough]

    def rows(self, columns: Sequence[str]) -> Iterator[Rows]:
        """The rows in batches, only of these columns; a damaged file is an `UnreadableInputError`."""
        with readable(self.path):
            yield from self._read(self, list(columns))


def find(folder: Path, patterns: Iterable[str], *, optional: bool = False) -> list[Path]:
    """The files under a folder that match any pattern, in order of name.

    None at all is a `MissingInputError`, unless they are optional.
    """
    if not folder.is_dir():
        raise MissingInputError(f"no folder at {folder}; set ingest.source to the folder that holds the source files")
    listed = list(patterns)
    found = sorted({path for pattern in listed for path in folder.glob(pattern) if path.is_file()})
    if not (found or optional):
        raise MissingInputError(f"no file in {folder} matches {', '.join(listed)}; mend 'files' in the mapping")
    return found


def extension(path: Path) -> str:
    """The extension that tells a file's format; another one is an `UnreadableInputError`."""
    for known in FORMATS:
        if path.name.lower().endswith(known):
            return known
    raise UnreadableInputError(f"{path}: cannot tell its format; file names end in one of {', '.join(FORMATS)}")


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what readers raise into an `UnreadableInputError` that names the file and repeats nothing of it."""
    try:
        yield
    except (pa.ArrowException, OSError, EOFError, UnicodeError, csv.Error, ValueError) as error:
        what = f"damaged, truncated, or not what its name says ({type(error).__name__})"
        hint = "check 'encoding' and 'delimiter' in the mapping, or " if ".csv" in path.name.lower() else ""
        raise UnreadableInputError(f"{path} cannot be read: {what}; {hint}fetch the file again") from None


def _open_csv(file: SourceFile) -> list[str]:
    with _text(file.path, file.encoding) as stream:
        names = next(csv.reader(stream, delimiter=file.delimiter), None)
        file.is_bare = not stream.read(1)
    if not names:
        what = "is empty: not even a header" if names is None else "begins with an empty line where a header belongs"
        raise EmptyInputError(f"{file.path} {what}")
    return names


def _read_csv(file: SourceFile, columns: list[str]) -> Iterator[Rows]:
    if file.is_bare:
        return
    broken: list[int] = []
    number = 2
    for batch in _csv_batches(file, columns, broken):
        lines, number, passed = _numbered(number, batch.num_rows, broken)
        del broken[: len(passed)]
        for column in batch.columns:
            spread = pc.index(pc.match_substring(column, "\n"), True).as_py()
            if spread >= 0:
                raise _unclosed(file.path, int(lines[spread]))
        yield Rows(lines, dict(zip(columns, batch.columns, strict=True)), passed)
    yield Rows(np.empty(0, np.int64), {c: pa.array([], pa.string()) for c in columns}, np.array(broken, np.int64))


def _csv_batches(file: SourceFile, columns: list[str], broken: list[int]) -> Iterator[pa.RecordBatch]:
    """Batches of text; records with too few or too many fields are passed over, and their numbers go to `broken`."""
    unclosed: list[int] = []

    def skip(row: Any) -> str:
        (unclosed if "\n" in row.text else broken).append(row.number)
        return "skip"

    # One thread, for only then does the reader know the number of a broken record.
    reader = pacsv.open_csv(
        file.path,
        read_options=pacsv.ReadOptions(use_threads=False, block_size=CSV_BLOCK_BYTES, encoding=file.encoding),
        parse_options=pacsv.ParseOptions(
            delimiter=file.delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=skip
        ),
        convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()), include_columns=columns),
    )
    for batch in reader:
        if unclosed:
            break
        yield batch
    if unclosed:
        raise _unclosed(file.path, unclosed[0])


def _unclosed(path: Path, line: int) -> UnreadableInputError:
    """A quote that is never closed takes the rows after it along, so it is no fault of one row."""
    return UnreadableInputError(
        f"{path}: record {line} runs over several lines in a field that cannot; is a quote left open there?"
    )


def _numbered(first: int, rows: int, broken: Sequence[int]) -> tuple[Lines, int, Lines]:
    """Lines of the next `rows` good rows, the line after them, and the broken lines passed on the way."""
    skipped = np.array(broken, np.int64)
    candidates = np.arange(first, first + rows + skipped.size, dtype=np.int64)
    lines = np.setdiff1d(candidates, skipped, assume_unique=True)[:rows]
    after = int(lines[-1]) + 1 if rows else first
    return lines, after, skipped[skipped < after]


def _open_json(file: SourceFile) -> list[str]:
    with _text(file.path, file.encoding) as stream:
        first = next(((n, line) for n, line in enumerate(stream, start=1) if not line.isspace()), None)
    if first is None:
        raise EmptyInputError(f"{file.path} is empty")
    return list(_record(first[1], file.path, first[0]))


def _read_json(file: SourceFile, columns: list[str]) -> Iterator[Rows]:
    names, file.seen, file.records = dict.fromkeys(file.names), Counter(), 0
    with _text(file.path, file.encoding) as stream:
        numbered = ((number, line) for number, line in enumerate(stream, start=1) if not line.isspace())
        while held := list(islice(numbered, JSON_BATCH_ROWS)):
            records = [_record(line, file.path, number) for number, line in held]
            names.update(dict.fromkeys(key for record in records for key in record))
            file.seen.update(key for record in records for key in record)
            file.records += len(records)
            file.names = list(names)
            texts = {c: pa.array([_scalar(r.get(c), file.path, c) for r in records], pa.string()) for c in columns}
            yield Rows(np.array([number for number, _ in held], np.int64), texts)


def _record(line: str, path: Path, number: int) -> dict[str, Any]:
    """One JSON object; anything else is a damaged file."""
    try:
        record = _JSON_RECORD.decode(line)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise UnreadableInputError(
            f"{path}: line {number} is not a JSON object with each field once; the file is damaged or truncated"
        )
    return record


def _scalar(value: Any, path: Path, column: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    raise MappingError(f"{path}: field '{column}' holds lists or objects; only plain values can be mapped")


def _open_parquet(file: SourceFile) -> list[str]:
    return list(pq.read_schema(file.path).names)


def _read_parquet(file: SourceFile, columns: list[str]) -> Iterator[Rows]:
    schema = pq.read_schema(file.path)
    texts = [name for name in columns if pa.types.is_string(schema.field(name).type)]
    number = 1
    with pq.ParquetFile(file.path, read_dictionary=texts) as stored:
        for batch in stored.iter_batches(BATCH_ROWS, columns=columns):
            lines = np.arange(number, number + batch.num_rows, dtype=np.int64)
            number += batch.num_rows
            yield Rows(lines, {name: _as_text(batch.column(name)) for name in columns})


def _as_text(column: pa.Array) -> pa.Array:
    """Text stored as bytes (by writers that do not mark it), as views, or as nothing but nulls, as plain text."""
    kind, types = column.type, pa.types
    odd = types.is_binary(kind) or types.is_large_binary(kind) or types.is_string_view(kind) or types.is_null(kind)
    return column.cast(pa.string()) if odd else column


def _text(path: Path, encoding: str) -> TextIO:
    """A file as text, unpacked; a byte order mark is passed over."""
    codec = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding=codec, newline="")
    return path.open(encoding=codec, newline="")


_CSV = (_open_csv, _read_csv)
_JSON = (_open_json, _read_json)
_READERS: dict[str, tuple[Callable[[SourceFile], list[str]], Callable[[SourceFile, list[str]], Iterator[Rows]]]] = {
    extension: (_open_parquet, _read_parquet)
    if extension == ".parquet"
    else (_CSV if extension.startswith(".csv") else _JSON)
    for extension in FORMATS
}
