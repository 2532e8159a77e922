"""Lifestyle by app use: how much, when, how regularly, and over how many apps."""

from features.declare import Risk, Unit, feature
from features.expressions import concentration, entropy, mean, ratio, slope, std, top_share, total, variation
from features.sources import per
from features.tables import app_sessions
from features.windows import CLOCK_SPLITS, EVERY, HALF_YEAR, LONG, MEDIUM, STANDARD, WEEKPART

WEEK = 7

per_app = per(
    app_sessions,
    "app_id",
    uses=lambda use: use.count(),
    used_s=lambda use: use.duration_s.sum(),
    first_day=lambda use: use.day.max(),
    last_day=lambda use: use.day.min(),
)
per_kind = per(app_sessions, "app_category", uses=lambda use: use.count())
per_hour_used = per(app_sessions, "hour", uses=lambda use: use.count())
per_day_used = per(app_sessions, "day", uses=lambda use: use.count())
per_day_apart = per(app_sessions, "day", apart=(WEEK,), uses=lambda use: use.count())


def weekly_autocorrelation(day):
    """The autocorrelation of daily uses at seven days, days without use counted as 0; null when all days are alike.

    The estimate with one mean and all days below, which lies within -1 and 1; multiplied by the square of the number of
    days, so that all sums are of whole numbers.
    """
    w, uses = day.window_days.max(), day.uses.sum()
    ends = total(day.uses, where=day.day <= day.window_days - WEEK) + total(day.uses, where=day.day > WEEK)
    together = w * w * total(day.uses * day.uses_7) - w * uses * ends + (w - WEEK) * uses * uses
    return ratio(together, w * (w * (day.uses * day.uses).sum() - uses * uses)).clip(-1.0, 1.0)


@feature(app_sessions, windows=EVERY, splits=CLOCK_SPLITS, unit=Unit.COUNT, reason="How often apps are used")
def app_uses(use):
    """Number of app uses."""
    return use.count()


@feature(app_sessions, windows=EVERY, unit=Unit.DAYS, risk=Risk.FALLS, reason="Few days with apps in use")
def app_active_days(use):
    """Number of days, counted back from the snapshot, with an app in use."""
    return use.day.nunique()


@feature(app_sessions, windows=EVERY, splits=CLOCK_SPLITS, unit=Unit.SECONDS, reason="Time spent in apps")
def app_time(use):
    """Foreground time of all apps."""
    return total(use.duration_s)


@feature(app_sessions, windows=EVERY, splits=CLOCK_SPLITS, unit=Unit.SECONDS, reason="Length of app uses")
def app_session_mean(use):
    """Mean foreground time of an app use."""
    return mean(use.duration_s)


@feature(app_sessions, windows=EVERY, unit=Unit.SECONDS, reason="Differences in the length of app uses")
def app_session_std(use):
    """Standard deviation of the foreground time of app uses."""
    return std(use.duration_s)


@feature(app_sessions, windows=EVERY, splits=(WEEKPART,), unit=Unit.SHARE, risk=Risk.RISES, reason="Apps used at night")
def app_night_share(use):
    """Share of app uses at night."""
    return ratio(use.count(where=use.is_night), use.count())


@feature(per_day_used, windows=STANDARD, unit=Unit.RATIO, reason="Regularity of the number of app uses a day")
def app_daily_variation(day):
    """Coefficient of variation of app uses over the days with uses."""
    return variation(day.uses)


@feature(app_sessions, windows=(LONG, HALF_YEAR), unit=Unit.SLOPE, reason="App use rising or falling")
def app_daily_slope(use):
    """Trend of app uses a day over the window."""
    return slope(use.day, use.window_days)


@feature(app_sessions, windows=(LONG,), unit=Unit.RATIO, reason="App use lately against before")
def app_recent_ratio(use):
    """App uses a day in the newest 30 days over those in the 60 days before."""
    return ratio(use.count(where=use.day <= MEDIUM) * 2, use.count(where=use.day > MEDIUM))


@feature(per_day_apart, windows=(LONG, HALF_YEAR), unit=Unit.BALANCE, reason="Weekly rhythm of app use")
def app_weekly_autocorrelation(day):
    """Autocorrelation of daily app uses at seven days, days without use counted as 0."""
    return weekly_autocorrelation(day)


@feature(per_hour_used, windows=STANDARD, unit=Unit.NATS, reason="Spread of app use over the day")
def app_hour_entropy(hour):
    """Entropy of app uses over the hours of the day."""
    return entropy(hour.uses)


@feature(per_app, windows=EVERY, unit=Unit.COUNT, reason="Number of apps used")
def apps_used(app):
    """Number of distinct apps used."""
    return app.count()


@feature(per_app, windows=STANDARD, unit=Unit.NATS, reason="Spread of use over apps")
def app_entropy(app):
    """Entropy of app uses over apps."""
    return entropy(app.uses)


@feature(per_app, windows=STANDARD, unit=Unit.SHARE, reason="Share of the app used most")
def app_top_share(app):
    """Share of app uses in the app used most."""
    return top_share(app.uses)


@feature(per_app, windows=STANDARD, unit=Unit.SHARE, reason="Concentration of time on few apps")
def app_time_concentration(app):
    """Herfindahl index of foreground time over apps: 1 when all time is in one."""
    return concentration(app.used_s)


@feature(per_app, windows=(LONG,), unit=Unit.SHARE, reason="Share of apps kept in use")
def app_retention_share(app):
    """Share of the apps used 61 to 90 days before the snapshot that were used in the newest 30 days too."""
    was_used = app.first_day > 2 * MEDIUM
    return ratio(app.count(where=was_used & (app.last_day <= MEDIUM)), app.count(where=was_used))


@feature(per_app, windows=(LONG,), unit=Unit.SHARE, reason="Share of apps taken up lately")
def app_newcomers_share(app):
    """Share of the apps used in the window that were not used before its newest 30 days."""
    return ratio(app.count(where=app.first_day <= MEDIUM), app.count())


@feature(app_sessions, windows=STANDARD, unit=Unit.COUNT, reason="Kinds of app used")
def app_kinds(use):
    """Number of kinds of app used, out of sixteen."""
    return use.app_category.nunique()


@feature(per_kind, windows=STANDARD, unit=Unit.NATS, reason="Spread of use over kinds of app")
def app_kind_entropy(kind):
    """Entropy of app uses over kinds of app."""
    return entropy(kind.uses)
