"""Life stage by phone use: when a day begins, and how much of it is work."""

from features.declare import Unit, feature
from features.expressions import ratio, std, total
from features.sources import per
from features.tables import app_sessions
from features.windows import STANDARD

per_day_used = per(app_sessions, "local_day", first_hour=lambda use: use.hour.min(where=~use.is_night))


@feature(per_day_used, windows=STANDARD, unit=Unit.HOURS, reason="Regularity of the start of the day")
def wake_hour_spread(day):
    """Standard deviation of the hour of a day's first app use after six in the morning."""
    return std(day.first_hour)


@feature(app_sessions, windows=STANDARD, unit=Unit.SHARE, reason="Share of phone use in working hours")
def app_work_share(use):
    """Share of foreground time between nine and six on weekdays."""
    return ratio(total(use.duration_s, where=use.is_work_time), use.duration_s.sum())
