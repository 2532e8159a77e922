"""Where people are in the raw drops: in the columns of the mapping, read as ingest reads them. Nothing is changed."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.erase.records import opened, records
from pipeline.ingest.convert import Converter
from pipeline.ingest.files import Rows, find
from pipeline.ingest.mapping import Mapping as Drop
from pipeline.ingest.mapping import Source
from pipeline.ingest.plan import Arrival, plan
from pipeline.ledger import read as ledger
from pipeline.ledger.artefact import MalformedError, Notice, parse
from pipeline.ledger.terms import identifier, terms
from pipeline.pseudonyms import Pseudonyms
from pipeline.retention.errors import ErasureError

PERSON = "person_id"
NAMING = ("contact", "counterparty")
"""The domains under which the rows of others may name a person."""
SHARED = "contact_names"
OWN = {SHARED: "contact_id", "devices": "number_id"}
"""The columns in which a person's own rows tell the numbers that others know them by."""
Names = Mapping[str, frozenset[str]]
NOBODY: frozenset[str] = frozenset()
NOWHERE: Names = MappingProxyType({})
TOLD = ("application_id", "artefact_id")
"""Other ids of a person's own, by which to look for them once they are erased."""


@dataclass
class Mark:
    """One raw file: `theirs`, whose each record is that goes; `naming`, others' fields that name them, by record.

    `naming` holds for each source column the domain and the pseudonym that stands there; `delimiter` is that of CSV.
    """

    path: Path
    name: str
    encoding: str = "utf8"
    delimiter: str | None = None
    theirs: dict[int, str] = field(default_factory=dict)
    naming: dict[int, dict[str, tuple[str, str]]] = field(default_factory=dict)


@dataclass
class Found:
    """What a look through the raw drops found: files with something in them, rows by table, and by which names.

    `files` are all that were looked into.
    `numbers` are the raw numbers that others know the people by, `raw` their raw ids and those of their applications
    and artefacts; neither may be written anywhere. `affected` are the others whose rows name them.
    """

    marks: dict[Path, Mark] = field(default_factory=dict)
    files: set[Path] = field(default_factory=set)
    rows: Counter[str] = field(default_factory=Counter)
    people: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    raw: set[str] = field(default_factory=set)
    affected: set[str] = field(default_factory=set)

    @property
    def named(self) -> int:
        """In how many fields of others' rows they are named."""
        return sum(len(fields) for mark in self.marks.values() for fields in mark.naming.values())

    def add(self, mark: Mark) -> None:
        """Take in what one source found in a file; another may have read the same file."""
        self.files.add(mark.path)
        if mark.theirs or mark.naming:
            held = self.marks.setdefault(mark.path, Mark(mark.path, mark.name, mark.encoding, mark.delimiter))
            held.theirs |= mark.theirs
            for line, fields in mark.naming.items():
                held.naming.setdefault(line, {}).update(fields)


@dataclass(frozen=True)
class Looker:
    """Looks through the files of a drop, under its mapping and its key."""

    mapping: Drop
    folder: Path
    pseudonyms: Pseudonyms

    def look(self, people: frozenset[str], numbers: frozenset[str] = NOBODY, names: Names = NOWHERE) -> Found:
        """Where these people (pseudonyms) are in the raw drops, and where the rows of others name them.

        Args:
            people: their pseudonyms.
            numbers: raw numbers that others know them by, besides those that their own rows tell.
            names: further pseudonyms that they are named by, by domain.
        """
        arrivals, found = plan(self.mapping, self.folder), Found(numbers=set(numbers))
        for arrival in arrivals:
            self._look_into(arrival, people, found)
        if self.mapping.ledger is not None:
            self._look_into_ledger(people, found)
        for arrival in arrivals:
            found.numbers -= self._claimed(arrival, people, found.numbers)
        wanted = {domain: self.named(domain, found.numbers) | set(names.get(domain, ())) for domain in NAMING}
        if any(wanted.values()):
            for arrival in arrivals:
                self._look_for_names(arrival, people, wanted, found)
        return found

    def named(self, domain: str, numbers: Iterable[str]) -> frozenset[str]:
        """The pseudonyms of raw numbers."""
        return frozenset(self.pseudonyms.one(domain, number) for number in numbers)

    def _look_into(self, arrival: Arrival, people: frozenset[str], found: Found) -> None:
        source, mark, broken = arrival.source, _mark(arrival), list[int]()
        told = [c for c in (*TOLD, OWN.get(source.table, "")) if c in source.columns and source.columns[c].from_]
        for rows in arrival.file.rows(_read(source, PERSON, *told)):
            broken += rows.broken.tolist()
            at = dict(self._places(source, PERSON, rows, people))
            mark.theirs |= {int(rows.lines[row]): person for row, person in at.items()}
            for column in [PERSON, *told]:
                known = found.numbers if column == OWN.get(source.table) else found.raw
                known |= self._texts(source, column, rows, list(at))
        if broken:
            self._look_into_broken(mark, set(broken), people, found.raw)
        found.rows[source.table] += len(mark.theirs)
        found.people |= set(mark.theirs.values())
        found.add(mark)

    def _look_into_broken(self, mark: Mark, broken: set[int], people: frozenset[str], raw: set[str]) -> None:
        """Records that could not be split into columns are a person's when any of their fields is the person's id."""
        with opened(mark.path, mark.encoding) as stream:
            for number, record in records(stream, mark.delimiter):
                if number in broken:
                    fields = next(csv.reader([record], delimiter=mark.delimiter or ","), [])
                    names = {identifier(text): self.pseudonyms.one("person", identifier(text)) for text in fields}
                    for text, name in names.items():
                        if name in people:
                            raw.add(text)
                            mark.theirs[number] = name

    def _look_into_ledger(self, people: frozenset[str], found: Found) -> None:
        """Artefacts by their customer; notices by the artefact they are about."""
        assert self.mapping.ledger is not None
        words, owners, notices = self.mapping.ledger.words, dict[str, str](), list[tuple[Mark, int, str]]()
        paths = find(self.folder, self.mapping.ledger.files)
        marks = [Mark(path, path.relative_to(self.folder).as_posix()) for path in paths]
        for mark in marks:
            for line, record in ledger.records(mark.path):
                try:
                    read = parse(record)
                    if isinstance(read, Notice):
                        notices.append((mark, line, identifier(read.change.id)))
                        continue
                    customer = terms(read, words).customer
                except MalformedError:
                    raise ErasureError(
                        f"{mark.name}: line {line} is no record of a ledger; `saakh ingest` says what is wrong with it"
                    ) from None
                if (person := self.pseudonyms.one("person", customer)) in people:
                    owners[identifier(read.id)] = mark.theirs[line] = person
                    found.raw |= {customer, identifier(read.id)}
        for mark, line, artefact in notices:
            if artefact in owners:
                mark.theirs[line] = owners[artefact]
        for mark in marks:
            found.rows["consents"] += len(mark.theirs)
            found.people |= set(mark.theirs.values())
            found.add(mark)

    def _claimed(self, arrival: Arrival, people: frozenset[str], numbers: set[str]) -> set[str]:
        """Those numbers that another person is known by too: rows that name them name that person still."""
        source, claimed = arrival.source, set[str]()
        if source.table == SHARED and numbers and source.columns[OWN[SHARED]].from_:
            held = {self.pseudonyms.one("contact", number): number for number in numbers}
            for rows in arrival.file.rows(_read(source, PERSON, OWN[SHARED])):
                theirs = dict(self._places(source, PERSON, rows, people))
                places = self._places(source, OWN[SHARED], rows, frozenset(held))
                claimed |= {held[name] for row, name in places if row not in theirs}
        return claimed

    def _look_for_names(self, arrival: Arrival, people: frozenset[str], wanted: Names, found: Found) -> None:
        source, mark = arrival.source, _mark(arrival)
        naming = [c for c in source.canonical.columns if c.domain in NAMING and source.table != SHARED]
        read = [c for c in naming if c.name in source.columns and len(source.columns[c.name].from_) == 1]
        if not read:
            return
        for rows in arrival.file.rows(_read(source, PERSON, *(c.name for c in read))):
            theirs = dict(self._places(source, PERSON, rows, people))
            for column in read:
                at = source.columns[column.name].from_[0]
                named = self._places(source, column.name, rows, wanted[column.domain])
                places = [(row, name) for row, name in named if row not in theirs]
                for row, name in places:
                    mark.naming.setdefault(int(rows.lines[row]), {})[at] = (column.domain, name)
                found.affected |= set(self._people(source, rows, [row for row, _ in places]))
        found.add(mark)

    def _places(self, source: Source, column: str, rows: Rows, wanted: frozenset[str]) -> Iterator[tuple[int, str]]:
        """The rows of a batch in which a column, as a pseudonym, is one of those wanted; and which."""
        values = self._values(source, column, rows)
        known = pa.array(sorted(wanted), pa.string())
        at = pc.index_in(values.dictionary, value_set=known).take(values.indices)
        for row in np.flatnonzero(at.is_valid().to_numpy(zero_copy_only=False)).tolist():
            yield row, known[at[row].as_py()].as_py()

    def _values(self, source: Source, column: str, rows: Rows) -> pa.DictionaryArray:
        declared, reading = source.canonical.column(column), source.columns[column]
        if reading.from_:
            return self._converter(source).convert(declared, reading, rows.columns).values
        same = pa.repeat(pa.scalar(str(reading.constant)), len(rows.lines))
        return self.pseudonyms.column(declared.domain, same)

    def _people(self, source: Source, rows: Rows, at: list[int]) -> list[str]:
        return [name for name in self._values(source, PERSON, rows).take(pa.array(at, pa.int64())).to_pylist() if name]

    def _texts(self, source: Source, column: str, rows: Rows, at: list[int]) -> set[str]:
        """What stands in a column of these rows, as ids are read; nothing for an id made of several columns."""
        names = source.columns[column].from_
        if len(names) != 1 or not at:
            return set()
        texts = self._converter(source).text(rows.columns[names[0]].take(pa.array(at, pa.int64())))
        return {identifier(text) for text in texts.to_pylist() if text is not None}

    def _converter(self, source: Source) -> Converter:
        return Converter(self.pseudonyms, self.mapping.time_zone, ("", *source.missing))


def _mark(arrival: Arrival) -> Mark:
    is_csv = ".csv" in arrival.name.lower()
    return Mark(arrival.file.path, arrival.name, arrival.source.encoding, arrival.source.delimiter if is_csv else None)


def _read(source: Source, *columns: str) -> list[str]:
    """The source columns of these canonical ones, each once; any, when they come of none, so that rows are counted."""
    named = list(dict.fromkeys(name for column in columns for name in source.columns[column].from_))
    return named or list(source.read)
