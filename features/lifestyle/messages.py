"""Lifestyle by messages: how many, on how many days, at what time, and how lately. Metadata only."""

from features.declare import Risk, Unit, feature
from features.expressions import days, entropy, mean, ratio
from features.lifestyle.calls_rhythm import WEEK, autocorrelation, every_day_variation
from features.sources import per
from features.tables import messages
from features.windows import CLOCK_SPLITS, DAYPART, EVERY, HALF_YEAR, LONG, MEDIUM, WEEKPART

per_hour_written = per(messages, "hour", events=lambda message: message.count())
per_day_written = per(messages, "day", apart=(WEEK,), events=lambda message: message.count())


@feature(messages, windows=EVERY, splits=CLOCK_SPLITS, unit=Unit.COUNT, reason="Number of messages")
def message_count(message):
    """Number of messages, from people and from others."""
    return message.count()


@feature(messages, windows=EVERY, splits=CLOCK_SPLITS, unit=Unit.COUNT, reason="Number of messages received")
def message_in_count(message):
    """Number of messages received, from people and from others."""
    return message.count(where=message.direction == "in")


@feature(messages, windows=EVERY, splits=CLOCK_SPLITS, unit=Unit.COUNT, reason="Number of messages sent")
def message_out_count(message):
    """Number of messages sent."""
    return message.count(where=message.direction == "out")


@feature(messages, windows=EVERY, splits=(WEEKPART,), unit=Unit.DAYS, reason="Number of days with messages")
def message_active_days(message):
    """Number of days, counted back from the snapshot, with a message."""
    return message.day.nunique()


@feature(messages, windows=EVERY, splits=(WEEKPART,), unit=Unit.SHARE, reason="Share of messages at night")
def message_night_share(message):
    """Share of messages at night."""
    return ratio(message.count(where=message.is_night), message.count())


@feature(messages, windows=EVERY, splits=(DAYPART,), unit=Unit.SHARE, reason="Share of messages at weekends")
def message_weekend_share(message):
    """Share of messages at weekends."""
    return ratio(message.count(where=message.is_weekend), message.count())


@feature(per_hour_written, windows=EVERY, unit=Unit.NATS, reason="Spread of messages over the day")
def message_hour_entropy(hour):
    """Entropy of messages over the hours of the day."""
    return entropy(hour.events)


@feature(messages, windows=EVERY, unit=Unit.SECONDS, reason="Time between messages")
def message_gap_mean(message):
    """Mean time between a message and the one before."""
    return mean(message.gap_s)


@feature(per_day_written, windows=EVERY, unit=Unit.RATIO, reason="Regularity of the number of messages a day")
def message_every_day_variation(day):
    """Coefficient of variation of messages a day, days without messages included."""
    return every_day_variation(day)


@feature(
    per_day_written, windows=(MEDIUM, LONG, HALF_YEAR), unit=Unit.BALANCE, reason="Whether messages follow the week"
)
def message_weekly_autocorrelation(day):
    """Autocorrelation of messages a day at seven days."""
    return autocorrelation(day, WEEK)


@feature(messages, windows=(120,), unit=Unit.RATIO, reason="More or fewer messages than before")
def message_recent_over_base(message):
    """Messages a day in the last 30 days over messages a day in the 90 days before."""
    return ratio(message.count(where=message.day <= MEDIUM) * 3, message.count(where=message.day > MEDIUM))


@feature(messages, unit=Unit.DAYS, risk=Risk.RISES, reason="No message for some time")
def message_recency(message):
    """Time since the last message."""
    return days(message.age_s.min())
