"""Init: look at a folder of files, guess what they are, and write a first mapping for a person to finish."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pyarrow as pa

from features.columns import Table
from pipeline.ingest.door import kind_of
from pipeline.ingest.files import FORMATS, SourceFile
from pipeline.ingest.mapping import DERIVED, LOCATION_COLUMNS
from pipeline.init.guess import TODO, Guess, find_coordinates, guess_columns, guess_table, is_value
from pipeline.summary import Summary, timed
from pipeline.workspace import write_text
from saakh.errors import ConfigError, MappingError, MissingInputError

SAMPLE_ROWS = 1_000
DELIMITERS = (";", "\t", "|")
REFUSED = ("name", "full_name", "contact_name", "email", "address", "message_text", "sms_body", "body", "url", "photo")

NAMELESS = f"{TODO} what should be column names looks like a row of data, and is not repeated; is a header missing?"

_HEAD = """\
# A first mapping, guessed from the files in {folder}.
# Check every line, settle what is marked TODO, then run `saakh ingest`. Every key: data/mappings/README.md.
description: TODO what this is, and whose
time_zone: UTC # TODO of times that carry no zone
local_zone: UTC # TODO of the people, such as Asia/Kolkata
"""
_PLACE = "reference_latitude: 0.0 # TODO a latitude in the middle of where the people live\n"
_CONSENT = """
consent: # TODO no consent artefacts found: who vouches, for what? Better: a source for the table consents.
  basis: asserted_by_source
  categories: [{categories}]
  purposes: [train, score]
"""
_REFUSE = """
# Columns that must never arrive: a file that holds one is turned away.
refuse: [{refused}]

sources:
"""


@dataclass(frozen=True)
class Found:
    """Files of one shape, what they seem to be, and what is still to settle."""

    files: str
    columns: Sequence[str]
    table: Table | None
    guesses: dict[str, Guess]
    coordinates: tuple[str, str] | None
    delimiter: str = ","

    @property
    def lacking(self) -> list[str]:
        """Required canonical columns for which no source column was found."""
        derived = (DERIVED, *(LOCATION_COLUMNS if self.coordinates else ()))
        columns = self.table.columns if self.table else ()
        return [c.name for c in columns if c.required and c.name not in self.guesses and c.name not in derived]

    @property
    def unread(self) -> list[str]:
        """Source columns that the guesses leave out."""
        used = {*(guess.source for guess in self.guesses.values()), *(self.coordinates or ()), *self.forbidden}
        return [name for name in self.columns if name not in used]

    @property
    def named(self) -> bool:
        """Whether the columns have names; without a header, the first person's row stands in their place."""
        return not any(is_value(name) for name in self.columns)

    @property
    def forbidden(self) -> list[str]:
        """Source columns that must not arrive, or not otherwise than in the form that a mapping reduces them to."""
        used = {*(guess.source for guess in self.guesses.values()), *(self.coordinates or ())}
        return [n for n in self.columns if n.casefold() in REFUSED or (n not in used and kind_of(n) is not None)]


def draft(folder: Path, out: Path) -> Summary:
    """Write a first mapping for the files under a folder; one that is there already is never overwritten."""
    if out.exists():
        raise ConfigError(f"{out} is there already; name another file, or move that one away")
    with timed("init") as summary:
        found = [_examine(folder, pattern, files[0]) for pattern, files in _groups(folder)]
        text = "".join(_written(folder, found))
        write_text(out, text)
        summary.counts = {"sources": len(found), "to settle": text.count(TODO)}
        summary.facts = {"mapping": str(out)}
    return summary


def _groups(folder: Path) -> Iterator[tuple[str, list[SourceFile]]]:
    """Files under one pattern where they are parts of one whole: the same columns, and names that differ in digits."""
    paths = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name.lower().endswith(FORMATS)]
    if not paths:
        raise MissingInputError(f"no file in {folder} ends in one of {', '.join(FORMATS)}")
    files = sorted((_pattern(path.relative_to(folder)), path) for path in paths)
    for pattern, group in groupby(files, key=lambda named: named[0]):
        parts = [_opened(path) for _, path in group]
        if all(part.names == parts[0].names for part in parts):
            yield pattern, parts
        else:
            yield from ((part.path.relative_to(folder).as_posix(), [part]) for part in parts)


def _opened(path: Path) -> SourceFile:
    """A file, with the delimiter that divides its header."""
    file = SourceFile(path)
    if len(file.names) > 1:
        return file
    return next((SourceFile(path, mark) for mark in DELIMITERS if mark in "".join(file.names)), file)


def _pattern(relative: Path) -> str:
    """`calls/part-00001.parquet` as `calls/*.parquet`, `calls_2026-01.csv` as `calls_*.csv`."""
    stem, dot, ending = relative.name.partition(".")
    if relative.parent != Path():
        stem = "*"
    elif re.match(r"[A-Za-z]{2,}.*?\d", stem):
        stem = re.sub(r"\d.*", "*", stem)
    return (relative.parent / f"{stem}{dot}{ending}").as_posix()


def _examine(folder: Path, pattern: str, file: SourceFile) -> Found:
    sample = _sample(file)
    sample = {name: values for name, values in sample.items() if name.casefold() not in REFUSED}
    table = guess_table(file.path.relative_to(folder).as_posix(), list(sample))
    guesses = guess_columns(table, sample) if table else {}
    coordinates = find_coordinates(file.names) if table and table.name == "locations" else None
    return Found(pattern, file.told, table, guesses, coordinates, file.delimiter)


def _sample(file: SourceFile) -> dict[str, pa.Array]:
    """The first rows of a file's columns, without those that hold lists or objects."""
    sample: dict[str, pa.Array] = {}
    for name in dict.fromkeys(file.names):
        with suppress(MappingError):
            first = next(file.rows([name]), None)
            column = pa.array([], pa.string()) if first is None else first.columns[name][:SAMPLE_ROWS]
            if not pa.types.is_nested(column.type):
                sample[name] = column
    return sample


def _written(folder: Path, found: Sequence[Found]) -> Iterator[str]:
    yield _HEAD.format(folder=folder.name)
    if any(f.coordinates for f in found):
        yield _PLACE
    tables = [f.table for f in found if f.table]
    if not any(table.name == "consents" for table in tables):
        yield _CONSENT.format(categories=", ".join(dict.fromkeys(t.category.value for t in tables)) or TODO)
    yield _REFUSE.format(refused=", ".join(REFUSED))
    for source in found:
        yield "\n".join(_source(source)) + "\n\n"


def _source(found: Found) -> Iterator[str]:
    yield f"  - files: {_quoted(found.files)}"
    if found.delimiter != ",":
        yield f"    delimiter: {json.dumps(found.delimiter)}"
    if found.table is None:
        yield f"    table: {TODO} # which? its columns: {_listed(found.columns) if found.named else NAMELESS}"
        yield "    columns: {}"
        return
    yield f"    table: {found.table.name} # {found.table.grain}"
    yield "    columns:"
    for name, guess in found.guesses.items():
        yield f"      {name}: {_reading(guess)}" + (f" # {TODO} {guess.doubt}" if guess.doubt else "")
    for name in found.lacking:
        column = found.table.column(name)
        way = f"{{ like: event_at }} # {TODO}" if name == "available_at" else f"{TODO} #"
        allowed = f" One of: {', '.join(column.values)}." if column.values else ""
        yield f"      {name}: {way} nothing found. {column.description}{allowed} [{column.unit or column.kind}]"
    if found.coordinates:
        latitude, longitude = (_quoted(name) for name in found.coordinates)
        yield f"    location: {{ latitude: {latitude}, longitude: {longitude}, cell_degrees: 0.02 }}"
    if found.forbidden:
        yield f"    # {TODO} refused: {', '.join(found.forbidden)}. Have them taken out at the source."
    if found.unread:
        yield f"    # not read: {_listed(found.unread) if found.named else NAMELESS}"


def _reading(guess: Guess) -> str:
    if not guess.options:
        return _quoted(guess.source)
    parts = [f"from: {_quoted(guess.source)}"]
    for option, said in guess.options.items():
        if isinstance(said, str):
            parts.append(f"{option}: {_quoted(said)}")
        else:
            parts.append(f"{option}: {{ {', '.join(f'{json.dumps(k)}: {v}' for k, v in said.items())} }}")
    return f"{{ {', '.join(parts)} }}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name if name.isprintable() else json.dumps(name) for name in names)


def _quoted(text: str) -> str:
    """A YAML scalar: bare where it is a plain word that YAML cannot take for something else."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*", text)
    truth = text.lower() in ("yes", "no", "on", "off", "true", "false", "null", "y", "n")
    return text if plain and not truth else json.dumps(text, ensure_ascii=False)
