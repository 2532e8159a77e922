"""Lifestyle by mobile data: how much, on how many days, how evenly, how late in the day."""

from features.declare import Risk, Unit, feature
from features.expressions import days, mean, ratio, total, variation
from features.tables import data_usage
from features.windows import DAY_S, EVERY, LONG, MEDIUM, STANDARD, WEEKPART

MEGABYTE = 1_000_000  # squares of whole megabytes stay within 64 bits


@feature(data_usage, windows=EVERY, splits=(WEEKPART,), unit=Unit.MEGABYTES, reason="Amount of mobile data")
def data_total(use):
    """Megabytes of mobile data."""
    return total(use.bytes_total) / MEGABYTE


@feature(data_usage, windows=(MEDIUM,), unit=Unit.MEGABYTES, reason="Amount of mobile data")
def data_daily_mean(use):
    """Mean megabytes of mobile data over the days reported."""
    return mean(use.bytes_total) / 1e6


@feature(data_usage, windows=STANDARD, unit=Unit.RATIO, reason="Regularity of the use of mobile data")
def data_daily_variation(use):
    """Coefficient of variation of mobile data over the days reported, each rounded down to whole megabytes."""
    return variation(use.bytes_total // MEGABYTE)


@feature(data_usage, windows=STANDARD, unit=Unit.DAYS, risk=Risk.FALLS, reason="Few days with mobile data")
def data_days(use):
    """Number of days reported with mobile data."""
    return use.count(where=use.bytes_total > 0)


@feature(data_usage, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Much mobile data used at night")
def data_night_share(use):
    """Share of mobile data carried between midnight and six."""
    return ratio(total(use.bytes_night), use.bytes_total.sum())


@feature(data_usage, windows=(LONG,), unit=Unit.SHARE, reason="Use of mobile data is changing")
def data_recent_share(use):
    """Share of the window's mobile data that was carried in its last 30 days."""
    return ratio(total(use.bytes_total, where=use.age_s <= MEDIUM * DAY_S), use.bytes_total.sum())


@feature(data_usage, unit=Unit.DAYS, risk=Risk.RISES, reason="No recent use of mobile data")
def data_recency(use):
    """Days since the last report of a day with mobile data."""
    return days(use.age_s.min(where=use.bytes_total > 0))
