"""The clock of a feature: observation windows, what night and weekend mean, and the slices they cut. Said here once.

The peers disagree (night is 19-07 for some, 00-06 for others; the weekend differs by country), so no feature may carry
its own idea of them: a run names its calendar, and every declaration follows.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import Enum

import ibis.expr.types as ir

from features.calendar import CALENDAR, Calendar

DAY_S = 86_400
SHORT, MEDIUM, LONG, HALF_YEAR = 7, 30, 90, 180
STANDARD = (MEDIUM, LONG)
EVERY = (SHORT, MEDIUM, LONG, HALF_YEAR)
WORK_HOURS = range(9, 18)
SLOT_HOURS = 4


class Axis(Enum):
    """A way to cut a day's events in two: the view's column that tells, its word when true, its word when false."""

    WEEKPART = ("is_weekend", "weekend", "weekday")
    DAYPART = ("is_night", "night", "day")

    @property
    def column(self) -> str:
        """The column of the view that tells."""
        return self.value[0]


WEEKPART, DAYPART = Axis.WEEKPART, Axis.DAYPART
CLOCK_SPLITS = (WEEKPART, DAYPART)


@dataclass(frozen=True)
class Slice:
    """Which events a column is measured on: a window in days (None: all consented history), and a part of each axis."""

    window: int | None = None
    parts: tuple[tuple[Axis, bool], ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The parts in words, as in `weekend`, `night`."""
        return tuple(axis.value[1] if is_true else axis.value[2] for axis, is_true in self.parts)

    def named(self, feature: str) -> str:
        """The column of a feature on this slice: `call_count_weekend_night_30d`."""
        return "_".join([feature, *self.words, *([f"{self.window}d"] if self.window else [])])


def slices(windows: Iterable[int], splits: Iterable[Axis]) -> tuple[Slice, ...]:
    """Every window, whole and by each part of each axis and their combinations."""
    cut: list[tuple[tuple[Axis, bool], ...]] = [()]
    for axis in splits:
        cut += [(*parts, (axis, is_true)) for parts in list(cut) for is_true in (False, True)]
    return tuple(Slice(window, parts) for parts in cut for window in (tuple(windows) or (None,)))


def with_clock(rows: ir.Table, calendar: Calendar = CALENDAR, wanted: Collection[str] = ()) -> ir.Table:
    """As-of rows with the columns that tell time added, all or those wanted; the part of a view that all events share.

    `age_s`: whole seconds before the snapshot (an event inside `[snapshot - w, snapshot)` has 1 <= age_s <= w days).
    `day` and `month`: days and months of 30 days, counted back from the snapshot, from 1, so that none is cut by it.
    `local_day`: the calendar day on the applicant's clock. `minute`: minutes since midnight there.
    """
    event_s = rows.event_at.truncate("s").epoch_seconds().cast("int64")
    age_s = rows.snapshot_at.truncate("s").epoch_seconds().cast("int64") - event_s
    rows = rows.mutate(event_s=event_s, age_s=age_s, hour=rows.local_at.hour().cast("int64"))
    weekday = rows.local_at.day_of_week.index().cast("int64")
    work_hours = rows.hour.between(WORK_HOURS.start, WORK_HOURS.stop - 1)
    clock: dict[str, Callable[[], ir.Value]] = {
        "day": lambda: ((rows.age_s - 1) // DAY_S + 1).cast("int64"),
        "weekday": lambda: weekday,
        "day_of_month": lambda: rows.local_at.day().cast("int64"),
        "month": lambda: ((rows.age_s - 1) // (MEDIUM * DAY_S) + 1).cast("int64"),
        "local_day": lambda: (rows.local_at.truncate("s").epoch_seconds() // DAY_S).cast("int64"),
        "minute": lambda: rows.hour * 60 + rows.local_at.minute().cast("int64"),
        "slot": lambda: (rows.hour // SLOT_HOURS).cast("int64"),
        "is_night": lambda: _is_night(rows.hour, calendar),
        "is_weekend": lambda: weekday.isin(calendar.weekend),
        "is_work_time": lambda: weekday.notin(calendar.weekend) & work_hours,
    }
    return rows.mutate(**{name: told() for name, told in clock.items() if not wanted or name in wanted})


def _is_night(hour: ir.IntegerValue, calendar: Calendar) -> ir.BooleanValue:
    after, before = hour >= calendar.night_from, hour < calendar.night_to
    return after & before if calendar.night_from < calendar.night_to else after | before


def with_gap(rows: ir.Table) -> ir.Table:
    """Clocked rows with `gap_s`: seconds since the applicant's previous row among these."""
    previous = rows.event_s.lag().over(group_by=rows.application, order_by=rows.event_s)
    return rows.mutate(gap_s=rows.event_s - previous)


CLOCK = {
    "event_s": "int64",
    "age_s": "int64",
    "gap_s": "int64",
    "day": "int64",
    "month": "int64",
    "local_day": "int64",
    "hour": "int64",
    "minute": "int64",
    "slot": "int64",
    "weekday": "int64",
    "day_of_month": "int64",
    "is_night": "boolean",
    "is_weekend": "boolean",
    "is_work_time": "boolean",
    "window_days": "int64",
}
"""What `with_clock` and `with_gap` add, and `window_days`, which the plan fills in."""
