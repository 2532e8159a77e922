"""Life stage by calls and messages made or received: the working week, evenings, and when the day begins and ends."""

from features.declare import Unit, feature
from features.expressions import mean, ratio, std, top_share
from features.joined import interactions
from features.sources import only, per
from features.tables import calls
from features.windows import DAY_S, EVERY, STANDARD, WEEKPART

EVENING_HOUR = 18
HOUR_MINUTES, HOUR_S = 60, 3_600


def is_out(interaction):
    """Whether the applicant called or wrote."""
    return interaction.direction == "out"


def is_leisure(call):
    """Whether a call was in the evening or at a weekend."""
    return (call.hour >= EVENING_HOUR) | call.is_weekend


made = only(interactions, "made", is_out)
per_called = per(calls, "contact_id", leisure=lambda call: call.count(where=is_leisure(call)))
per_day_made = per(
    made,
    "local_day",
    first_minute=lambda interaction: interaction.minute.min(),
    last_minute=lambda interaction: interaction.minute.max(),
    quiet_s=lambda interaction: interaction.gap_s.max(),
)
per_weekpart_day_made = per(
    made,
    "local_day",
    "is_weekend",
    first_minute=lambda interaction: interaction.minute.min(),
    last_minute=lambda interaction: interaction.minute.max(),
)


@feature(calls, windows=EVERY, unit=Unit.SHARE, reason="Share of calls in working hours")
def call_work_share(call):
    """Share of calls between nine and six on weekdays."""
    return ratio(call.count(where=call.is_work_time), call.count())


@feature(calls, windows=EVERY, splits=(WEEKPART,), unit=Unit.SHARE, reason="Share of calls in the evening")
def call_evening_share(call):
    """Share of calls between six in the evening and midnight."""
    return ratio(call.count(where=call.hour >= EVENING_HOUR), call.count())


@feature(per_called, windows=STANDARD, unit=Unit.SHARE, reason="Calls in the evening and at weekends with one person")
def call_leisure_top_contact_share(contact):
    """Share of calls in evenings and at weekends with the person called most then."""
    return top_share(contact.leisure)


@feature(per_day_made, windows=STANDARD, splits=(WEEKPART,), unit=Unit.HOURS, reason="When the day begins")
def interaction_first_hour_mean(day):
    """Mean time of day of the first call made or message sent."""
    return mean(day.first_minute) / HOUR_MINUTES


@feature(per_day_made, windows=STANDARD, splits=(WEEKPART,), unit=Unit.HOURS, reason="When the day ends")
def interaction_last_hour_mean(day):
    """Mean time of day of the last call made or message sent."""
    return mean(day.last_minute) / HOUR_MINUTES


@feature(per_day_made, windows=STANDARD, unit=Unit.HOURS, reason="How regularly the day begins")
def interaction_first_hour_std(day):
    """Standard deviation of the time of day of the first call made or message sent."""
    return std(day.first_minute) / HOUR_MINUTES


@feature(per_day_made, windows=STANDARD, unit=Unit.HOURS, reason="How regularly the day ends")
def interaction_last_hour_std(day):
    """Standard deviation of the time of day of the last call made or message sent."""
    return std(day.last_minute) / HOUR_MINUTES


@feature(per_day_made, windows=STANDARD, unit=Unit.HOURS, reason="Length of the quiet part of the day")
def interaction_quiet_hours_mean(day):
    """Mean over days of the longest time to a call made or message sent from the one before, at most 24 hours."""
    return mean(day.quiet_s.clip(upper=DAY_S)) / HOUR_S


@feature(per_weekpart_day_made, windows=STANDARD, unit=Unit.HOURS, reason="How weekends differ from weekdays")
def interaction_social_jetlag(day):
    """Hours between the middle of active weekend days and of active weekdays, midway from first to last contact."""
    twice = day.first_minute + day.last_minute
    return (mean(twice, where=day.is_weekend) - mean(twice, where=~day.is_weekend)).abs() / (2 * HOUR_MINUTES)
