"""What is measured in memory, what is left to the engine, and that nobody can tell which it was."""

import pyarrow.compute as pc
import pytest

from features.catalogue import all_features, named
from features.columns import Table
from features.declare import Feature
from features.expressions import total
from features.joined import JOINED, interactions
from features.tables import EVENT_TABLES, calls, messages, payments
from features.windows import CALENDAR
from pipeline.arrays.tables import in_arrays
from pipeline.engines import Engine
from pipeline.measure import Taken
from saakh.errors import ContractError
from tests.measuring import CALLS, MESSAGES, PAYMENTS, Declared, measured, row, same

STREAMS = [table for table in (*EVENT_TABLES, *JOINED) if not table.state]


def of(*tables: Table) -> tuple[Feature, ...]:
    """The features of these tables on one window, which is enough to see where they are measured."""
    return tuple(f for f in all_features() if f.table in tables)


# ---- what is measured where ----


@pytest.mark.parametrize("table", STREAMS, ids=[table.name for table in STREAMS])
def test_all_features_of_streams_of_events_are_measured_in_memory_whole_and_by_their_splits(table: Table) -> None:
    features = of(table)
    for some in (features, tuple(f.whole for f in features)):
        assert [f.name for f in some if in_arrays(table, (f,), CALENDAR) is None] == []
        assert in_arrays(table, some, CALENDAR) is not None


def test_declarations_of_which_the_latest_counts_are_not() -> None:
    states = [table for table in EVENT_TABLES if table.state]
    assert [table.name for table in states if in_arrays(table, of(table), CALENDAR) is not None] == []


def test_a_feature_with_an_operation_not_known_is_measured_by_the_engine(
    engine: Engine, asked: list[str], declared: Declared
) -> None:
    odd = declared(calls, lambda call: (call.count() + 4).log2(), name="log_of_calls", windows=(30,))
    found = measured(engine, [odd, *of(messages)], calls=CALLS, messages=MESSAGES)
    assert row(found)["log_of_calls_30d"] == 3.0
    assert asked == ["calls"]


def test_sums_beyond_64_bits_are_those_of_the_engine(
    engine: Engine, on_engine: Engine, asked: list[str], declared: Declared
) -> None:
    most = PAYMENTS.replace("400", str(2**62)).replace("300", str(2**62))
    spent = declared(payments, lambda payment: total(payment.amount_minor), name="all_money")
    found = measured(engine, [spent], payments=most)
    assert row(found)["all_money"] == float(3 * 2**62 + 1_500)
    assert asked == ["payments"]
    same(found, measured(on_engine, [spent], payments=most))


def test_what_the_engine_stops_at_stops_it_whoever_measures(
    engine: Engine, on_engine: Engine, declared: Declared
) -> None:
    most = PAYMENTS.replace("400", str(2**62))
    squared = declared(payments, lambda paid: (paid.amount_minor * paid.amount_minor).sum(), name="square_of_money")
    for where in (engine, on_engine):
        with pytest.raises(ContractError, match="cannot hold"):
            measured(where, [squared], payments=most)


# ---- tables stacked of others ----


def test_calls_and_messages_are_stacked_as_the_engine_does(engine: Engine, on_engine: Engine, asked: list[str]) -> None:
    features = of(interactions)
    found = measured(engine, features, calls=CALLS, messages=MESSAGES)
    assert asked == []
    same(found, measured(on_engine, features, calls=CALLS, messages=MESSAGES))
    assert "interactions" not in found.coverage["source"].to_pylist()


@pytest.mark.parametrize("odd_source", [calls, messages, interactions], ids=["calls", "messages", "interactions"])
def test_stacked_or_its_sources_may_be_measured_on_the_engine_and_the_others_in_memory(
    engine: Engine, on_engine: Engine, asked: list[str], odd_source: Table, declared: Declared
) -> None:
    odd = declared(odd_source, lambda row: row.count().log2(), name="odd_one")
    features = [odd, *map(named, ("call_count", "message_count", "interaction_count"))]
    found = measured(engine, features, calls=CALLS, messages=MESSAGES)
    assert asked == [odd_source.name]
    same(found, measured(on_engine, features, calls=CALLS, messages=MESSAGES))
    assert row(found)["interaction_count_30d"] == 6


# ---- who has nothing ----

EMPTY = CALLS.strip().split("\n")[0]
LATE = f"{EMPTY}\n| p | 2026-03-02 | c1 | out | 1 | yes |\n| p | 2026-03-01 12:00 | c1 | in | 1 | yes |"


def test_silence_closure_and_several_applications_of_one_person_are_as_on_the_engine(
    engine: Engine, on_engine: Engine, asked: list[str]
) -> None:
    features = of(calls)
    found = measured(engine, features, calls=CALLS)
    assert asked == []
    same(found, measured(on_engine, features, calls=CALLS))
    assert [r["call_count_30d"] for r in found.matrix.to_pylist()] == [4, 2, None, None]
    told = found.coverage.filter(pc.equal(found.coverage["source"], "calls"))
    assert told["status"].to_pylist() == ["present", "present", "silent", "closed"]
    assert told["rows_seen"].to_pylist() == [6, 2, 0, 0]
    assert told["days_seen"].to_pylist() == [4, 2, 0, 0]
    assert found.too_late["calls"] == 6


@pytest.mark.parametrize(("drawn", "late"), [(EMPTY, 0), (LATE, 4)], ids=["empty", "late"])
def test_a_table_that_shows_nothing_makes_nothing(
    engine: Engine, on_engine: Engine, asked: list[str], drawn: str, late: int
) -> None:
    features = of(calls, interactions)
    found = measured(engine, features, calls=drawn, messages=MESSAGES.strip().split("\n")[0])
    assert asked == []
    same(found, measured(on_engine, features, calls=drawn, messages=MESSAGES.strip().split("\n")[0]))
    assert {v for r in found.matrix.drop(["application_id"]).to_pylist() for v in r.values()} == {None}
    assert found.too_late == {"calls": late, "messages": 0}


def test_a_watch_hears_of_each_step_of_each_table(engine: Engine) -> None:
    heard: list[Taken] = []
    shown = measured(engine, of(calls, messages, interactions), heard.append, calls=CALLS, messages=MESSAGES)
    assert {t.table for t in heard} == {"calls", "messages", "interactions"}
    assert {t.kind for t in heard} == {"as-of rows", "rows", "keys", "cells", "slices"}
    assert [(t.table, t.rows) for t in heard if t.kind == "as-of rows"] == [
        ("calls", 8),
        ("messages", 4),
        ("interactions", 12),
    ]
    assert all(t.rows >= 0 and t.seconds >= 0 for t in heard)
    per_contact = next(t for t in heard if (t.name, t.kind) == ("calls_per_contact_id", "keys"))
    assert per_contact.rows == 8
    assert shown.matrix.num_rows == 4
