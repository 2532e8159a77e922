"""Lifestyle by calls: how many, on how many days, at what time, and how lately."""

from features.declare import Risk, Unit, feature
from features.expressions import days, ratio
from features.tables import calls
from features.windows import CLOCK_SPLITS, DAYPART, EVERY, MEDIUM, WEEKPART


@feature(calls, windows=EVERY, splits=CLOCK_SPLITS, unit=Unit.COUNT, reason="Number of calls")
def call_count(call):
    """Number of calls, answered or not."""
    return call.count()


@feature(calls, windows=EVERY, splits=CLOCK_SPLITS, unit=Unit.COUNT, reason="Number of calls received")
def call_in_count(call):
    """Number of incoming calls, answered or not."""
    return call.count(where=call.direction == "in")


@feature(calls, windows=EVERY, splits=CLOCK_SPLITS, unit=Unit.COUNT, reason="Number of calls made")
def call_out_count(call):
    """Number of outgoing calls, answered or not."""
    return call.count(where=call.direction == "out")


@feature(calls, windows=EVERY, splits=(WEEKPART,), unit=Unit.DAYS, risk=Risk.FALLS, reason="Few days with calls")
def call_active_days(call):
    """Number of days, counted back from the snapshot, with a call."""
    return call.day.nunique()


@feature(calls, windows=EVERY, unit=Unit.RATIO, reason="Number of calls on a day with calls")
def call_daily_mean(call):
    """Mean number of calls on a day with calls."""
    return ratio(call.count(), call.day.nunique())


@feature(calls, windows=EVERY, splits=(WEEKPART,), unit=Unit.SHARE, risk=Risk.RISES, reason="Many calls at night")
def call_night_share(call):
    """Share of calls at night."""
    return ratio(call.count(where=call.is_night), call.count())


@feature(calls, windows=EVERY, splits=(DAYPART,), unit=Unit.SHARE, reason="Share of calls at weekends")
def call_weekend_share(call):
    """Share of calls at weekends."""
    return ratio(call.count(where=call.is_weekend), call.count())


@feature(calls, windows=(120,), unit=Unit.RATIO, risk=Risk.FALLS, reason="Fewer calls than before")
def call_recent_over_base(call):
    """Calls a day in the last 30 days over calls a day in the 90 days before."""
    return ratio(call.count(where=call.day <= MEDIUM) * 3, call.count(where=call.day > MEDIUM))


@feature(calls, unit=Unit.DAYS, risk=Risk.RISES, reason="No call for some time")
def call_recency(call):
    """Time since the last call."""
    return days(call.age_s.min())


@feature(calls, unit=Unit.DAYS, risk=Risk.RISES, reason="No call made for some time")
def call_out_recency(call):
    """Time since the last outgoing call."""
    return days(call.age_s.min(where=call.direction == "out"))
