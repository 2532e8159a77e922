"""What an application sees of events: what consent opens over their time, that happened and was received before."""

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pytest

from features.tables import calls, topups
from pipeline.asof import consented, visible
from pipeline.canonical import schema
from pipeline.engines import Embedded, Engine
from tests.ascii import rows

SNAPSHOT = datetime(2026, 3, 1, 12)
TIMES = pa.timestamp("us")
COHORT = pa.table(
    {
        "application_id": ["a1", "a2"],
        "person_id": ["p", "q"],
        "snapshot_at": pa.array([SNAPSHOT, SNAPSHOT], TIMES),
        "asked_at": pa.array([datetime(2026, 6, 1)] * 2, TIMES),
    }
)
FROM, TO = datetime(2026, 1, 1), datetime(2026, 2, 1)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    held = Embedded(threads=1, memory_gb=1)
    yield held
    held.close()


def opened(*ranges: tuple[str, str, datetime, datetime]) -> pa.Table:
    """Application, category and range of what is open."""
    names = ("application_id", "category", "data_from", "data_to")
    columns = zip(*ranges, strict=True)
    return pa.table(
        {name: pa.array(c, TIMES if "data" in name else None) for name, c in zip(names, columns, strict=True)}
    )


OPEN = opened(("a1", "communication", FROM, TO))


def event(at: str, received: str = "", person: str = "p") -> pa.Table:
    """One call."""
    heading = "| person_id | event_at | available_at | contact_id | direction | duration_s | is_answered |"
    return rows(calls, f"{heading}\n| {person} | {at} | {received or at} | c | out | 60 | yes |")


def seen(engine: Engine, events: pa.Table, ranges: pa.Table = OPEN) -> list[dict]:
    """What the two applications see of events."""
    cohort, opens = engine.table(COHORT, "cohort"), engine.table(ranges, "opened")
    found = visible(cohort, opens, engine.table(events, "calls"), calls)
    return engine.arrow(found, ["application_id", "event_at"]).to_pylist()


@pytest.mark.parametrize(
    ("at", "is_seen"),
    [
        ("2025-12-31 23:59:59.999999", False),
        ("2026-01-01", True),
        ("2026-01-31 23:59:59.999999", True),
        ("2026-02-01", False),
        ("2026-02-02", False),
    ],
)
def test_an_event_is_seen_from_the_first_moment_of_its_range_up_to_and_without_the_last(
    engine: Engine, at: str, is_seen: bool
) -> None:
    assert bool(seen(engine, event(at))) is is_seen


@pytest.mark.parametrize(
    ("at", "received", "is_seen"),
    [
        ("2026-03-01 11:59:59", "2026-03-01 11:59:59.999999", True),
        ("2026-03-01 11:59:59", "2026-03-01 12:00", False),
        ("2026-03-01 12:00", "2026-03-01 11:00", False),
        ("2026-03-01 12:00:01", "2026-03-01 11:00", False),
        ("2026-03-01 12:00:01", "2026-03-01 12:00:01", False),
        ("2026-03-01 11:59:59", "2026-03-01 12:00:01", False),
    ],
)
def test_an_event_is_seen_when_it_happened_and_was_received_before_the_snapshot(
    engine: Engine, at: str, received: str, is_seen: bool
) -> None:
    wide = opened(("a1", "communication", FROM, datetime(2027, 1, 1)))
    assert bool(seen(engine, event(at, received), wide)) is is_seen
    found = consented(engine.table(COHORT), engine.table(wide), engine.table(event(at, received)), calls)
    assert [row["is_past"] for row in engine.arrow(found, ["event_at"]).to_pylist()] == [is_seen]


@pytest.mark.parametrize(
    "closed",
    [
        opened(("a2", "communication", FROM, TO)),  # another's application
        opened(("a1", "apps", FROM, TO)),  # another category
        opened(("a1", "communication", TO, FROM)),
    ],
    ids=["application", "category", "order"],
)
def test_what_is_not_open_to_the_application_is_not_seen(engine: Engine, closed: pa.Table) -> None:
    assert seen(engine, event("2026-01-15")) != []
    assert seen(engine, event("2026-01-15"), closed) == []


def test_another_persons_event_is_not_seen(engine: Engine) -> None:
    assert seen(engine, event("2026-01-15", person="q")) == []
    both = opened(("a1", "communication", FROM, TO), ("a2", "communication", FROM, TO))
    assert [row["application_id"] for row in seen(engine, event("2026-01-15", person="q"), both)] == ["a2"]


def test_a_row_has_its_application_its_snapshot_and_its_tables_columns(engine: Engine) -> None:
    (row,) = seen(engine, event("2026-01-15"))
    assert list(row) == ["application_id", "snapshot_at", *schema(calls).names]
    assert (row["application_id"], row["snapshot_at"], row["duration_s"]) == ("a1", SNAPSHOT, 60)


def test_an_event_in_two_ranges_that_do_not_overlap_is_seen_once(engine: Engine) -> None:
    ranges = opened(("a1", "communication", FROM, TO), ("a1", "communication", TO, datetime(2026, 3, 1)))
    assert len(seen(engine, event("2026-02-01"), ranges)) == 1


def test_columns_of_the_events_beyond_the_tables_own_stay_out(engine: Engine) -> None:
    more = event("2026-01-15").append_column("text", pa.array(["hello"]))
    assert "text" not in seen(engine, more)[0]


def test_each_table_is_seen_by_its_own_category(engine: Engine) -> None:
    heading = "| person_id | event_at | amount_minor | bundle | is_advance |"
    told = engine.table(rows(topups, f"{heading}\n| p | 2026-01-15 | 1 | talk | no |"))
    for ranges, count in ((OPEN, 0), (opened(("a1", "airtime", FROM, TO)), 1)):
        found = visible(engine.table(COHORT), engine.table(ranges), told, topups)
        assert engine.count(found.count()) == count
