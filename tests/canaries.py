"""Canaries: strings that occur nowhere else, planted wherever a drop holds something of a person; and their search.

Every canary holds one of a few marks, so that one search finds them all. The search unpacks what it meets: Parquet,
SQLite, zip, gzip; and knows marks that were written in capitals, as UTF-16, as hexadecimal digits or in base64.
"""

import base64
import gzip
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

NAME = "kanariqz"  # in names, texts, ids of apps: it outlives being made a slug
NUMBER = "975318642086"  # in numbers of phones, handsets and SIM cards
PLACE = "7531864208"  # among the decimals of a coordinate
MARKS = (NAME, NUMBER, PLACE)
CELL = re.compile(rb"0\.02:-?\d+:-?\d+")  # a cell as it is called before it has a pseudonym
REMARK = "remark"
MAGIC_TWICE = 8  # of a Parquet file no more than this was written when all stopped
SQLITE = b"SQLite format 3\x00"

IDS = ("person", "application", "artefact", "contact", "app", "device", "sim", "number", "operator", "retailer")
IDS += ("counterparty",)
TEXTS = {"messages": "message_text", "calls": "contact_name", "locations": "tower", "app_sessions": "note"}
"""A column more for some tables: what was written, who it was, where, and what no mapping knows of."""


def plant(raw: Path) -> set[str]:
    """Plant canaries in every file of a simulated drop; returns them."""
    planted: set[str] = set()
    for path in sorted(raw.rglob("*.parquet")):
        table = _marked(pq.read_table(path), planted)
        if path.parent.name in TEXTS:
            words = [f"{NAME} {path.parent.name} {path.stem} {row}" for row in range(table.num_rows)]
            planted.update(words)
            table = table.append_column(TEXTS[path.parent.name], pa.array(words))
        pq.write_table(table.replace_schema_metadata({"collected from": f"{NAME} Kumari"}), path)
    for name in ("consents.jsonl", "people.jsonl"):
        records = [_record(json.loads(line), planted) for line in (raw / name).read_text().splitlines()]
        (raw / name).write_text("".join(json.dumps(record) + "\n" for record in [*records, *_bad(name)]))
    for name in ("applications.csv", "repayments.csv.gz"):
        table = _marked(pacsv.read_csv(raw / name, convert_options=_as_text(raw / name)), planted)
        table = table.append_column(REMARK, pa.array([f"{NAME} remark {row}" for row in range(table.num_rows)]))
        written = io.BytesIO()
        pacsv.write_csv(table, written)
        text = written.getvalue() + _bad_lines(table)
        (raw / name).write_bytes(gzip.compress(text, mtime=0) if name.endswith(".gz") else text)
    return planted


def _as_text(path: Path) -> pacsv.ConvertOptions:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt") as stream:
        names = stream.readline().strip().split(",")
    return pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)


def _marked(table: pa.Table, planted: set[str]) -> pa.Table:
    """The table with every id and coordinate marked."""
    for place, name in enumerate(table.column_names):
        if name in IDS:
            coded = pc.dictionary_encode(table[name].cast(pa.string())).combine_chunks()
            marked = pa.array([None if text is None else mark(text) for text in coded.dictionary.to_pylist()])
            planted.update(filter(None, marked.to_pylist()))
            table = table.set_column(place, name, pa.DictionaryArray.from_arrays(coded.indices, marked))
        if name in ("latitude", "longitude"):
            degrees = [float(f"{int(value * 100) / 100:.2f}{PLACE}6") for value in table[name].to_pylist()]
            planted.update(map(repr, degrees))
            table = table.set_column(place, name, pa.array(degrees))
    return table


def mark(identifier: str) -> str:
    """An id as a canary: digits stay digits, everything else gets the name."""
    digits = identifier.lstrip("+")
    if digits.isdecimal():
        return f"{identifier[: len(identifier) - len(digits)]}{NUMBER}{digits}"
    return f"{NAME}.{identifier}"


def _record(record: dict[str, object], planted: set[str]) -> dict[str, object]:
    marked = {key: mark(str(value)) if key in IDS and value else value for key, value in record.items()}
    planted.update(str(marked[key]) for key in IDS if key in marked)
    return marked


def _bad(name: str) -> list[dict[str, object]]:
    """Records that ingest turns away, for a canary where something else belongs; one has a canary for a key."""
    if name == "consents.jsonl":
        return [{"artefact": f"{NAME} a", "person": f"{NAME} p", "category": f"{NAME} category", "purpose": "score"}]
    times = {"happened_at": "2025-06-01T00:00:00Z", "received_at": "2025-06-01T00:00:00Z"}
    faults: list[dict[str, object]] = [
        {"happened_at": f"{NAME} yesterday"},
        {"income_rupees": f"{NAME} many"},
        {"education": f"{NAME} college of a name too long for a slug"},
        {"household_size": f"{NUMBER}1"},
        {"is_employment_verified": f"{NAME} perhaps"},
        {f"{NAME} is a friend": True},
    ]
    return [{"person": f"{NAME}.bad{at}", **times, **fault} for at, fault in enumerate(faults)]


def _bad_lines(table: pa.Table) -> bytes:
    """Lines of CSV that ingest turns away: a canary in the place of each field it reads in turn, one field too many."""
    first = [str(table[name][0].as_py()) for name in table.column_names]
    read = [place for place, name in enumerate(table.column_names) if name not in (*IDS, REMARK)]
    lines = [[f"{NAME} {at}" if at == place else text for at, text in enumerate(first)] for place in read]
    lines.append([*first, f"{NAME} too many"])
    return "".join(",".join(line) + "\n" for line in lines).encode()


def hits(root: Path, *extra: str) -> list[str]:
    """Where below a folder a mark is, or one of the strings given; nothing when all is clean."""
    found = []
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        found += [f"{path.relative_to(root)}: {what}" for what in in_bytes(path.read_bytes(), extra)]
        if any(written in str(path.relative_to(root)).casefold() for written in MARKS):
            found.append(f"{path}: its name")
    return found


def in_bytes(body: bytes, extra: tuple[str, ...] = ()) -> set[str]:
    """What was found in a file's bytes, and in those that it packs."""
    lowered = body.lower()
    found = {text for text in (*MARKS, *extra) if any(form in lowered for form in forms(text))}
    found |= {text for text in (*MARKS, *extra) if any(form in body for form in in_base64(text))}
    if CELL.search(body):
        found.add("a raw cell")
    for inner in unpacked(body):
        found |= in_bytes(inner, extra)
    if len(body) > MAGIC_TWICE and body[:4] == body[-4:] == b"PAR1":
        found |= in_parquet(body, extra)
    return found


def forms(text: str) -> list[bytes]:
    """A mark as small letters, as UTF-16, and as hexadecimal digits."""
    plain = text.lower().encode()
    return [plain, text.lower().encode("utf-16-le"), plain.hex().encode()]


def in_base64(text: str) -> list[bytes]:
    """What of a mark is in base64 whatever stands before it: of each of three shifts the digits it alone decides."""
    shifted = [base64.b64encode(b"\x00" * shift + text.encode()) for shift in range(3)]
    return [coded[(0, 2, 3)[shift] : -4] for shift, coded in enumerate(shifted)]


def unpacked(body: bytes) -> Iterator[bytes]:
    """What a gzip, a zip or an SQLite file holds."""
    if body[:2] == b"\x1f\x8b":
        yield gzip.decompress(body)
    if body[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for member in archive.infolist():
                yield member.filename.encode()
                yield archive.read(member)
    if body.startswith(SQLITE):
        connection = sqlite3.connect(":memory:")
        connection.deserialize(body)
        try:
            yield "\n".join(connection.iterdump()).encode()
        finally:
            connection.close()


def in_parquet(body: bytes, extra: tuple[str, ...] = ()) -> set[str]:
    """What was found in the columns, their names and the metadata of a Parquet file."""
    table = pq.read_table(io.BytesIO(body))
    found = in_bytes(repr((table.column_names, table.schema.metadata)).encode(), extra)
    for column in table.columns:
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if pa.types.is_temporal(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind):
            continue
        values = pc.unique(column.cast(kind)).cast(pa.string())
        for text in (*MARKS, *extra):
            if pc.any(pc.match_substring(values, text, ignore_case=True)).as_py():
                found.add(text)
        if pc.any(pc.match_substring_regex(values, CELL.pattern.decode())).as_py():
            found.add("a raw cell")
    return found
