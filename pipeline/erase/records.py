"""The records of a raw text file, byte for byte and numbered as ingest numbers them, and where their fields lie."""

import codecs
import gzip
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TextIO, cast

QUOTE = '"'
_BLANK = " \t\r\n\ufeff"
_VALUES = json.JSONDecoder()

Span = tuple[int, int]


@contextmanager
def opened(path: Path, encoding: str) -> Iterator[TextIO]:
    """A file as text, unpacked, with its line ends and its byte order mark as they are."""
    codec = "utf-8" if codecs.lookup(encoding).name == "utf-8" else encoding
    with path.open("rb") as raw:
        stream = gzip.GzipFile(fileobj=raw) if path.name.lower().endswith(".gz") else raw
        with io.TextIOWrapper(cast(IO[bytes], stream), encoding=codec, newline="") as text:
            yield text


def records(stream: TextIO, delimiter: str | None) -> Iterator[tuple[int, str]]:
    """Each record with its number and its line end, from 1: lines, or CSV records where there is a delimiter."""
    number, held = 0, ""
    for line in stream:
        held += line
        if delimiter is None or QUOTE not in held or not _is_open(held, delimiter):
            number += 1
            yield number, held
            held = ""
    if held:
        yield number + 1, held


def csv_fields(record: str, delimiter: str) -> list[Span]:
    """Where each field of a CSV record begins and ends, its quotes included.

    A quote counts at the beginning of a field alone, as it does for the reader that ingest uses.
    """
    end, spans, start = len(record.rstrip("\r\n")), list[Span](), 0
    while True:
        inside = _closed(record, start) if record.startswith(QUOTE, start) else start
        cut = record.find(delimiter, inside if inside is not None else end, end)
        spans.append((start, end if cut < 0 else cut))
        if cut < 0:
            return spans
        start = cut + 1


def json_fields(record: str) -> dict[str, Span]:
    """Where the value of each field of a JSON object begins and ends."""
    spans, at = dict[str, Span](), _past(record, 0) + 1
    while record[at := _past(record, at)] != "}":
        name, at = _VALUES.raw_decode(record, _past(record, at + 1 if record[at] == "," else at))
        start = _past(record, _past(record, at) + 1)
        _, at = _VALUES.raw_decode(record, start)
        spans[name] = (start, at)
    return spans


def with_fields(record: str, texts: dict[Span, str]) -> str:
    """The record with other text in some places."""
    for (start, end), text in sorted(texts.items(), reverse=True):
        record = record[:start] + text + record[end:]
    return record


def _past(record: str, at: int) -> int:
    """The first place from `at` on that is not blank."""
    while record[at] in _BLANK:
        at += 1
    return at


def _is_open(record: str, delimiter: str) -> bool:
    """Whether a quoted field goes on after the end of the line."""
    start, end = csv_fields(record, delimiter)[-1]
    return record.startswith(QUOTE, start) and end > start and _closed(record, start) is None


def _closed(record: str, start: int) -> int | None:
    """The place after the closing quote of the field that begins at `start`; None while it is open."""
    at = record.find(QUOTE, start + 1)
    while at >= 0 and record.startswith(QUOTE * 2, at):
        at = record.find(QUOTE, at + 2)
    return None if at < 0 else at + 1
