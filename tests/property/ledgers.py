"""People with random ledgers: artefacts at every edge and in every disorder, and events around them, many at a time.

Drawn by a plain generator of random numbers and not by Hypothesis, so that ten thousand ledgers take minutes.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pyarrow as pa

from features.columns import PURPOSES, Category, Column, Kind, Table
from features.tables import BY_NAME, EVENT_TABLES, applications, repayments
from pipeline.canonical import schema
from pipeline.gate import NO_BOUNDS, Bounds
from pipeline.ledger.why import broken

AS_OF = datetime(2026, 6, 1)
DAY = timedelta(days=1)
SKEW = timedelta(hours=5, minutes=30)
TICK = timedelta(microseconds=1)
TABLES = (*EVENT_TABLES, applications, repayments)
TIMES = {"applications": ("applied_at", "disbursed_at"), "repayments": ("due_at", "paid_at")}
"""The columns of a table that each say when something happened, where it is not `event_at` alone."""
Row = dict[str, Any]
Rows = dict[str, list[Row]]


@dataclass(frozen=True)
class Person:
    """One person: when they were asked, their artefacts, their events by table."""

    name: str
    snapshots: tuple[datetime, ...]
    asked: tuple[datetime, ...]
    ledger: list[Row]
    events: Rows
    moves: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Crowd:
    """Many people, what their data are wanted for, and the policy's bounds."""

    people: list[Person]
    purpose: str
    bounds: Bounds

    @property
    def cohort(self) -> pa.Table:
        """Their applications."""
        rows = [
            {"application_id": f"{p.name}-{n}", "person_id": p.name, "snapshot_at": snapshot, "asked_at": asked}
            for p in self.people
            for n, (snapshot, asked) in enumerate(zip(p.snapshots, p.asked, strict=True))
        ]
        times = pa.timestamp("us")
        names = {"application_id": pa.string(), "person_id": pa.string(), "snapshot_at": times, "asked_at": times}
        return pa.Table.from_pylist(rows, schema=pa.schema(names))

    def tables(self, rng: Random, events: Callable[[Person], Rows]) -> dict[str, pa.Table]:
        """Their consents and events as canonical tables, rows in any order."""
        found: dict[str, list[Row]] = {"consents": [row for p in self.people for row in p.ledger]}
        for name in (t.name for t in TABLES):
            found[name] = []
        for person in self.people:
            for name, rows in events(person).items():
                found[name] += rows
        return {name: as_table(rng.sample(rows, len(rows)), BY_NAME[name]) for name, rows in found.items()}


def as_table(rows: list[Row], table: Table) -> pa.Table:
    """Rows as a canonical table."""
    return pa.Table.from_pylist(rows, schema=schema(table))


def crowd(rng: Random, people: int) -> Crowd:
    """So many people with a random ledger each, events in every table, and what they are asked for."""
    purpose = rng.choice(PURPOSES)
    found = [person(rng, f"p{n:05d}", purpose) for n in range(people)]
    for who in found:
        for table in TABLES:
            who.events[table.name] = [event(rng, table, who) for _ in range(rng.randrange(0, 6))]
    return Crowd(found, purpose, some_bounds(rng))


def person(rng: Random, name: str, purpose: str, days_ago: tuple[int, int] = (0, 100)) -> Person:
    """Someone with one application or two, and no event yet."""
    seconds = range(86_400 * days_ago[0], 86_400 * days_ago[1])
    snapshots = tuple(sorted(AS_OF - timedelta(seconds=rng.choice(seconds)) for _ in range(rng.choice([1, 2]))))
    asked = snapshots if purpose == "score" else (AS_OF,) * len(snapshots)
    moves: Counter[str] = Counter()
    ledger = [row for _ in range(rng.randrange(2, 16)) for row in artefacts(rng, name, purpose, asked, moves)]
    rng.shuffle(ledger)
    return Person(name, snapshots, asked, ledger, {}, moves)


def artefacts(rng: Random, name: str, purpose: str, asked: tuple[datetime, ...], moves: Counter[str]) -> Iterator[Row]:
    """An artefact, more often than not near an edge or in disorder, and perhaps a second like it."""
    at = rng.choice(asked)
    row = plain(rng, name, purpose, at)
    for move in rng.sample(list(MOVES), rng.choice([0, 1, 1, 2])):
        moves[move] += 1
        MOVES[move](rng, row, at)
    yield row
    if rng.random() < 0.15:
        moves["duplicate"] += 1
        yield dict(row)
    if rng.random() < 0.1:
        moves["overlapping"] += 1
        yield row | {
            "artefact_id": f"{row['artefact_id']}+",
            "data_from": None if rng.random() < 0.5 else at - 50 * DAY,
        }


def plain(rng: Random, name: str, purpose: str, at: datetime) -> Row:
    """An artefact that is in force."""
    return {
        "artefact_id": f"{name}.{rng.randrange(10**9)}",
        "person_id": name,
        "category": rng.choice(list(Category)).value,
        "purpose": purpose,
        "starts_at": at - rng.randrange(1, 400) * DAY,
        "expires_at": rng.choice([None, at + rng.randrange(1, 400) * DAY]),
        "revoked_at": rng.choice([None, None, at + rng.randrange(1, 400) * DAY]),
        "data_from": rng.choice([None, at - rng.randrange(30, 500) * DAY]),
        "data_to": rng.choice([None, None, at - rng.randrange(-30, 60) * DAY]),
        "basis": "explicit",
        "fetch_type": rng.choice([None, "onetime", "periodic"]),
        "data_life_days": rng.choice([None, 30, 31, 365]),
    }


def _tick(rng: Random) -> timedelta:
    return rng.choice([-1, 0, 1]) * rng.choice([TICK, timedelta(seconds=1)])


def _granted(rng: Random, row: Row, at: datetime) -> None:
    row["starts_at"] = at + _tick(rng)


def _withdrawn(rng: Random, row: Row, at: datetime) -> None:
    row["revoked_at"] = at + _tick(rng)


def _expires(rng: Random, row: Row, at: datetime) -> None:
    row["expires_at"] = at + _tick(rng)


def _swapped(rng: Random, row: Row, at: datetime) -> None:
    row["purpose"] = rng.choice([p for p in PURPOSES if p != row["purpose"]])


def _disordered(rng: Random, row: Row, at: datetime) -> None:
    """Times that come in the wrong order: an end before its start, a withdrawal before all."""
    if rng.random() < 0.5:
        row["data_from"], row["data_to"] = at - 20 * DAY, at - rng.choice([20, 40]) * DAY
    else:
        row["revoked_at"], row["expires_at"] = row["starts_at"] - DAY, row["starts_at"] - 2 * DAY


def _skewed(rng: Random, row: Row, at: datetime) -> None:
    """A clock that is off by its zone, either way."""
    by = rng.choice([SKEW, -SKEW])
    for name in ("starts_at", "expires_at", "revoked_at", "data_from", "data_to"):
        row[name] = None if row[name] is None else row[name] + by


def _vouched(rng: Random, row: Row, at: datetime) -> None:
    row["basis"] = "asserted_by_source"


MOVES: dict[str, Callable[[Random, Row, datetime], None]] = {
    "granted at the edge": _granted,
    "withdrawn at the edge": _withdrawn,
    "expiry at the edge": _expires,
    "swapped purpose": _swapped,
    "out of order": _disordered,
    "clock skew": _skewed,
    "vouched for": _vouched,
}


def some_bounds(rng: Random) -> Bounds:
    """None, or some that some artefacts break."""
    said = {
        "life_days_max": rng.choice([200, 500]),
        "age_days_max": rng.choice([100, 300]),
        "history_days_max": rng.choice([100, 400]),
        "data_life_days_max": rng.choice([30, 31]),
        "fetch_type": rng.choice([("onetime",), ("onetime", "periodic")]),
        "basis": ("explicit",),
    }
    names = rng.sample(list(said), rng.choice([0, 0, 1, 2]))
    return Bounds(**{name: said[name] for name in names}) if names else NO_BOUNDS


def event(rng: Random, table: Table, who: Person) -> Row:
    """A row of a table about the person, valid by its declaration, often at the edge of what an artefact covers."""
    row: Row = {"person_id": who.name}
    for column in table.columns:
        if column.name not in row:
            row[column.name] = _value(rng, column, who)
    if "event_at" in row:
        happened = row["event_at"]
        lag = rng.choice([timedelta(), timedelta(seconds=1), timedelta(hours=1), -SKEW, 40 * DAY])
        row |= {"available_at": happened + lag, "local_at": happened + SKEW}
    if "bytes_night" in row:  # the check refuses a night with more than its day
        row["bytes_total"] += row["bytes_night"]
    return row


def _value(rng: Random, column: Column, who: Person) -> Any:
    if not column.required and rng.random() < 0.25:
        return None
    if column.kind is Kind.TIMESTAMP:
        return _moment(rng, who)
    if column.kind is Kind.INTEGER:
        low = -5_000_000 if column.low is None else int(column.low)
        return rng.randint(low, min(int(column.high or 10**7), 10**7))
    if column.kind is Kind.NUMBER:
        return rng.uniform(column.low or 0.0, column.high or 1.0)
    if column.kind is Kind.FLAG:
        return rng.random() < 0.5
    return rng.choice(column.values or ("k1", "k2", "k3", "k4"))


def _moment(rng: Random, who: Person) -> datetime:
    edges = [row[end] for row in who.ledger for end in ("data_from", "data_to") if row[end] is not None]
    if edges and rng.random() < 0.5:
        return rng.choice(edges) + _tick(rng)
    return rng.choice(who.snapshots) - timedelta(seconds=rng.randrange(-20 * 86_400, 150 * 86_400))


def is_open(who: Person, category: str, happened: datetime, purpose: str, bounds: Bounds) -> bool:
    """The gate in plain Python: whether an artefact opens a category over a moment, for any of the applications."""
    return any(
        c["category"] == category
        and c["purpose"] == purpose
        and c["starts_at"] <= at
        and (c["expires_at"] is None or at < c["expires_at"])
        and (c["revoked_at"] is None or at < c["revoked_at"])
        and (c["data_from"] is None or c["data_from"] <= happened)
        and (c["data_to"] is None or happened < c["data_to"])
        and not broken(c, at, bounds)
        for at in who.asked
        for c in who.ledger
    )


def is_hidden(who: Person, table: Table, row: Row, purpose: str, bounds: Bounds) -> bool:
    """Whether no consent opens any of the times at which the row says that something happened."""
    times = [row[name] for name in TIMES.get(table.name, ("event_at",)) if row[name] is not None]
    return not any(is_open(who, table.category.value, at, purpose, bounds) for at in times)


def changed(rng: Random, who: Person, hides: Callable[[Table, Row], bool], make: Callable[[Table], Row]) -> Rows:
    """The person's events with those that are hidden deleted, altered, kept or joined by more such events."""
    found: Rows = {}
    for table in (t for t in TABLES if t.name in who.events):
        hidden = [row for row in who.events[table.name] if hides(table, row)]
        stays = [row for row in who.events[table.name] if row not in hidden]
        altered = [make(table) if rng.random() < 0.5 else row for row in hidden if rng.random() < 0.66]
        others = [make(table) for _ in range(rng.randrange(0, 4))]
        found[table.name] = [*stays, *(row for row in (*altered, *others) if hides(table, row))]
    return found
