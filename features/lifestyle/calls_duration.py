"""Lifestyle by calls: how long people talk, and who called when they do."""

import ibis

from features.declare import Unit, feature
from features.expressions import mean, ratio, std, total
from features.tables import calls
from features.windows import CLOCK_SPLITS, EVERY, STANDARD, WEEKPART

SHORT_CALL_S = 10
PART = 2**16


def talked(call):
    """Seconds of answered calls; null for others."""
    return call.is_answered.ifelse(call.duration_s, ibis.null("int64"))


def kurtosis(seconds):
    """Pearson's kurtosis of the population (normal: 3); null when the deviation is under 1 % of the mean.

    Fourth powers do not fit 64 bits: a square is cut in a high and a low part, and their products are summed exactly.
    Below that spread the difference of sums would drown in the rounding of floats.
    """
    square, n, average = seconds * seconds, seconds.count(), mean(seconds)
    high, low = square // PART, square % PART
    third = ratio((seconds * high).sum(), n) * PART + ratio((seconds * low).sum(), n)
    fourth = ratio((high * high).sum(), n) * PART**2 + ratio((high * low).sum(), n) * 2 * PART
    fourth += ratio((low * low).sum(), n)
    second = ratio(square.sum(), n)
    spread = second - average * average
    fourth_central = (
        fourth - 4 * average * third + 6 * average * average * second - 3 * average * average * average * average
    )
    value = ratio(fourth_central, spread * spread).clip(lower=1.0)
    return ibis.ifelse(spread * 10_000 > average * average, value, ibis.null("float64"))


@feature(calls, windows=EVERY, splits=CLOCK_SPLITS, unit=Unit.SECONDS, reason="Time spent on calls")
def call_duration_total(call):
    """Time talked in all calls."""
    return total(call.duration_s)


@feature(calls, windows=EVERY, splits=CLOCK_SPLITS, unit=Unit.SECONDS, reason="Length of calls")
def call_duration_mean(call):
    """Mean length of answered calls."""
    return mean(talked(call))


@feature(calls, windows=EVERY, splits=CLOCK_SPLITS, unit=Unit.SECONDS, reason="How much calls differ in length")
def call_duration_std(call):
    """Standard deviation of the length of answered calls."""
    return std(talked(call))


@feature(calls, windows=EVERY, splits=(WEEKPART,), unit=Unit.SECONDS, reason="Length of the longest call")
def call_duration_max(call):
    """Length of the longest answered call."""
    return talked(call).max()


@feature(calls, windows=EVERY, unit=Unit.SECONDS, reason="Length of the shortest call")
def call_duration_min(call):
    """Length of the shortest answered call."""
    return talked(call).min()


@feature(calls, windows=STANDARD, unit=Unit.SECONDS, reason="Usual length of calls")
def call_duration_median(call):
    """Median length of answered calls."""
    return talked(call).median()


@feature(calls, windows=STANDARD, unit=Unit.BALANCE, reason="How unlike in length long and short calls are")
def call_duration_nonparametric_skew(call):
    """Nonparametric skew of the length of answered calls: (mean - median) / standard deviation."""
    length = talked(call)
    return ratio(mean(length) - length.median(), std(length)).clip(lower=-1.0, upper=1.0)


@feature(calls, windows=EVERY, unit=Unit.RATIO, reason="How common unusually long calls are")
def call_duration_kurtosis(call):
    """Pearson's kurtosis of the length of answered calls; null when lengths hardly differ."""
    return kurtosis(talked(call))


@feature(
    calls, windows=EVERY, splits=CLOCK_SPLITS, unit=Unit.SHARE, reason="Balance of talk in calls made and received"
)
def call_duration_out_share(call):
    """Share of the time talked that was in outgoing calls; null when nobody talked."""
    return ratio(total(call.duration_s, where=call.direction == "out"), total(call.duration_s))


@feature(calls, windows=EVERY, splits=CLOCK_SPLITS, unit=Unit.SHARE, reason="Share of very short calls")
def call_short_share(call):
    """Share of answered calls under ten seconds."""
    short = call.is_answered & (call.duration_s < SHORT_CALL_S)
    return ratio(call.count(where=short), call.count(where=call.is_answered))
