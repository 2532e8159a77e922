"""Search files for names, whatever their format: what is erased must stand in none. Only files are told, never names.

A pseudonym is looked for as it is, at every place; a raw id as a word of its own, when it is long enough to be nobody
else's. Packed files are unpacked; of Parquet the dictionaries are read too, in which a value may outlive its rows.
"""

import gzip
import io
import os
import re
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PIECE = 4 << 20
HEAD = 8
"""Names are found by their first bytes, all at once."""
LETTERS_MIN, DIGITS_MIN = 8, 10
_WORD = re.compile(rb"[0-9A-Za-z]")


@dataclass(frozen=True)
class Names:
    """What to look for: pseudonyms, and raw ids of which the short ones are left aside."""

    pseudonyms: frozenset[str]
    raw: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return "Names(not shown)"

    def sought(self) -> dict[bytes, bool]:
        """Each name in bytes, and whether it must be a word of its own."""
        long = (name for name in self.raw if len(name) >= (DIGITS_MIN if name.isdigit() else LETTERS_MIN))
        return {name.encode(): True for name in long} | {name.encode(): False for name in self.pseudonyms}


def files_naming(places: Iterable[Path], names: Names, leave_out: Collection[Path] = ()) -> tuple[int, list[Path]]:
    """How many files were searched under these places, and those in which a name stands."""
    finder, searched, found = Finder(names), 0, list[Path]()
    for path in _files(places, leave_out):
        searched += 1
        if finder.is_in(path):
            found.append(path)
    return searched, found


class Finder:
    """Finds any of many names in files."""

    def __init__(self, names: Names) -> None:
        sought = names.sought()
        self._by_head: dict[int, list[tuple[bytes, bool]]] = {}
        for name, is_word in sought.items():
            self._by_head.setdefault(int(np.frombuffer(name[:HEAD], "<u8")[0]), []).append((name, is_word))
        self._heads = np.array(sorted(self._by_head), np.uint64)
        self._longest = max(map(len, sought), default=0)
        self._has_numbers = any(name.isdigit() for name in sought)

    def is_in(self, path: Path) -> bool:
        """Whether a name stands in a file, or in what is packed in it."""
        if not self._longest:
            return False
        with path.open("rb") as stream:
            kind = stream.read(4)
            stream.seek(0)
            packed = self._is_packed_in(path, kind, stream)
            if packed is None:
                stream.seek(0)
                return self._is_within(stream)
            return packed

    def _is_packed_in(self, path: Path, kind: bytes, stream: BinaryIO) -> bool | None:
        """Whether a name stands in what is packed in a file; None when nothing is."""
        try:
            if kind == b"PAR1":
                return any(self._is_within(io.BytesIO(text)) for text in _columns(path, numbers=self._has_numbers))
            if kind.startswith(b"\x1f\x8b"):
                with gzip.open(stream, "rb") as packed:
                    return self._is_within(cast(BinaryIO, packed))
            if kind == b"PK\x03\x04":
                with zipfile.ZipFile(stream) as archive:
                    return any(self._is_within(io.BytesIO(archive.read(name))) for name in archive.namelist())
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, pa.ArrowException):
            pass  # not packed after all
        return None

    def _is_within(self, stream: BinaryIO) -> bool:
        """Whether a name stands in a stream, read in pieces that overlap by more than a name."""
        held, is_first = b"", True
        while fresh := stream.read(PIECE):
            held += fresh
            if self._is_in_piece(held, is_first=is_first, is_last=False):
                return True
            if len(held) > self._longest + 2:
                held, is_first = held[-self._longest - 2 :], False
        return self._is_in_piece(held, is_first=is_first, is_last=True)

    def _is_in_piece(self, text: bytes, *, is_first: bool, is_last: bool) -> bool:
        if len(text) < HEAD:
            return False
        heads = np.ndarray(len(text) - HEAD + 1, "<u8", text, strides=(1,))  # at every byte, the number it begins
        near = np.minimum(np.searchsorted(self._heads, heads), len(self._heads) - 1)
        for at in np.flatnonzero(self._heads[near] == heads).tolist():
            for name, is_word in self._by_head[int(heads[at])]:
                end = at + len(name)
                # What touches the edge of a piece lies within the piece before or after.
                is_whole = (at > 0 or is_first) and (end < len(text) or is_last)
                if is_whole and text.startswith(name, at) and not (is_word and _goes_on(text, at, end)):
                    return True
        return False


def _columns(path: Path, *, numbers: bool) -> Iterator[bytes]:
    """A Parquet file's footer, and the texts of its columns, also those that only its dictionaries hold.

    Columns of whole numbers are read when `numbers` are looked for.
    """
    with path.open("rb") as stream:
        stream.seek(-8, os.SEEK_END)
        stream.seek(-8 - int.from_bytes(stream.read(4), "little"), os.SEEK_END)
        yield stream.read()
    with pq.ParquetFile(path) as stored:
        flat = [field.name for field in stored.schema_arrow if _is_text(field.type)]
        rest = [field.name for field in stored.schema_arrow if pa.types.is_nested(field.type)]
        rest += [field.name for field in stored.schema_arrow if numbers and pa.types.is_integer(field.type)]
    with pq.ParquetFile(path, read_dictionary=flat) as stored:
        for group in range(stored.num_row_groups):
            for name in [*flat, *rest]:
                yield from map(_joined, stored.read_row_group(group, columns=[name]).column(0).chunks)


def _joined(values: pa.Array) -> bytes:
    """The distinct texts of a column, a line each."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary
    if pa.types.is_nested(values.type):
        return "\n".join(map(str, values.to_pylist())).encode()
    values = values if _is_text(values.type) else values.unique().cast(pa.string())
    return b"\n".join(value if isinstance(value, bytes) else value.encode() for value in values.to_pylist() if value)


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(test(kind) for test in tests)


def _goes_on(text: bytes, at: int, end: int) -> bool:
    """Whether a word goes on before or after these bytes."""
    return bool(_WORD.match(text[max(at - 1, 0) : at]) or _WORD.match(text[end : end + 1]))


def _files(places: Iterable[Path], leave_out: Collection[Path]) -> Iterator[Path]:
    """Every file under these places, once, links left aside as far as they lead to another of these."""
    seen: set[Path] = set()
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            real = path.resolve()
            if path.is_file() and real not in seen and not any(out in (path, *path.parents) for out in leave_out):
                seen.add(real)
                yield path
