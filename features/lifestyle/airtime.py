"""Lifestyle by airtime: how much is bought, in what sizes, how regularly, and how much in advance."""

from features.declare import Risk, Unit, feature
from features.expressions import days, entropy, mean, ratio, std, total, variation
from features.sources import only, per
from features.tables import topups
from features.windows import DAY_S, EVERY, HALF_YEAR, LONG, MEDIUM, STANDARD

MAJOR = 100  # minor units in a whole one; squares of whole units stay within 64 bits

advances = only(topups, "advance", lambda topup: topup.is_advance)
per_denomination = per(
    topups,
    "amount_minor",
    ranked=("cheapness",),
    cheapness=lambda topup: -topup.amount_minor.max(),
    events=lambda topup: topup.count(),
)
per_weekday = per(topups, "weekday", events=lambda topup: topup.count())
per_monthday = per(topups, "day_of_month", events=lambda topup: topup.count())
per_second_dearest_first = per(topups, "event_s", ranked=("spent",), spent=lambda topup: topup.amount_minor.sum())


@feature(topups, windows=EVERY, unit=Unit.COUNT, reason="Number of top-ups")
def topup_count(topup):
    """Number of top-ups."""
    return topup.count()


@feature(topups, windows=EVERY, unit=Unit.MINOR, risk=Risk.FALLS, reason="Little airtime bought")
def topup_amount_sum(topup):
    """Value of all top-ups."""
    return total(topup.amount_minor)


@feature(topups, windows=STANDARD, unit=Unit.MINOR, risk=Risk.FALLS, reason="Small top-ups")
def topup_amount_mean(topup):
    """Mean value of a top-up."""
    return mean(topup.amount_minor)


@feature(topups, windows=STANDARD, unit=Unit.MINOR, reason="Size of the smallest top-up")
def topup_amount_min(topup):
    """Value of the smallest top-up."""
    return topup.amount_minor.min()


@feature(topups, windows=STANDARD, unit=Unit.MINOR, reason="Size of the largest top-up")
def topup_amount_max(topup):
    """Value of the largest top-up."""
    return topup.amount_minor.max()


@feature(topups, windows=STANDARD, unit=Unit.MINOR, reason="Top-ups of many sizes")
def topup_amount_std(topup):
    """Standard deviation of the value of a top-up, each value rounded down to whole units of money."""
    return std(topup.amount_minor // MAJOR) * MAJOR


@feature(topups, windows=STANDARD, unit=Unit.DAYS, reason="Time between top-ups")
def topup_gap_mean(topup):
    """Mean time between two consecutive top-ups."""
    return days(mean(topup.gap_s))


@feature(topups, windows=STANDARD, unit=Unit.DAYS, risk=Risk.RISES, reason="Long gaps between top-ups")
def topup_gap_longest(topup):
    """Longest time between two consecutive top-ups."""
    return days(topup.gap_s.max())


@feature(topups, windows=(LONG,), unit=Unit.RATIO, risk=Risk.RISES, reason="Irregular top-ups")
def topup_gap_variation(topup):
    """Coefficient of variation of the time between top-ups."""
    return variation(topup.gap_s)


@feature(topups, unit=Unit.DAYS, risk=Risk.RISES, reason="No recent top-up")
def topup_recency(topup):
    """Days since the last top-up."""
    return days(topup.age_s.min())


@feature(topups, windows=(LONG,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Airtime bought is falling off")
def topup_recent_share(topup):
    """Share of the value of top-ups in the window that was bought in its last 30 days."""
    return ratio(total(topup.amount_minor, where=topup.age_s <= MEDIUM * DAY_S), topup.amount_minor.sum())


@feature(per_denomination, windows=STANDARD, unit=Unit.NATS, reason="Top-ups of many sizes")
def topup_denomination_entropy(denomination):
    """Entropy of top-ups over their values."""
    return entropy(denomination.events)


@feature(per_denomination, windows=(LONG,), unit=Unit.SHARE, reason="Share of smallest top-ups")
def topup_smallest_share(denomination):
    """Share of top-ups of the smallest value bought in the window."""
    smallest = denomination.rank_cheapness == 1
    return ratio(denomination.events.sum(where=smallest), denomination.events.sum())


@feature(per_second_dearest_first, windows=(LONG,), unit=Unit.SHARE, reason="Spread of money over top-ups")
def topup_pareto_share(topup):
    """Share of top-ups that it takes, the largest first, to make 80 % of their value; those of one second are one."""
    return ratio(topup.count(where=topup.before_spent * 5 < topup.whole_spent * 4), topup.count())


@feature(topups, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Many top-ups at night")
def topup_night_share(topup):
    """Share of top-ups bought at night."""
    return ratio(topup.count(where=topup.is_night), topup.count())


@feature(per_weekday, windows=(LONG,), unit=Unit.NATS, reason="Spread of top-ups over the week")
def topup_weekday_entropy(weekday):
    """Entropy of top-ups over the days of the week."""
    return entropy(weekday.events)


@feature(per_monthday, windows=(LONG, HALF_YEAR), unit=Unit.NATS, reason="Spread of top-ups over the month")
def topup_monthday_entropy(monthday):
    """Entropy of top-ups over the days of the month."""
    return entropy(monthday.events)


@feature(topups, windows=STANDARD, unit=Unit.COUNT, risk=Risk.RISES, reason="Airtime taken in advance")
def topup_advance_count(topup):
    """Number of airtime advances."""
    return topup.count(where=topup.is_advance)


@feature(topups, windows=(LONG,), unit=Unit.SHARE, risk=Risk.RISES, reason="Airtime taken in advance")
def topup_advance_share(topup):
    """Share of top-ups that were airtime advances."""
    return ratio(topup.count(where=topup.is_advance), topup.count())


@feature(advances, windows=(HALF_YEAR,), unit=Unit.DAYS, risk=Risk.FALLS, reason="Airtime taken in advance often")
def topup_advance_gap_mean(advance):
    """Mean time between two consecutive airtime advances."""
    return days(mean(advance.gap_s))
