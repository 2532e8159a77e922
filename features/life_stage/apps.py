"""Life stage by phone use: when a day begins and ends, how long the nights rest, how much of it is work or study."""

from features.declare import Unit, feature
from features.expressions import mean, ratio, std, total
from features.sources import per
from features.tables import app_sessions
from features.windows import DAY_S, STANDARD, WEEKPART

per_day_used = per(
    app_sessions,
    "local_day",
    first_hour=lambda use: use.hour.min(where=~use.is_night),
    last_hour=lambda use: use.hour.max(where=~use.is_night),
    rest_s=lambda use: use.gap_s.max(where=use.gap_s < DAY_S),
)


@feature(per_day_used, windows=STANDARD, unit=Unit.HOURS, reason="Regularity of the start of the day")
def wake_hour_spread(day):
    """Standard deviation of the hour of a day's first app use after the night."""
    return std(day.first_hour)


@feature(per_day_used, windows=STANDARD, splits=(WEEKPART,), unit=Unit.HOURS, reason="Start of the day")
def wake_hour_mean(day):
    """Mean hour of a day's first app use after the night."""
    return mean(day.first_hour)


@feature(per_day_used, windows=STANDARD, splits=(WEEKPART,), unit=Unit.HOURS, reason="End of the day")
def sleep_hour_mean(day):
    """Mean hour of a day's last app use before the night."""
    return mean(day.last_hour)


@feature(per_day_used, windows=STANDARD, unit=Unit.SECONDS, reason="Length of the daily rest")
def daily_rest_mean(day):
    """Mean over days of the longest time without an app that ended that day; gaps of a day and more are left out."""
    return mean(day.rest_s)


@feature(app_sessions, windows=STANDARD, unit=Unit.SHARE, reason="Share of phone use in working hours")
def app_work_share(use):
    """Share of foreground time between nine and six on weekdays."""
    return ratio(total(use.duration_s, where=use.is_work_time), use.duration_s.sum())


@feature(app_sessions, windows=STANDARD, unit=Unit.SHARE, reason="Use of apps for work")
def work_apps_share(use):
    """Share of foreground time in apps for work."""
    return ratio(total(use.duration_s, where=use.app_category == "work"), use.duration_s.sum())


@feature(app_sessions, windows=STANDARD, unit=Unit.SHARE, reason="Use of apps for education")
def education_apps_share(use):
    """Share of foreground time in apps for education."""
    return ratio(total(use.duration_s, where=use.app_category == "education"), use.duration_s.sum())
