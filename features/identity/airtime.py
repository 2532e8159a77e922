"""Identity by line: how long it has been topped up, and how steadily it was kept in use."""

from features.declare import Risk, Unit, feature
from features.expressions import days, ratio
from features.sources import per
from features.tables import topups

per_month = per(topups, "month", events=lambda topup: topup.count())


@feature(topups, unit=Unit.DAYS, risk=Risk.FALLS, reason="Line in use for a short time")
def line_tenure(topup):
    """Days since the first top-up seen."""
    return days(topup.age_s.max())


@feature(per_month, unit=Unit.SHARE, risk=Risk.FALLS, reason="Months in which the line was not topped up")
def line_active_months_share(month):
    """Share of the 30-day months since the first top-up seen in which the line was topped up."""
    return ratio(month.count(), month.month.max())


@feature(topups, unit=Unit.DAYS, risk=Risk.RISES, reason="Line left without a top-up for long")
def line_gap_longest(topup):
    """Longest time between two consecutive top-ups in all that was seen."""
    return days(topup.gap_s.max())
