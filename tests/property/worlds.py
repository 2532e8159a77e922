"""Tiny random worlds for the promises: one applicant or two, one table, consents and events around every edge."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from features.catalogue import all_features, named
from features.columns import Kind, Table
from features.declare import Feature
from features.joined import JOINED
from features.tables import EVENT_TABLES, consents
from pipeline.canonical import schema
from pipeline.derive import derive
from pipeline.engines import Engine
from pipeline.gate import NO_BOUNDS, Bounds
from pipeline.ledger.why import broken

SNAPSHOT = datetime(2026, 3, 1, 12)
AS_OF = datetime(2026, 6, 1)
MEASURED = tuple(t for t in (*EVENT_TABLES, *JOINED) if any(f.table is t for f in all_features()))
TOGETHER = 12
"""Features measured in one example: a table has a hundred, and a plan for all takes seconds."""
PEOPLE = ("p1", "p2")
COHORT = pa.table(
    {
        "application_id": ["a1", "a2", "a3"],
        "person_id": ["p1", "p2", "p1"],
        "snapshot_at": pa.array([SNAPSHOT, SNAPSHOT, SNAPSHOT - timedelta(days=40)], pa.timestamp("us")),
        "asked_at": pa.array([AS_OF] * 3, pa.timestamp("us")),
    }
)
EDGES = (0, 1, 2, 30 * 86_400, 30 * 86_400 + 1, 90 * 86_400, 40 * 86_400, 40 * 86_400 + 1, 86_400)


@dataclass(frozen=True)
class World:
    """One table's events and the consents over them, as plain rows, some features of that table, a policy's bounds."""

    table: Table
    names: tuple[str, ...]
    consents: tuple[dict[str, Any], ...]
    events: tuple[dict[str, Any], ...]
    bounds: Bounds = NO_BOUNDS

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features of those names."""
        return tuple(named(name) for name in self.names)


def seconds_before() -> st.SearchStrategy[int]:
    """Seconds before the snapshot, edges more often than not; negative: after it."""
    return st.one_of(st.sampled_from([s * e for e in EDGES for s in (1, -1)]), st.integers(-10_000_000, 12_000_000))


@st.composite
def event(draw: st.DrawFn, table: Table) -> dict[str, Any]:
    """A row of the table, valid by its declaration."""
    happened = SNAPSHOT - timedelta(seconds=draw(seconds_before()))
    row: dict[str, Any] = {"person_id": draw(st.sampled_from(PEOPLE)), "event_at": happened}
    row["available_at"] = happened + timedelta(seconds=draw(st.sampled_from([0, 0, 1, 3_600, 86_400, 4_000_000])))
    row["local_at"] = happened + timedelta(minutes=330)
    for column in table.columns[4:]:
        row[column.name] = draw(_value(column))
    if "bytes_night" in row:  # the check refuses a night with more than its day
        row["bytes_total"] += row["bytes_night"]
    return row


def _stretches(table: Table) -> list[tuple[str, ...]]:
    """The table's features, some at a time; the same each time, so that an engine plans each stretch once."""
    all_of_it = [f.name for f in all_features() if f.table is table]
    return [tuple(all_of_it[first : first + TOGETHER]) for first in range(0, len(all_of_it), TOGETHER)]


def _value(column: Any) -> st.SearchStrategy[Any]:
    if column.kind is Kind.INTEGER:
        low = -5_000_000 if column.low is None else int(column.low)
        values: st.SearchStrategy[Any] = st.integers(low, min(int(column.high or 10**9), 10**9))
    elif column.kind is Kind.FLAG:
        values = st.booleans()
    else:
        values = st.sampled_from(column.values or ("k1", "k2", "k3", "k4"))
    return values if column.required else st.one_of(st.none(), values)


@st.composite
def consent(draw: st.DrawFn, table: Table) -> dict[str, Any]:
    """An artefact that may or may not open the table: wrong purpose, expired, withdrawn, of another range."""

    def around(moment: datetime) -> datetime:
        return moment + timedelta(seconds=draw(st.sampled_from([-1, 0, 1, -40 * 86_400, 40 * 86_400])))

    return {
        "artefact_id": "x",
        "person_id": draw(st.sampled_from(PEOPLE)),
        "category": draw(st.sampled_from([table.category.value] * 3 + ["credit"])),
        "purpose": draw(st.sampled_from(["train"] * 3 + ["score"])),
        "starts_at": draw(st.sampled_from([datetime(2025, 1, 1), around(AS_OF)])),
        "expires_at": draw(st.sampled_from([None, None, around(AS_OF)])),
        "revoked_at": draw(st.sampled_from([None, None, around(AS_OF)])),
        "data_from": draw(st.sampled_from([None, around(SNAPSHOT - timedelta(days=60))])),
        "data_to": draw(st.sampled_from([None, None, around(SNAPSHOT - timedelta(days=5))])),
        "basis": draw(st.sampled_from(["explicit"] * 3 + ["asserted_by_source"])),
        "fetch_type": draw(st.sampled_from([None, "onetime", "periodic"])),
        "data_life_days": draw(st.sampled_from([None, 30, 31])),
    }


@st.composite
def some_bounds(draw: st.DrawFn) -> Bounds:
    """Bounds of a policy, more often than not none, at the edges of what artefacts say."""
    said = {
        "life_days_max": st.sampled_from([516, 517]),
        "age_days_max": st.sampled_from([0, 39, 40, 516]),
        "history_days_max": st.sampled_from([100, 132, 1_000]),
        "data_life_days_max": st.sampled_from([30, 31]),
        "fetch_type": st.sampled_from([("onetime",), ("onetime", "periodic")]),
        "basis": st.just(("explicit",)),
    }
    return Bounds(**draw(st.fixed_dictionaries({}, optional=said))) if draw(st.booleans()) else NO_BOUNDS


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A world over one of the tables that features read."""
    table = draw(st.sampled_from(MEASURED))
    held = draw(st.lists(consent(table), min_size=1, max_size=4))
    names = draw(st.sampled_from(_stretches(table)))
    return World(table, names, tuple(held), tuple(draw(st.lists(event(table), max_size=12))), draw(some_bounds()))


def is_covered(world: World, row: dict[str, Any]) -> bool:
    """The gate said again in plain Python: some artefact in force at `as_of` covers the event's time."""
    return any(
        c["person_id"] == row["person_id"]
        and c["category"] == world.table.category.value
        and c["purpose"] == "train"
        and c["starts_at"] <= AS_OF
        and (c["expires_at"] is None or c["expires_at"] > AS_OF)
        and (c["revoked_at"] is None or c["revoked_at"] > AS_OF)
        and (c["data_from"] is None or c["data_from"] <= row["event_at"])
        and (c["data_to"] is None or row["event_at"] < c["data_to"])
        and not broken(c, AS_OF, world.bounds)
        for c in world.consents
    )


def is_past(row: dict[str, Any]) -> bool:
    """Whether any of the person's applications may know of the event: it happened and was received before."""
    latest = max(
        s.as_py()
        for p, s in zip(COHORT["person_id"], COHORT["snapshot_at"], strict=True)
        if p.as_py() == row["person_id"]
    )
    return bool(row["event_at"] < latest and row["available_at"] < latest)


def measured(engine: Engine, world: World) -> tuple[pa.Table, pa.Table]:
    """The derive stage over this world: matrix and coverage."""
    derived = derive(
        engine,
        COHORT,
        engine.table(_table(world.consents, consents), "consents"),
        {world.table.name: engine.table(_table(world.events, world.table), "events")},
        world.features,
        "train",
        bounds=world.bounds,
    )
    return derived.matrix, derived.coverage


def _table(rows: tuple[dict[str, Any], ...], table: Table) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema(table))


def with_events(world: World, events: list[dict[str, Any]]) -> World:
    """The same world with other events."""
    return replace(world, events=tuple(events))
