"""Lifestyle by calls: how they spread over the day, the week and the month, and how regularly they come.

Also what calls, messages and interactions share: regularity of daily counts, days without any included.
"""

from features.declare import Risk, Unit, feature
from features.expressions import burstiness, entropy, mean, ratio, slope, std, variation
from features.sources import per
from features.tables import calls
from features.windows import EVERY, HALF_YEAR, LONG, MEDIUM, STANDARD, WEEKPART

WEEK, FOUR_WEEKS = 7, 28

per_hour_called = per(calls, "hour", events=lambda call: call.count())
per_weekday_called = per(calls, "weekday", events=lambda call: call.count())
per_monthday_called = per(calls, "day_of_month", events=lambda call: call.count())
per_day_called = per(calls, "day", events=lambda call: call.count())
per_day_called_apart = per(calls, "day", apart=(WEEK, FOUR_WEEKS), events=lambda call: call.count())


def sum_of(column):
    """A whole-number sum, as a float so that its products do not overflow."""
    return column.sum().cast("float64")


def every_day_variation(cell):
    """The coefficient of variation of events a day over all days of the window, days without any included."""
    n, square, w = sum_of(cell.events), sum_of(cell.events * cell.events), cell.window_days.max()
    return ratio((square * w - n * n).clip(lower=0.0).sqrt(), n)


def autocorrelation(cell, lag):
    """The autocorrelation of events a day at a lag in days, days without any included; null when all days are alike.

    With W days, mean n / W, and both ends of a pair within the window: the sum of products of deviations over the sum
    of their squares, both times W squared so that whole numbers suffice.
    """
    w, n, older = cell.window_days.max(), sum_of(cell.events), cell[f"events_{lag}"]
    younger_ends = cell.events.sum(where=cell.day <= cell.window_days - lag).fill_null(0)
    older_ends = cell.events.sum(where=cell.day > lag).fill_null(0)
    pairs = sum_of((cell.events * older).fill_null(0)) * w * w
    together = pairs - n * (younger_ends + older_ends) * w + n * n * (w - lag)
    return ratio(together, (sum_of(cell.events * cell.events) * w - n * n) * w).clip(lower=-1.0, upper=1.0)


@feature(per_hour_called, windows=EVERY, splits=(WEEKPART,), unit=Unit.NATS, reason="Spread of calls over the day")
def call_hour_entropy(hour):
    """Entropy of calls over the hours of the day."""
    return entropy(hour.events)


@feature(per_weekday_called, windows=EVERY, unit=Unit.NATS, reason="Spread of calls over the week")
def call_weekday_entropy(weekday):
    """Entropy of calls over the days of the week."""
    return entropy(weekday.events)


@feature(
    per_monthday_called, windows=(LONG, HALF_YEAR), unit=Unit.NATS, risk=Risk.FALLS, reason="Calls bunched in the month"
)
def call_monthday_entropy(monthday):
    """Entropy of calls over the days of the month."""
    return entropy(monthday.events)


@feature(calls, windows=EVERY, splits=(WEEKPART,), unit=Unit.SECONDS, reason="Time between calls")
def call_gap_mean(call):
    """Mean time between a call and the one before."""
    return mean(call.gap_s)


@feature(calls, windows=EVERY, splits=(WEEKPART,), unit=Unit.SECONDS, reason="How much the time between calls differs")
def call_gap_std(call):
    """Standard deviation of the time between a call and the one before."""
    return std(call.gap_s)


@feature(calls, windows=EVERY, unit=Unit.SECONDS, risk=Risk.RISES, reason="A long time without calls")
def call_gap_max(call):
    """Longest time between two consecutive calls."""
    return call.gap_s.max()


@feature(calls, windows=STANDARD, unit=Unit.SECONDS, reason="Usual time between calls")
def call_gap_median(call):
    """Median time between consecutive calls."""
    return call.gap_s.median()


@feature(calls, windows=EVERY, unit=Unit.BALANCE, risk=Risk.RISES, reason="Calls come in bursts")
def call_burstiness(call):
    """Burstiness of the time between calls."""
    return burstiness(call.gap_s)


@feature(per_day_called, windows=EVERY, unit=Unit.RATIO, reason="Regularity of the number of calls a day")
def call_daily_variation(day):
    """Coefficient of variation of calls over the days with calls."""
    return variation(day.events)


@feature(per_day_called, windows=EVERY, unit=Unit.RATIO, risk=Risk.RISES, reason="Calls on few days, or many at once")
def call_every_day_variation(day):
    """Coefficient of variation of calls a day, days without calls included."""
    return every_day_variation(day)


@feature(
    per_day_called_apart, windows=(MEDIUM, LONG, HALF_YEAR), unit=Unit.BALANCE, reason="Whether calls follow the week"
)
def call_weekly_autocorrelation(day):
    """Autocorrelation of calls a day at seven days."""
    return autocorrelation(day, WEEK)


@feature(per_day_called_apart, windows=(LONG, HALF_YEAR), unit=Unit.BALANCE, reason="Whether calls follow the month")
def call_monthly_autocorrelation(day):
    """Autocorrelation of calls a day at twenty-eight days."""
    return autocorrelation(day, FOUR_WEEKS)


@feature(calls, windows=(MEDIUM, LONG, HALF_YEAR), unit=Unit.SLOPE, risk=Risk.FALLS, reason="Calls falling off")
def call_daily_slope(call):
    """Trend of calls a day over the window."""
    return slope(call.day, call.window_days)
