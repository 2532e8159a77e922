"""Lifestyle by airtime and mobile data: how much, how regularly."""

from features.declare import Risk, Unit, feature
from features.expressions import days, mean, ratio, total, variation
from features.tables import data_usage, topups
from features.windows import LONG, MEDIUM, STANDARD


@feature(topups, windows=STANDARD, unit=Unit.DAYS, risk=Risk.RISES, reason="Long gaps between top-ups")
def topup_gap_longest(topup):
    """Longest time between two consecutive top-ups."""
    return days(topup.gap_s.max())


@feature(topups, windows=STANDARD, unit=Unit.MINOR, risk=Risk.FALLS, reason="Small top-ups")
def topup_amount_mean(topup):
    """Mean value of a top-up."""
    return mean(topup.amount_minor)


@feature(topups, windows=(LONG,), unit=Unit.RATIO, risk=Risk.RISES, reason="Irregular top-ups")
def topup_gap_variation(topup):
    """Coefficient of variation of the time between top-ups."""
    return variation(topup.gap_s)


@feature(topups, windows=(LONG,), unit=Unit.SHARE, risk=Risk.RISES, reason="Airtime taken in advance")
def topup_advance_share(topup):
    """Share of top-ups that were airtime advances."""
    return ratio(topup.count(where=topup.is_advance), topup.count())


@feature(data_usage, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Much mobile data used at night")
def data_night_share(use):
    """Share of mobile data carried between midnight and six."""
    return ratio(total(use.bytes_night), use.bytes_total.sum())


@feature(data_usage, windows=(MEDIUM,), unit=Unit.MEGABYTES, reason="Amount of mobile data")
def data_daily_mean(use):
    """Mean megabytes of mobile data over the days reported."""
    return mean(use.bytes_total) / 1e6
