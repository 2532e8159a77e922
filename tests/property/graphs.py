"""Tiny random worlds for the graph: calls, numbers, loans and consents of five people, around every edge of time."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from features.columns import Table
from features.tables import calls, consents, contact_names, messages, repayments
from pipeline.canonical import schema
from pipeline.engines import Engine
from pipeline.gate import NO_BOUNDS
from pipeline.graph import graph_features

AS_OF = datetime(2026, 6, 1)
SNAPSHOT, EARLIER = datetime(2026, 3, 10, 12), datetime(2026, 2, 1)
VINTAGES = (datetime(2026, 3, 1), datetime(2026, 2, 1))
DPD_DAYS = 15
PEOPLE = ("p1", "p2", "p3", "p4", "p5")
NUMBERS = ("n1", "n2", "n3", "n4", "n5", "n6")
ASKED = (("a1", "p1", SNAPSHOT), ("a2", "p2", SNAPSHOT), ("a3", "p1", EARLIER), ("a4", "p3", EARLIER))
TABLES = {t.name: t for t in (calls, messages, contact_names, repayments)}
Row = dict[str, Any]


@dataclass(frozen=True)
class World:
    """Rows of every table, the consents over them, and the purpose."""

    purpose: str
    consents: tuple[Row, ...]
    rows: tuple[tuple[str, Row], ...]


def moment() -> st.SearchStrategy[datetime]:
    """Moments at and about every vintage and snapshot."""
    near = [m + timedelta(seconds=s) for m in (*VINTAGES, SNAPSHOT) for s in (-1, 0, 1)]
    return st.one_of(st.sampled_from(near), st.just(datetime(2026, 1, 5)), st.just(datetime(2026, 1, 5)))


@st.composite
def row(draw: st.DrawFn) -> tuple[str, Row]:
    """A row of some table; names most often, for without them there is no graph."""
    name = draw(st.sampled_from(["calls", "calls", "messages", "contact_names", "contact_names", "repayments"]))
    at, person = draw(moment()), draw(st.sampled_from(PEOPLE))
    if name == "repayments":
        paid = draw(st.sampled_from([None, None, at, at + timedelta(days=DPD_DAYS), datetime(2026, 5, 1)]))
        due = at - timedelta(days=draw(st.sampled_from([DPD_DAYS, DPD_DAYS + 20])))
        return name, {"person_id": person, "application_id": "l", "instalment": 1, "due_at": due, "paid_at": paid}
    late = timedelta(seconds=draw(st.sampled_from([0, 0, 0, 1, 4_000_000])))
    told = {"person_id": person, "event_at": at, "available_at": at + late, "local_at": at}
    return name, told | {
        "contact_id": draw(st.sampled_from(NUMBERS)),
        "direction": draw(st.sampled_from(["in", "out"])),
    }


@st.composite
def consent(draw: st.DrawFn, purpose: str) -> Row:
    """An artefact that more often than not opens what it is for."""
    edge = st.sampled_from([*VINTAGES, SNAPSHOT, AS_OF])
    around = st.builds(lambda m, s: m + timedelta(seconds=s), edge, st.sampled_from([-1, 0, 1]))
    return {
        "artefact_id": "x",
        "person_id": draw(st.sampled_from(PEOPLE)),
        "category": draw(
            st.sampled_from(["communication", "communication", "communication", "credit", "credit", "apps"])
        ),
        "purpose": draw(st.sampled_from([purpose] * 5 + ["share"])),
        "starts_at": draw(st.one_of(st.just(datetime(2025, 1, 1)), around)),
        "expires_at": draw(st.sampled_from([None, None, None, SNAPSHOT])),
        "revoked_at": draw(st.one_of(st.none(), st.none(), around)),
        "data_from": draw(st.sampled_from([None, None, datetime(2026, 1, 5, 1)])),
        "data_to": draw(st.sampled_from([None, None, datetime(2026, 3, 1)])),
        "basis": "explicit",
    }


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A world where some of the first three have agreed to everything, and the others to this and that."""
    purpose = draw(st.sampled_from(["train", "score"]))
    held = draw(st.lists(consent(purpose), min_size=4, max_size=12))
    held += agreed(purpose, *PEOPLE[: draw(st.integers(0, 3))])
    named = [("contact_names", _named(p, n)) for p, n in zip(PEOPLE, NUMBERS, strict=False) if draw(st.integers(0, 4))]
    return World(purpose, tuple(held), (*named, *draw(st.lists(row(), min_size=6, max_size=20))))


@st.composite
def societies(draw: st.DrawFn) -> World:
    """A world where everyone agreed to everything long ago, most know most others, and some are in default."""
    purpose = draw(st.sampled_from(["train", "score"]))
    rows = [("contact_names", _named(p, n)) for p, n in zip(PEOPLE, NUMBERS, strict=False)]
    pairs = [(p, n) for i, p in enumerate(PEOPLE) for n in NUMBERS[i + 1 : 5]]
    rows += [("calls", _named(p, n) | {"direction": "out"}) for p, n in pairs if draw(st.integers(0, 2))]
    return World(purpose, agreed(purpose, *PEOPLE), (*rows, *draw(st.lists(loan(), max_size=5))))


@st.composite
def loan(draw: st.DrawFn) -> tuple[str, Row]:
    """An instalment of someone's, long due, paid or not."""
    due, person = datetime(2026, 1, 5), draw(st.sampled_from(PEOPLE))
    told = {"person_id": person, "application_id": "l", "instalment": 1, "due_at": due}
    return "repayments", told | {"paid_at": draw(st.sampled_from([None, due]))}


def agreed(purpose: str, *people: str) -> tuple[Row, ...]:
    """Consents of these people to everything the graph reads, long since."""
    said = {"artefact_id": "x", "purpose": purpose, "starts_at": datetime(2025, 1, 1), "basis": "explicit"}
    return tuple(said | {"person_id": p, "category": c} for p in people for c in ("communication", "credit"))


def _named(person: str, number: str) -> Row:
    early = dict.fromkeys(("event_at", "available_at", "local_at"), datetime(2026, 1, 5))
    return {"person_id": person, "contact_id": number} | early


def is_covered(world: World, name: str, told: Row) -> bool:
    """The gate said again in plain Python: whether the row may be seen at any moment that its person is asked."""
    category, at = ("credit", told["due_at"]) if name == "repayments" else ("communication", told["event_at"])
    own = [snapshot for _, person, snapshot in ASKED if person == told["person_id"]]
    moments = [*VINTAGES, *own] if world.purpose == "score" else [AS_OF]
    return any(
        c["person_id"] == told["person_id"]
        and c["category"] == category
        and c["purpose"] == world.purpose
        and c["starts_at"] <= moment
        and (c.get("expires_at") is None or moment < c["expires_at"])
        and (c.get("revoked_at") is None or moment < c["revoked_at"])
        and (c.get("data_from") is None or c["data_from"] <= at)
        and (c.get("data_to") is None or at < c["data_to"])
        for c in world.consents
        for moment in moments
    )


def is_past(name: str, told: Row) -> bool:
    """Whether anyone may know of the row: before a vintage, or before a snapshot of its own person."""
    if name == "repayments":
        return bool(told["due_at"] + timedelta(days=DPD_DAYS) < VINTAGES[0])
    own = [snapshot for _, person, snapshot in ASKED if person == told["person_id"]]
    return bool(max(told["event_at"], told["available_at"]) < max([VINTAGES[0], *own]))


def measured(engine: Engine, world: World, applications: tuple[str, ...] = ("a1", "a2", "a3", "a4")) -> pa.Table:
    """The features of the graph for these applications."""
    asked = [row for row in ASKED if row[0] in applications]
    times = pa.timestamp("us")
    snapshots = pa.array([snapshot for *_, snapshot in asked], times)
    cohort = pa.table(
        {
            "application_id": [application for application, *_ in asked],
            "person_id": [person for _, person, _ in asked],
            "snapshot_at": snapshots,
            "asked_at": snapshots if world.purpose == "score" else pa.array([AS_OF] * len(asked), times),
        }
    )
    tables = {
        name: engine.table(_table([r for n, r in world.rows if n == name], t), name) for name, t in TABLES.items()
    }
    agreed = engine.table(_table(list(world.consents), consents), "consents")
    return graph_features(engine, cohort, agreed, tables, world.purpose, AS_OF.replace(tzinfo=UTC), DPD_DAYS, NO_BOUNDS)


def _table(rows: list[Row], table: Table) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=schema(table))


def with_rows(world: World, rows: list[tuple[str, Row]]) -> World:
    """The same world with other rows."""
    return replace(world, rows=tuple(rows))
