"""Days and moments of the simulated country.

Moments are whole seconds since 1970 on the wall clock of one time zone without summer time, so that day, weekday and
hour are plain arithmetic.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from pipeline.world.draws import Flags, Floats, Ints

DAY = 86_400
ZONE_SECONDS = 19_800  # Asia/Kolkata is UTC+05:30 all year
PERIOD_DAYS = 30
YEAR_DAYS = 365


@dataclass(frozen=True)
class Span:
    """When the world's data end, and how far they reach back.

    `as_of` is in wall-clock seconds; people first apply over the `days` before it; at most `history_days` of events
    precede a first application.
    """

    as_of: int
    days: int
    history_days: int

    @classmethod
    def of(cls, as_of: datetime, days: int, history_days: int) -> "Span":
        """From an aware moment."""
        return cls(int(as_of.timestamp()) + ZONE_SECONDS, days, history_days)

    @property
    def end_day(self) -> int:
        """The day on which the data end."""
        return self.as_of // DAY

    @property
    def first_period(self) -> int:
        """The first thirty-day period any event can fall in."""
        return (self.end_day - self.days - max(self.history_days, YEAR_DAYS)) // PERIOD_DAYS - 1

    @property
    def periods(self) -> int:
        """How many thirty-day periods the world spans."""
        return self.end_day // PERIOD_DAYS - self.first_period + 2

    def period_of(self, day: Ints) -> Ints:
        """The row of a day in arrays by period."""
        return day // PERIOD_DAYS - self.first_period


def weekday(day: Ints) -> Ints:
    """Monday is 0."""
    return (day + 3) % 7


def is_weekend(day: Ints) -> Flags:
    """Saturday and Sunday."""
    weekend: Flags = weekday(day) >= 5
    return weekend


def day_of_month(day: Ints) -> Ints:
    """From 1, and the month's first day taken from a table, since a million dates are slow to convert one by one."""
    if not day.size:
        return day
    low = int(day.min())
    dates = np.arange(low, int(day.max()) + 1).astype("datetime64[D]")
    table = (dates - dates.astype("datetime64[M]")).astype(np.int64) + 1
    return table[day - low]


def season(day: Ints) -> Floats:
    """The yearly wave between −1 and 1, highest in late October, when festivals bring purchases and calls."""
    wave: Floats = np.cos(2 * np.pi * ((day % 365.25) - 297) / 365.25)
    return wave


def first_days_of_months(low: int, high: int) -> Ints:
    """The first day of each month that touches the days from `low` to `high`."""
    months = np.arange(
        np.datetime64(low, "D").astype("datetime64[M]"), np.datetime64(high, "D").astype("datetime64[M]") + 1
    )
    return months.astype("datetime64[D]").astype(np.int64)
