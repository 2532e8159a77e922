"""Check on small tables: what breaks is named by table, rule and position, and what is on the bound holds."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from features.columns import Category, Column, Kind, events
from features.tables import BY_NAME
from pipeline.canonical import schema
from pipeline.check import validate
from pipeline.check.report import Report
from pipeline.check.tables import Arrival, Limits
from pipeline.engines import Embedded, Engine

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
NOON = datetime(2026, 5, 20, 12)
PERSON, OTHER, LOAN = "a" * 32, "b" * 32, "c" * 32
CALL = {
    "person_id": PERSON,
    "event_at": NOON,
    "available_at": NOON,
    "local_at": NOON + timedelta(hours=5, minutes=30),
    "contact_id": OTHER,
    "direction": "in",
    "duration_s": 60,
    "is_answered": True,
}
APPLICATION = {"application_id": LOAN, "person_id": PERSON, "applied_at": NOON, "is_accepted": True}
DUE = {
    "application_id": LOAN,
    "person_id": PERSON,
    "instalment": 1,
    "due_at": NOON,
    "due_minor": 500,
    "paid_at": NOON,
    "paid_minor": 500,
}
USAGE = {k: CALL[k] for k in ("person_id", "event_at", "available_at", "local_at")} | {
    "bytes_total": 10,
    "bytes_night": 10,
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Embedded(threads=1, memory_gb=1.0)
    yield engine
    engine.close()


def table(name: str, *rows: dict) -> pa.Table:
    """Rows of a canonical table, each apart from the others by a millisecond where it has an `event_at`."""
    apart = [
        r | ({"event_at": r["event_at"] - timedelta(milliseconds=i)} if "event_at" in r else {})
        for i, r in enumerate(rows)
    ]
    return pa.Table.from_pylist(apart, schema(BY_NAME[name]))


def report(engine: Engine, arrivals: dict | None = None, limits: Limits | None = None, **tables: pa.Table) -> Report:
    return validate(engine, {n: engine.table(t) for n, t in tables.items()}, limits or Limits(AS_OF), arrivals or {})


def broken(told: Report) -> dict[str, list[tuple[str, tuple[int, ...]]]]:
    return {t.table: [(o.rule.claim, o.positions) for o in t.broken] for t in told.tables if t.broken}


def test_rows_on_every_bound_hold(engine: Engine) -> None:
    calls = table(
        "calls",
        CALL | {"duration_s": 0},
        CALL | {"duration_s": 86_400},
        CALL | {"is_answered": False, "duration_s": 0},
        CALL | {"local_at": NOON + timedelta(hours=13, minutes=59)},
        CALL | {"local_at": NOON - timedelta(hours=14)},
        CALL | {"event_at": datetime(2000, 1, 1, 0, 0, 1), "local_at": datetime(2000, 1, 1)},
    )
    dues = table("repayments", DUE, DUE | {"instalment": 2, "paid_at": None, "paid_minor": 499})
    told = report(
        engine,
        calls=calls,
        repayments=dues,
        applications=table("applications", APPLICATION | {"disbursed_at": NOON}),
        data_usage=table("data_usage", USAGE),
    )
    assert broken(told) == {}
    assert told.passed


@pytest.mark.parametrize(
    ("fault", "claim"),
    [
        ({"person_id": None}, "person_id is never missing"),
        ({"person_id": "A" * 32}, "person_id is a pseudonym of 32 hexadecimal characters"),
        ({"contact_id": "a" * 32 + "\n"}, "contact_id is a pseudonym of 32 hexadecimal characters"),
        ({"direction": "inn"}, "direction is one of in, out"),
        ({"duration_s": -1}, "duration_s is at least 0 and at most 86,400"),
        ({"duration_s": 86_401}, "duration_s is at least 0 and at most 86,400"),
        ({"is_answered": False}, "an unanswered call lasts 0 seconds"),
        ({"is_answered": None}, "is_answered is never missing"),
        ({"available_at": NOON - timedelta(seconds=1)}, "event_at ≤ available_at"),
        ({"local_at": NOON + timedelta(hours=15)}, "local_at is within 14 hours of event_at"),
        ({"available_at": datetime(2100, 1, 1, 0, 0, 1)}, "available_at lies between 2000 and 2100"),
    ],
)
def test_a_call_that_breaks_a_rule_is_found(engine: Engine, fault: dict, claim: str) -> None:
    told = report(engine, calls=table("calls", CALL, CALL, CALL | fault, CALL))
    assert broken(told) == {"calls": [(claim, (2,))]}


@pytest.mark.parametrize(
    ("fault", "claim"),
    [
        ({"paid_minor": 501}, "paid_minor ≤ due_minor"),
        ({"paid_minor": 499}, "paid_at is there when, and only when, all that was due is paid"),
        ({"paid_at": None}, "paid_at is there when, and only when, all that was due is paid"),
        ({"instalment": 3}, "instalments are numbered from 1 without a gap"),
        ({"person_id": OTHER}, "the application is known and the same person's"),
    ],
)
def test_a_repayment_that_does_not_reconcile_is_found(engine: Engine, fault: dict, claim: str) -> None:
    told = report(engine, applications=table("applications", APPLICATION), repayments=table("repayments", DUE | fault))
    assert broken(told) == {"repayments": [(claim, (0,))]}


@pytest.mark.parametrize(
    ("fault", "claim"),
    [
        ({"disbursed_at": NOON - timedelta(days=1)}, "applied_at ≤ disbursed_at"),
        ({"disbursed_at": NOON, "is_accepted": False}, "only an accepted loan is paid out"),
        ({"tenor_days": 0}, "tenor_days is at least 1"),
    ],
)
def test_an_application_that_contradicts_itself_is_found(engine: Engine, fault: dict, claim: str) -> None:
    told = report(engine, applications=table("applications", APPLICATION | fault))
    assert broken(told) == {"applications": [(claim, (0,))]}


def test_more_bytes_at_night_than_in_the_day_are_found(engine: Engine) -> None:
    told = report(engine, data_usage=table("data_usage", USAGE, USAGE | {"bytes_night": 11}))
    assert broken(told) == {"data_usage": [("bytes_night ≤ bytes_total", (1,))]}


def test_every_copy_of_a_repeated_row_is_named_also_where_something_is_missing(engine: Engine) -> None:
    row = {k: CALL[k] for k in ("person_id", "event_at", "available_at", "local_at")}
    row |= {"amount_minor": 100, "retailer_id": None, "bundle": "data", "is_advance": False}
    topups = pa.concat_tables([table("topups", row, row), table("topups", row)])
    assert broken(report(engine, topups=topups)) == {"topups": [("no two rows are the same", (0, 2))]}


def test_a_slug_is_short_and_plain(engine: Engine) -> None:
    row = {k: CALL[k] for k in ("person_id", "event_at", "available_at", "local_at")}
    row |= {"event_type": "support", "amount_minor": 0}
    brands = table("brand_events", *(row | {"brand": b} for b in ("ok_2", "Not OK", "", "x" * 24, "x" * 25)))
    found = broken(report(engine, brand_events=brands))
    assert found == {"brand_events": [("brand is a slug of at most 24 characters", (1, 2, 4))]}


def test_nan_is_a_fault_and_a_missing_number_is_not(engine: Engine) -> None:
    wind = events("wind", "one row per gust", Category.LOCATION, Column("speed", Kind.NUMBER, "Speed.", required=False))
    row = {k: CALL[k] for k in ("person_id", "event_at", "available_at", "local_at")}
    rows = [
        row | {"speed": v, "event_at": NOON - timedelta(seconds=i)} for i, v in enumerate((1.5, None, float("nan")))
    ]
    gusts = engine.table(pa.Table.from_pylist(rows, schema(wind)))
    told = validate(engine, {"wind": gusts}, Limits(AS_OF), {}, declared={"wind": wind})
    assert broken(told) == {"wind": [("speed is a number or missing, never NaN", (2,))]}


def test_columns_and_types_other_than_declared_are_named_and_their_rows_not_asked(engine: Engine) -> None:
    calls = table("calls", CALL | {"direction": "inn"})
    place = calls.schema.get_field_index("duration_s")
    calls = calls.set_column(place, "duration_s", calls["duration_s"].cast(pa.int32()))
    calls = calls.drop_columns(["is_answered"]).append_column("note", pa.array(["hello"]))
    told = report(engine, calls=calls, data_usage=table("data_usage", USAGE | {"bytes_night": 11}))
    (fault,) = told.tables[0].broken
    assert fault.rule.claim == "columns are those declared, each stored as declared"
    assert fault.columns == ("duration_s", "is_answered", "note")
    assert {o.is_checked for o in told.tables[0].outcomes if o.rule.column} == {False}
    assert [o.rule.claim for o in told.tables[1].broken] == ["bytes_night ≤ bytes_total"]


def test_columns_in_another_order_are_named(engine: Engine) -> None:
    calls = table("calls", CALL)
    told = report(engine, calls=calls.select([*calls.column_names[:-2], "is_answered", "duration_s"]))
    (fault,) = told.tables[0].broken
    assert (fault.rule.claim, fault.columns) == ("columns are in the declared order", ("duration_s", "is_answered"))


def test_repayments_are_not_held_against_applications_that_cannot_be_read(engine: Engine) -> None:
    applications = table("applications", APPLICATION).drop_columns(["person_id"])
    told = report(engine, applications=applications, repayments=table("repayments", DUE))
    assert list(broken(told)) == ["applications"]
    orphans = [o for o in told.tables[1].outcomes if o.rule.claim == "the application is known and the same person's"]
    assert [o.is_checked for o in orphans] == [False]


def test_tables_without_rows_hold_and_tables_that_are_not_there_are_named(engine: Engine) -> None:
    told = report(engine, calls=table("calls"), messages=table("messages"))
    assert told.passed
    assert told.rows == 0
    assert told.absent == tuple(n for n in BY_NAME if n not in ("calls", "messages"))


def test_positions_count_over_all_batches(engine: Engine) -> None:
    n = 300_000
    usage = pa.table(
        {
            "person_id": pa.repeat(PERSON, n),
            "event_at": pa.array(range(1_700_000_000, 1_700_000_000 + n), pa.timestamp("s")),
            "available_at": pa.repeat(pa.scalar(NOON, pa.timestamp("us")), n),
            "local_at": pa.array(range(1_700_000_000, 1_700_000_000 + n), pa.timestamp("s")),
            "bytes_total": pa.repeat(5, n),
            "bytes_night": pa.array([9 if i in (3, 299_999) else 5 for i in range(n)]),
        }
    ).cast(schema(BY_NAME["data_usage"]))
    usage = pa.concat_tables([usage, usage.slice(7, 1)])
    found = broken(report(engine, data_usage=usage))
    assert found == {
        "data_usage": [("bytes_night ≤ bytes_total", (3, 299_999)), ("no two rows are the same", (7, 300_000))]
    }


def test_only_the_first_hundred_positions_are_kept_and_all_faults_counted(engine: Engine) -> None:
    told = report(engine, calls=table("calls", *([CALL | {"duration_s": -1}] * 150)))
    (fault,) = told.tables[0].broken
    assert (fault.faults, fault.rows, fault.positions) == (150, 150, tuple(range(100)))
    assert "fails in 150 of 150 rows, at 0, 1, 2, 3, 4 …" in told.complaint()


@pytest.mark.parametrize(
    ("arrival", "claims"),
    [
        (Arrival(100, 95, 5, 95, 5), []),
        (Arrival(100, 94, 5, 94, 5), ["rows in = rows kept + rows rejected"]),
        (Arrival(100, 95, 5, 96, 5), ["rows stored = rows kept"]),
        (Arrival(100, 95, 5, 95, 4), ["rows listed in rejects.parquet = rows rejected"]),
        (Arrival(100, 94, 6, 94, 6), ["at most 5.0% of rows are rejected on arrival"]),
    ],
)
def test_what_arrived_is_accounted_for(engine: Engine, arrival: Arrival, claims: list[str]) -> None:
    limits = Limits(AS_OF, rejected_share_max=0.05)
    told = report(engine, {"calls": arrival}, limits, calls=table("calls", CALL))
    assert [o.rule.claim for o in told.tables[0].broken] == claims


@pytest.mark.parametrize(
    ("received", "is_fresh"),
    [(NOON, True), (datetime(2026, 6, 1), True), (datetime(2026, 6, 1, 0, 0, 1), False)],
)
def test_a_stream_is_fresh_by_what_was_received_up_to_as_of(engine: Engine, received: datetime, is_fresh: bool) -> None:
    limits = Limits(AS_OF, freshness_days_max=14)
    old = NOON - timedelta(days=40)
    long_ago = CALL | {"event_at": old, "available_at": old, "local_at": old}
    calls = table("calls", CALL | {"available_at": received}, long_ago)
    told = report(engine, {"calls": Arrival(2, 2, 0, 2, 0)}, limits, calls=calls)
    wanted = [] if is_fresh else ["an event happened and was received in the 14 days up to as_of"]
    assert [o.rule.claim for o in told.tables[0].broken] == wanted


def test_rows_received_after_as_of_are_no_fault(engine: Engine) -> None:
    later = datetime(2026, 9, 1)
    calls = table("calls", CALL | {"event_at": later, "available_at": later, "local_at": later})
    assert report(engine, calls=calls).passed
