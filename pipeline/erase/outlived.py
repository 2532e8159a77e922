"""Rows that have outlived their data life: received longer ago than any consent to such data lets them be kept.

A person's consents to a category say for how long data fetched under them may be kept; the longest counts, and the
run's policies may shorten it. What the lender itself recorded (category `credit`) is not fetched, and has no such end;
nor has what nobody gave a consent with a life for.
"""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pyarrow as pa

from features.columns import Category
from pipeline.engines import read_table
from pipeline.erase.find import PERSON, Found, Mark
from pipeline.ingest import bounds
from pipeline.ingest.mapping import Source, read_mapping
from pipeline.ingest.plan import Arrival, plan
from pipeline.ingest.rows import Canon
from pipeline.params import Params
from pipeline.policy import read_policies, retention_of
from pipeline.pseudonyms import Pseudonyms
from pipeline.workspace import Workspace

RECEIVED = "available_at"
DAY_US = 86_400_000_000

Lives = Mapping[str, Mapping[str, int]]
"""Days by category and person; who is not named has no bound."""


def outlived(params: Params, ws: Workspace, pseudonyms: Pseudonyms, day: date) -> Found:
    """The raw rows that are to be gone by this day: those received more days before it than their data may live."""
    mapping, found, lives = read_mapping(params.ingest.mapping), Found(), lives_of(params, ws)
    for arrival in plan(mapping, params.ingest.source):
        source = arrival.source
        days = lives.get(source.canonical.category.value, {})
        if days and RECEIVED in source.canonical.by_name:
            mark = _mark(arrival, Canon(mapping, source, pseudonyms, bounds(params)), days, day)
            found.rows[source.table] += len(mark.theirs)
            found.people |= set(mark.theirs.values())
            found.add(mark)
    return found


def lives_of(params: Params, ws: Workspace) -> Lives:
    """For how many days each category of each person's data may be kept, by consents and policies."""
    columns = [PERSON, "category", "data_life_days"]
    rows = read_table(ws.need("ingest", "consents.parquet"), columns).to_pydict()
    most, longest = retention_of(read_policies(params.policy)).keep_days_max, dict[str, dict[str, int | None]]()
    for person, category, days in zip(*(rows[name] for name in columns), strict=True):
        people = longest.setdefault(category, {})
        known = people.get(person, 0)
        people[person] = None if days is None or known is None else max(known, days)
    bounded = {c: {p: _least(days, most) for p, days in people.items()} for c, people in longest.items()}
    return {
        category: {person: days for person, days in people.items() if days is not None}
        for category, people in bounded.items()
        if category != Category.CREDIT.value
    }


def _mark(arrival: Arrival, canon: Canon, lives: Mapping[str, int], day: date) -> Mark:
    """The rows of one file that are past their day."""
    source, file = arrival.source, arrival.file
    mark = Mark(file.path, arrival.name, source.encoding, _delimiter(arrival.name, source))
    today_us = int(np.datetime64(day, "us").astype(np.int64))
    for rows in file.rows(source.read):
        verdict = canon.judge(rows)
        person = verdict.kept[PERSON].combine_chunks()
        known = np.array([lives.get(name, -1) for name in person.dictionary.to_pylist()], np.int64)
        days = known[person.indices.to_numpy()] if len(person) else known[:0]
        received = verdict.kept[RECEIVED].cast(pa.int64()).to_numpy()
        for row in np.flatnonzero((days >= 0) & (received + days * DAY_US < today_us)).tolist():
            mark.theirs[int(verdict.lines[row])] = person[row].as_py()
    return mark


def _delimiter(name: str, source: Source) -> str | None:
    return source.delimiter if ".csv" in name.lower() else None


def _least(*given: int | None) -> int | None:
    return min((each for each in given if each is not None), default=None)
