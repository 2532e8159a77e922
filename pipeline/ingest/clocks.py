"""Times of a source as microseconds of UTC, the applicant's wall clock, and whose clock to believe.

Zones go through `zoneinfo`, not Arrow, whose kernels need a zone database that a bare machine may not have.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.ingest.mapping import Clock

MICROSECONDS = pa.timestamp("us")
_DAY = 86_400_000_000
_SURVEYED = (0, 4_102_444_800_000_000)  # changes of a zone's offset are known from 1970 to 2100

Micros = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Settled:
    """Event and arrival times after the clocks were compared; the masks tell which rows were changed."""

    event_at: pa.Array
    available_at: pa.Array
    repaired: Mask
    raised: Mask


def from_text(text: pa.Array, zone: str) -> pa.Array:
    """ISO 8601 text as UTC: with its own offset where it has one, else on the wall clock of `zone`; null if neither."""
    return salvage(text, lambda some: _iso(some, zone), MICROSECONDS)


def from_format(text: pa.Array, form: str, zone: str) -> pa.Array:
    """Text in a `strptime` format as UTC; null where it does not fit."""
    trimmed = pc.utf8_trim_whitespace(text)
    read = pc.strptime(trimmed, format=form, unit="us", error_is_null=True)
    # Arrow rolls 30 February over into March: whatever landed on the first days of a month is read again, strictly.
    suspects = np.flatnonzero(pc.fill_null(pc.less_equal(pc.day(read), 3), False).to_numpy(zero_copy_only=False))
    values = {s: _strictly(s, form) for s in pc.unique(trimmed.take(pa.array(suspects))).to_pylist()}
    wrong = [at for at, s in zip(suspects, trimmed.take(pa.array(suspects)).to_pylist(), strict=True) if not values[s]]
    valid = np.ones(len(read), bool)
    valid[wrong] = False
    return to_utc(pc.if_else(pa.array(valid), read, pa.scalar(None, MICROSECONDS)), zone)


def from_stored(times: pa.Array, zone: str) -> pa.Array:
    """Arrow dates and timestamps as UTC; those without a zone are on the wall clock of `zone`."""
    aware = pa.types.is_timestamp(times.type) and times.type.tz is not None
    if pa.types.is_date(times.type):
        times = times.cast(pa.timestamp("ms"))
    plain = times.cast(pa.timestamp(times.type.unit)).cast(MICROSECONDS, safe=False)
    return plain if aware else to_utc(plain, zone)


def to_utc(wall: pa.Array, zone: str) -> pa.Array:
    """Times on the wall clock of a zone as UTC; a moment that came twice is the earlier one."""
    return _shifted(wall, zone, wall=True)


def to_local(utc: pa.Array, zone: str) -> pa.Array:
    """UTC as the time on the wall clock of a zone."""
    return _shifted(utc, zone, wall=False)


def settle_clocks(event_at: pa.Array, received: pa.Array, clock: Clock | None) -> Settled:
    """Believe the phone's clock within the bounds of `clock` (always, without one), else the receiver's.

    Nothing is seen before it happened: where an event believed is later than its receipt, the receipt moves up to it.
    """
    event, arrival = _micros(event_at), _micros(received)
    known = event_at.is_valid().to_numpy(False) & received.is_valid().to_numpy(False)
    repaired = np.zeros(len(event), bool)
    if clock is not None:
        early = event < arrival - round(clock.days_before_receipt_max * _DAY)
        late = event > arrival + round(clock.minutes_after_receipt_max * 60_000_000)
        repaired = known & (early | late)
    event = np.where(repaired, arrival, event)
    raised = known & (event > arrival)
    arrival = np.where(raised, event, arrival)
    return Settled(_like(event_at, event), _like(received, arrival), repaired, raised)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of a moment with a zone."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def salvage(text: pa.Array, cast: Callable[[pa.Array], pa.Array], kind: pa.DataType) -> pa.Array:
    """Cast all of a column at once if it casts, else ever smaller pieces; a single value that does not cast is null."""
    for attempt in (text, pc.utf8_trim_whitespace(text)):
        try:
            return cast(attempt)
        except pa.ArrowInvalid:
            continue
    if len(text) == 1:
        return pa.nulls(1, kind)
    half = len(text) // 2
    return pa.concat_arrays([salvage(text[:half], cast, kind), salvage(text[half:], cast, kind)])


def _iso(text: pa.Array, zone: str) -> pa.Array:
    for unit in ("us", "ns"):
        for tz in (None, "UTC"):
            try:
                return from_stored(text.cast(pa.timestamp(unit, tz)), zone)
            except pa.ArrowInvalid:
                continue
    raise pa.ArrowInvalid("not ISO 8601")


def _strictly(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)
    except ValueError:
        return None


def _shifted(times: pa.Array, zone: str, wall: bool) -> pa.Array:
    if zone == "UTC":
        return times
    starts, wall_starts, offsets = _spells(zone)
    values = _micros(times)
    spells = np.searchsorted(wall_starts if wall else starts, values, side="right")
    return _like(times, values + offsets[spells] * (-1 if wall else 1))


@cache
def _spells(zone: str) -> tuple[Micros, Micros, Micros]:
    """Starts of the spells between two changes of a zone's offset, in UTC and on the wall clock, and the offsets.

    There is one offset more than there are starts. On the wall clock the old offset holds until both clocks are past
    the change: of an hour that comes twice the first is meant, as in Python's `fold=0`.
    """
    place = ZoneInfo(zone)
    looks = np.arange(*_SURVEYED, 7 * _DAY)
    seen = [_offset(int(at), place) for at in looks]
    changes = [at for at in range(1, len(seen)) if seen[at] != seen[at - 1]]
    starts = np.array([_change(int(looks[at - 1]), int(looks[at]), place) for at in changes], np.int64)
    offsets = np.array([seen[0], *(seen[at] for at in changes)], np.int64)
    return starts, starts + np.maximum(offsets[:-1], offsets[1:]), offsets


def _change(before: int, after: int, zone: ZoneInfo) -> int:
    """The moment, to the second, at which the offset changes between two moments."""
    old = _offset(before, zone)
    while after - before > 1_000_000:
        middle = (before + after) // 2_000_000 * 1_000_000
        before, after = (middle, after) if _offset(middle, zone) == old else (before, middle)
    return after


def _offset(moment: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(moment // 1_000_000, zone).utcoffset() or timedelta()
    return offset // timedelta(microseconds=1)


def _micros(times: pa.Array) -> Micros:
    whole: Micros = pc.fill_null(times.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    return whole


def _like(nulls: pa.Array, values: Micros) -> pa.Array:
    return pa.array(values, mask=nulls.is_null().to_numpy(False)).cast(MICROSECONDS)
