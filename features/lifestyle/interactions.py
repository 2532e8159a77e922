"""Lifestyle by calls and messages as one stream: how many, by which means, when, and how regularly."""

from features.declare import Risk, Unit, feature
from features.expressions import days, entropy, ratio
from features.joined import interactions
from features.lifestyle.calls_rhythm import WEEK, autocorrelation, every_day_variation
from features.sources import per
from features.windows import EVERY, HALF_YEAR, LONG, MEDIUM, WEEKPART

per_hour = per(interactions, "hour", events=lambda interaction: interaction.count())
per_monthday = per(interactions, "day_of_month", events=lambda interaction: interaction.count())
per_day = per(interactions, "day", apart=(WEEK,), events=lambda interaction: interaction.count())


@feature(interactions, windows=EVERY, splits=(WEEKPART,), unit=Unit.COUNT, reason="Number of calls and messages")
def interaction_count(interaction):
    """Number of calls and messages."""
    return interaction.count()


@feature(interactions, windows=EVERY, splits=(WEEKPART,), unit=Unit.SHARE, reason="Balance of messages and calls")
def interaction_message_share(interaction):
    """Share of messages among calls and messages."""
    return ratio(interaction.count(where=interaction.kind == "message"), interaction.count())


@feature(
    interactions,
    windows=EVERY,
    splits=(WEEKPART,),
    unit=Unit.DAYS,
    risk=Risk.FALLS,
    reason="Few days with calls or messages",
)
def interaction_active_days(interaction):
    """Number of days, counted back from the snapshot, with a call or message."""
    return interaction.day.nunique()


@feature(
    interactions,
    windows=EVERY,
    splits=(WEEKPART,),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    reason="Many calls and messages at night",
)
def interaction_night_share(interaction):
    """Share of calls and messages at night."""
    return ratio(interaction.count(where=interaction.is_night), interaction.count())


@feature(per_hour, windows=EVERY, unit=Unit.NATS, reason="Spread of calls and messages over the day")
def interaction_hour_entropy(hour):
    """Entropy of calls and messages over the hours of the day."""
    return entropy(hour.events)


@feature(
    per_monthday,
    windows=(LONG, HALF_YEAR),
    unit=Unit.NATS,
    risk=Risk.FALLS,
    reason="Calls and messages bunched in the month",
)
def interaction_monthday_entropy(monthday):
    """Entropy of calls and messages over the days of the month."""
    return entropy(monthday.events)


@feature(interactions, windows=EVERY, unit=Unit.SECONDS, risk=Risk.RISES, reason="A long time without call or message")
def interaction_gap_max(interaction):
    """Longest time without a call or message between two of them."""
    return interaction.gap_s.max()


@feature(per_day, windows=EVERY, unit=Unit.RATIO, risk=Risk.RISES, reason="Irregular days of calls and messages")
def interaction_every_day_variation(day):
    """Coefficient of variation of calls and messages a day, days without any included."""
    return every_day_variation(day)


@feature(
    per_day,
    windows=(MEDIUM, LONG, HALF_YEAR),
    unit=Unit.BALANCE,
    reason="Whether calls and messages follow the week",
)
def interaction_weekly_autocorrelation(day):
    """Autocorrelation of calls and messages a day at seven days."""
    return autocorrelation(day, WEEK)


@feature(interactions, unit=Unit.DAYS, risk=Risk.RISES, reason="No call or message for some time")
def interaction_recency(interaction):
    """Time since the last call or message."""
    return days(interaction.age_s.min())
