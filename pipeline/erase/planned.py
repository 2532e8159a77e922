"""Whom an erasure is about, where they are, and what it will do: all that is known before anything is changed."""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.engines import read_table
from pipeline.erase import dvc, stores
from pipeline.erase.find import NAMING, NOBODY, NOWHERE, Found, Looker, Mark
from pipeline.erase.find import Names as ByDomain
from pipeline.erase.held import Held, held
from pipeline.erase.journal import Hold, Journal
from pipeline.erase.search import Names, files_naming
from pipeline.ingest.mapping import read_mapping
from pipeline.ledger.terms import identifier
from pipeline.params import Params
from pipeline.pseudonyms import Pseudonyms, read_key
from pipeline.retention.errors import ErasureError
from pipeline.simulate import oracle_path
from pipeline.workspace import Workspace, read_json

ORACLE = "oracle"
_PSEUDONYM = re.compile("[0-9a-f]{32}")
_TENS = 10**15
"""Tombstones in columns of numbers have sixteen digits: whole in every type that has room for them."""


@dataclass(frozen=True)
class Asked:
    """Who is to be erased (raw ids or pseudonyms), by which numbers others know them besides, why, and what is kept.

    With `is_anew` nothing is taken over, and even features of people whom nothing concerns are derived again. With
    `is_removal` nothing is made anew at all.
    """

    people: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    why: str = "request"
    hold: Hold | None = None
    is_anew: bool = False
    is_removal: bool = False


@dataclass(frozen=True)
class House:
    """The data an erasure works on: raw drops, workspace, and DVC's copies of both."""

    params: Params
    ws: Workspace

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        """The pseudonyms under the key of ingest."""
        return Pseudonyms(read_key(self.params.ingest))

    @cached_property
    def project(self) -> dvc.Project | None:
        """The DVC project that the workspace lies in."""
        drops = self.params.ingest.source, *([self.oracle] if self.oracle else [])
        return dvc.project_of(self.ws.root, drops)

    @cached_property
    def oracle(self) -> Path | None:
        """The truth about a simulated population, when these drops are one."""
        path, ingest = oracle_path(self.params), self.params.ingest
        return path if path.exists() and self.params.simulate.out.resolve() == ingest.source.resolve() else None

    def meant(self, given: str) -> set[str]:
        """Whom an id may mean: the person the source calls so, or the one of that pseudonym."""
        return {self.pseudonyms.one("person", identifier(given)), *([given] if _PSEUDONYM.fullmatch(given) else [])}

    def look(self, people: frozenset[str], numbers: frozenset[str] = NOBODY, names: ByDomain = NOWHERE) -> Found:
        """Where people are in the raw drops; see `Looker.look`."""
        looker = Looker(read_mapping(self.params.ingest.mapping), self.params.ingest.source, self.pseudonyms)
        found = looker.look(people, numbers, names)
        if self.oracle:
            texts = read_table(self.oracle, ["person"])["person"].combine_chunks()
            names_ = self.pseudonyms.many("person", texts)
            at = np.flatnonzero(pc.is_in(names_, pa.array(sorted(people))).to_numpy(zero_copy_only=False)).tolist()
            found.add(Mark(self.oracle, ORACLE, theirs={row + 1: names_[row].as_py() for row in at}))
        return found


@dataclass(frozen=True)
class Plan:
    """What an erasure will do; `journal` is what is written down of it, `found` and `held` are where they are."""

    journal: Journal
    found: Found
    held: Held


def planned(house: House, asked: Asked) -> Plan:
    """Find these people and plan their erasure; an `ErasureError` when one of them is nowhere. Nothing is changed."""
    refuse_unfit(house)
    candidates = {given: house.meant(given) for given in asked.people}
    wanted = frozenset().union(*candidates.values())
    found = house.look(wanted, frozenset(map(identifier, asked.numbers)))
    there = held(house.ws, wanted)
    present = found.people | there.people
    if absent := sum(not names & present for names in candidates.values()):
        raise ErasureError(
            f"{absent} of {len(candidates)} people named are neither in {house.params.ingest.source} nor in "
            f"{house.ws.root}; give ids as the source writes them, or pseudonyms, and the parameters of their run"
        )
    _refuse_strays(house, found)
    named = {domain: {house.pseudonyms.one(domain, n) for n in found.numbers} for domain in NAMING}
    journal = Journal(
        token=secrets.token_hex(16),
        why=asked.why,
        people=tuple(sorted(present)),
        names=tuple(sorted(present | there.names | _ids(house, found) | set().union(*named.values()))),
        tombstones=_tombstones(house, found),
        affected=tuple(sorted(found.affected)),
        removed=_removed(found, there),
        replaced=found.named,
        folders=(*stores.made(house.ws), *stores.beside(house.ws)),
        stages=() if asked.is_removal else tuple(stores.made(house.ws)),
        superseded=tuple(stores.superseded(house.ws)),
        hold=asked.hold,
        is_anew=asked.is_anew,
    )
    return Plan(journal, found, there)


def refuse_unfit(house: House) -> None:
    """Stop where what is to be made anew would not be what was there: under other policies, or from other tables."""
    cohort = house.ws.root / "cohort" / "cohort.json"
    before = tuple(read_json(cohort).get("policies", ())) if cohort.exists() else ()
    if before not in ((), house.params.policy):
        raise ErasureError(
            f"{house.ws.root} was made under {' + '.join(before)}, and now the policy is {house.params.policies}: name "
            "the policies it was made under (--policy), or have it made under the others first"
        )
    _refuse_tables_elsewhere(house.params)


def _refuse_tables_elsewhere(params: Params) -> None:
    """Canonical tables that were copied to a cluster's storage are not this command's to write anew."""
    if params.engine == "spark" and params.spark.tables:
        raise ErasureError(
            "stages would read canonical tables from spark.tables, where people who are erased still are: erase with "
            "`engine: duckdb`, or without spark.tables; then put the new ingest/ there, and drop what was there before"
        )


def _refuse_strays(house: House, found: Found) -> None:
    """Files that the mapping does not read cannot be mended, for nobody knows what in them names a person."""
    _, strays = files_naming([house.params.ingest.source], Names(NOBODY, frozenset(found.raw)), found.files)
    if strays:
        said = ", ".join(path.relative_to(house.params.ingest.source).as_posix() for path in strays[:5])
        raise ErasureError(
            f"{len(strays)} files in {house.params.ingest.source} name these people, and the mapping does not read "
            f"them: {said}; remove them, or add them to the mapping, and begin again. Nothing was changed"
        )


def _ids(house: House, found: Found) -> set[str]:
    """The pseudonyms of applications and artefacts, also of those that were never taken in."""
    return {house.pseudonyms.one(domain, raw) for raw in found.raw for domain in ("application", "artefact")}


def _removed(found: Found, there: Held) -> dict[str, int]:
    """Rows that go, by table: of raw tables as they came or as they were taken in, of others as they are."""
    counts: dict[str, int] = {}
    for path, rows in there.rows.items():
        name = Path(path).stem
        counts[name] = counts.get(name, 0) + rows
    for table, rows in found.rows.items():
        counts[table] = max(rows, counts.get(table, 0))
    return {name: rows for name, rows in sorted(counts.items()) if rows}


def _tombstones(house: House, found: Found) -> dict[str, dict[str, str]]:
    """For each number that others' rows may name, one text, the same in every place, that nothing leads back from."""
    kinds = list(_kinds(found.marks.values()))
    if any(pa.types.is_integer(kind) and kind.bit_width < 64 for kind in kinds):
        raise ErasureError(
            "others' rows name these people in a column of whole numbers of under 64 bits, which has no room for a "
            "tombstone; have the column widened, or made text"
        )
    made: dict[str, dict[str, str]] = {domain: {} for domain in NAMING}
    for number in sorted(found.numbers):
        text = str(_TENS + secrets.randbelow(8 * _TENS)) if kinds else f"erased-{secrets.token_hex(16)}"
        for domain in NAMING:
            made[domain][house.pseudonyms.one(domain, number)] = text
    return made


def _kinds(marks: Iterable[Mark]) -> Iterable[pa.DataType]:
    """The types of those columns of numbers in which others' rows name someone."""
    for mark in marks:
        if mark.naming and mark.path.name.lower().endswith(".parquet"):
            schema = pq.read_schema(mark.path)
            for column in {column for fields in mark.naming.values() for column in fields}:
                kind = schema.field(column).type
                kind = kind.value_type if pa.types.is_dictionary(kind) else kind
                if pa.types.is_integer(kind) or pa.types.is_floating(kind):
                    yield kind


def by_place(tombstones: Mapping[str, Mapping[str, str]]) -> dict[tuple[str, str], str]:
    """Tombstones by domain and pseudonym together."""
    return {(domain, name): text for domain, names in tombstones.items() for name, text in names.items()}
