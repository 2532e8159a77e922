"""A ledger's files as rows of the canonical `consents`: JSON Lines or Parquet in, all records of an artefact together.

Every record must be of the schema. One that is not stops the reading with one error that names file, line and rule;
it is never passed over, for it may be the withdrawal of an artefact that was read.
"""

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.tables import BY_NAME
from pipeline.canonical import schema
from pipeline.ledger.artefact import Artefact, MalformedError, Notice, Status, parse
from pipeline.ledger.terms import Terms, Vocabulary, changed, identifier, left_out, strictest, terms
from pipeline.pseudonyms import Pseudonyms
from saakh.errors import ConsentError, EmptyInputError, UnreadableInputError

FORMATS = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".parquet")
SHOWN = 5
_BATCH = 8_192

Place = tuple[str, int]
"""A file by its name in the drop, and a line: a row's number from 1 in Parquet."""


@dataclass(frozen=True)
class Ledger:
    """The terms of the artefacts that open something here, and how many of what there were."""

    artefacts: Mapping[str, Terms]
    counts: Mapping[str, int]


def read_ledger(files: Mapping[str, Path], words: Vocabulary, earliest: datetime, latest: datetime) -> Ledger:
    """The ledger in these files, by their names in the drop; signings and notices lie between the two times.

    Errors: a record that is not of the schema, or names two customers for one artefact (ConsentError), a file that is
    damaged or of another format (UnreadableInputError), no record at all (EmptyInputError).
    """
    heard = Heard(words, earliest, latest)
    for name, path in files.items():
        for line, record in records(path):
            heard.add((name, line), record)
    if heard.faults:
        raise ConsentError(_complaint(heard.faults))
    if not heard.counts["records"]:
        raise EmptyInputError(f"the ledger ({', '.join(files)}) holds no record")
    return heard.ledger()


@dataclass
class Heard:
    """What the records said of each artefact, whatever their order and however often they came."""

    words: Vocabulary
    earliest: datetime
    latest: datetime
    artefacts: dict[str, set[Terms]] = field(default_factory=lambda: defaultdict(set))
    notices: dict[str, set[tuple[Status, datetime]]] = field(default_factory=lambda: defaultdict(set))
    first: dict[str, Place] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[Place, str]] = field(default_factory=list)

    def add(self, place: Place, record: Mapping[str, Any] | None) -> None:
        """Take in one record."""
        self.counts["records"] += 1
        try:
            self._take(place, parse(record))
        except MalformedError as malformed:
            self.faults += [(place, rule) for rule in malformed.rules]

    def ledger(self) -> Ledger:
        """The artefacts after all that was said about them."""
        told = {name: self._told(name) for name in sorted(self.artefacts)}
        why = {name: left_out(read, self.words) for name, read in told.items()}
        reasons = Counter(f"artefacts left out: {reason}" for reason in why.values() if reason)
        distinct = sum(len(said) for said in self.artefacts.values()) + sum(len(said) for said in self.notices.values())
        counts = {
            "records": self.counts["records"],
            "duplicates": self.counts["records"] - distinct,
            "artefacts": len(told),
            "artefacts told differently": sum(len(said) > 1 for said in self.artefacts.values()),
            "notices": sum(len(said) for said in self.notices.values()),
            "notices about no artefact": sum(len(self.notices[n]) for n in self.notices.keys() - told.keys()),
        }
        return Ledger(
            {name: read for name, read in told.items() if not why[name]}, counts | dict(sorted(reasons.items()))
        )

    def _take(self, place: Place, read: Artefact | Notice) -> None:
        times = (read.timestamp,) if isinstance(read, Notice) else (read.detail.starts, read.created)
        if any(at is not None and not self.earliest <= at <= self.latest for at in times):
            raise MalformedError(("holds a time outside ingest.earliest and ingest.days_after_as_of_max",))
        if isinstance(read, Notice):
            self.notices[identifier(read.change.id)].add((read.change.status, read.timestamp))
            return
        name, fresh = identifier(read.id), terms(read, self.words)
        known = next(iter(self.artefacts.get(name, ())), fresh)
        if (known.customer, known.consumer) != (fresh.customer, fresh.consumer):
            where = "line {1} of {0}".format(*self.first[name])
            raise MalformedError((f"has the consentId of {where}, and another customer or data consumer",))
        self.artefacts[name].add(fresh)
        self.first.setdefault(name, place)

    def _told(self, name: str) -> Terms:
        read = reduce(strictest, self.artefacts[name])
        for status, at in self.notices.get(name, ()):
            read = changed(read, status, at)
        return read


def rows(artefacts: Mapping[str, Terms], pseudonyms: Pseudonyms) -> pa.Table:
    """The canonical `consents`, a row an artefact, category and purpose, in the order of the key."""
    names = pseudonyms.many("artefact", pa.array(list(artefacts), pa.string())).to_pylist()
    held = sorted(zip(names, artefacts.values(), strict=True), key=lambda pair: pair[0])
    fields = schema(BY_NAME["consents"])
    whole = pa.Table.from_pylist([_row(name, read) for name, read in held], fields)
    people = pseudonyms.many("person", pa.array([read.customer for _, read in held], pa.string()))
    whole = whole.set_column(fields.get_field_index("person_id"), fields.field("person_id"), people)
    scopes = [(at, *scope) for at, (_, read) in enumerate(held) for scope in product(read.categories, read.purposes)]
    at, *scope = zip(*sorted(scopes), strict=True) if scopes else ((), (), ())
    spread = whole.take(pa.array(at, pa.int64()))
    for name, values in zip(("category", "purpose"), scope, strict=True):
        spread = spread.set_column(fields.get_field_index(name), fields.field(name), pa.array(values, pa.string()))
    return spread


def _row(name: str, read: Terms) -> dict[str, Any]:
    """An artefact in the table's columns, its person, category and purpose apart; times are UTC without a zone."""
    said = {key: _plain(value) for key, value in vars(read).items()}
    times, unit = read.frequency
    return said | {"artefact_id": name, "basis": "explicit", "frequency_times": times, "frequency_unit": unit}


def records(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    """The records of a file with their lines; None where a line is no JSON object. Blank lines are passed over."""
    if not path.name.lower().endswith(FORMATS):
        raise UnreadableInputError(f"{path}: a ledger is JSON Lines or Parquet; file names end in {', '.join(FORMATS)}")
    try:
        yield from _parquet(path) if path.name.lower().endswith(".parquet") else _json_lines(path)
    except (pa.ArrowException, OSError, EOFError, UnicodeError) as error:
        kind = type(error).__name__
        raise UnreadableInputError(f"{path} cannot be read: damaged or truncated ({kind}); fetch it again") from None


def _json_lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8-sig") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.isspace():
                yield number, _object(line)


def _parquet(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    number = 0
    with pq.ParquetFile(path) as stored:
        for batch in stored.iter_batches(_BATCH):
            for record in batch.to_pylist():
                number += 1
                yield number, record


def _object(line: str) -> Mapping[str, Any] | None:
    try:
        record = json.loads(line, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values under one key neither may win unseen."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError
    return fields


def _plain(value: Any) -> Any:
    """Canonical times are UTC without a zone."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _complaint(faults: list[tuple[Place, str]]) -> str:
    said = "; ".join(f"{file}: line {line}: {rule}" for (file, line), rule in faults[:SHOWN])
    more = f"; and {len(faults) - SHOWN:,} more" if len(faults) > SHOWN else ""
    return f"the consent ledger is malformed, so nothing of it was taken in: {said}{more}. Correct it at its source"
