"""Times: zones, formats, and whose clock is believed."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from pipeline.ingest.clocks import from_format, from_stored, from_text, settle_clocks, to_local, to_utc
from pipeline.ingest.mapping import Clock

CLOCK = Clock(days_before_receipt_max=30, minutes_after_receipt_max=10)
UPLOAD = datetime(2017, 6, 22, 9, 43, 42)


def times(*moments: datetime | None) -> pa.Array:
    return pa.array(moments, pa.timestamp("us"))


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-05 10:22:31", datetime(2026, 1, 5, 4, 52, 31)),
        ("2026-01-05T10:22:31Z", datetime(2026, 1, 5, 10, 22, 31)),
        ("2026-01-05T10:22:31.25+05:30", datetime(2026, 1, 5, 4, 52, 31, 250_000)),
        ("2026-01-05T10:22:31.1234567Z", datetime(2026, 1, 5, 10, 22, 31, 123_456)),
        ("2026-01-05", datetime(2026, 1, 4, 18, 30)),
        ("  2026-01-05 10:22:31 ", datetime(2026, 1, 5, 4, 52, 31)),
        ("05/01/2026", None),
        ("2026-02-30", None),
        ("soon", None),
    ],
)
def test_text_with_an_offset_keeps_it_and_text_without_is_on_the_given_clock(text: str, utc: datetime | None) -> None:
    assert from_text(pa.array([text]), "Asia/Kolkata").to_pylist() == [utc]


def test_one_bad_time_spoils_no_other_and_mixed_forms_are_read_one_by_one() -> None:
    mixed = pa.array(["2026-01-05 00:00:00", "never", None, "2026-01-05T00:00:00Z", " 2026-01-06 "])
    read = from_text(mixed, "UTC").to_pylist()
    assert read == [datetime(2026, 1, 5), None, None, datetime(2026, 1, 5), datetime(2026, 1, 6)]


def test_a_format_reads_day_before_month_and_refuses_a_day_that_is_not() -> None:
    read = from_format(pa.array(["03/02/2026 07:05", "30/02/2026 07:05", "x", None]), "%d/%m/%Y %H:%M", "UTC")
    assert read.to_pylist() == [datetime(2026, 2, 3, 7, 5), None, None, None]


def test_stored_times_and_dates_keep_their_zone_or_take_the_given_one() -> None:
    aware = pa.array([datetime(2026, 1, 5, 12)], pa.timestamp("ns", "Asia/Kolkata"))
    assert from_stored(aware, "Africa/Nairobi").to_pylist() == [datetime(2026, 1, 5, 12)]
    assert from_stored(times(datetime(2026, 1, 5, 12)), "Africa/Nairobi").to_pylist() == [datetime(2026, 1, 5, 9)]
    assert from_stored(pa.array([datetime(2026, 1, 5)], pa.date32()), "UTC").to_pylist() == [datetime(2026, 1, 5)]


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Europe/Berlin", "Africa/Casablanca", "America/St_Johns", "UTC"])
def test_zones_agree_with_the_zone_database_hour_by_hour(zone: str) -> None:
    hours = [datetime(2024, 1, 1) + timedelta(hours=n) for n in range(366 * 24)]
    place = ZoneInfo(zone)
    local = [h.replace(tzinfo=ZoneInfo("UTC")).astimezone(place).replace(tzinfo=None) for h in hours]
    utc = [h.replace(tzinfo=place).astimezone(ZoneInfo("UTC")).replace(tzinfo=None) for h in hours]
    assert to_local(times(*hours), zone).to_pylist() == local
    assert to_utc(times(*hours), zone).to_pylist() == utc


def test_missing_times_stay_missing_in_any_zone() -> None:
    assert to_local(times(None, datetime(2026, 1, 1)), "Asia/Kolkata").to_pylist() == [
        None,
        datetime(2026, 1, 1, 5, 30),
    ]


@pytest.mark.parametrize(
    ("fix", "event", "received", "repaired", "raised"),
    [
        (UPLOAD - timedelta(minutes=6), UPLOAD - timedelta(minutes=6), UPLOAD, False, False),
        (UPLOAD - timedelta(days=30), UPLOAD - timedelta(days=30), UPLOAD, False, False),
        (UPLOAD - timedelta(days=30, seconds=1), UPLOAD, UPLOAD, True, False),
        (datetime(1970, 1, 1), UPLOAD, UPLOAD, True, False),
        (datetime(2050, 12, 31), UPLOAD, UPLOAD, True, False),
        (UPLOAD + timedelta(minutes=10), UPLOAD + timedelta(minutes=10), UPLOAD + timedelta(minutes=10), False, True),
        (UPLOAD + timedelta(minutes=10, seconds=1), UPLOAD, UPLOAD, True, False),
    ],
)
def test_an_implausible_clock_gives_way_to_the_receivers(
    fix: datetime, event: datetime, received: datetime, repaired: bool, raised: bool
) -> None:
    settled = settle_clocks(times(fix), times(UPLOAD), CLOCK)
    assert (settled.event_at.to_pylist(), settled.available_at.to_pylist()) == ([event], [received])
    assert (settled.repaired.tolist(), settled.raised.tolist()) == ([repaired], [raised])


@pytest.mark.parametrize("clock", [None, CLOCK])
def test_nothing_is_received_before_it_happened(clock: Any) -> None:
    event = times(UPLOAD + timedelta(minutes=3), UPLOAD - timedelta(minutes=3), None)
    settled = settle_clocks(event, times(UPLOAD, UPLOAD, UPLOAD), clock)
    assert settled.available_at.to_pylist() == [UPLOAD + timedelta(minutes=3), UPLOAD, UPLOAD]
    assert settled.raised.tolist() == [True, False, False]
