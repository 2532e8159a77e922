"""Lifestyle by calls: how many, how long, when, and how regularly."""

from features.declare import Risk, Unit, feature
from features.expressions import burstiness, entropy, ratio, slope, variation
from features.sources import per
from features.tables import calls
from features.windows import LONG, STANDARD

per_hour_called = per(calls, "hour", events=lambda call: call.count())
per_monthday_called = per(calls, "day_of_month", events=lambda call: call.count())
per_day_called = per(calls, "day", events=lambda call: call.count())


@feature(calls, windows=STANDARD, unit=Unit.DAYS, risk=Risk.FALLS, reason="Few days with calls")
def call_active_days(call):
    """Number of days, counted back from the snapshot, with a call."""
    return call.day.nunique()


@feature(calls, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Many calls at night")
def call_night_share(call):
    """Share of calls between midnight and six."""
    return ratio(call.count(where=call.is_night), call.count())


@feature(per_hour_called, windows=STANDARD, unit=Unit.NATS, reason="Spread of calls over the day")
def call_hour_entropy(hour):
    """Entropy of calls over the hours of the day."""
    return entropy(hour.events)


@feature(per_monthday_called, windows=(LONG,), unit=Unit.NATS, risk=Risk.FALLS, reason="Calls bunched in the month")
def call_monthday_entropy(monthday):
    """Entropy of calls over the days of the month."""
    return entropy(monthday.events)


@feature(per_day_called, windows=STANDARD, unit=Unit.RATIO, reason="Regularity of the number of calls a day")
def call_daily_variation(day):
    """Coefficient of variation of calls over the days with calls."""
    return variation(day.events)


@feature(calls, windows=STANDARD, unit=Unit.BALANCE, risk=Risk.RISES, reason="Calls come in bursts")
def call_burstiness(call):
    """Burstiness of the time between calls."""
    return burstiness(call.gap_s)


@feature(calls, windows=(LONG,), unit=Unit.SLOPE, risk=Risk.FALLS, reason="Calls falling off")
def call_daily_slope(call):
    """Trend of calls a day over the window."""
    return slope(call.day, call.window_days)
