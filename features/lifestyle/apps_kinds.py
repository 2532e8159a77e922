"""Lifestyle by kinds of app: what share of uses, or of time, each kind has."""

from features.columns import Sensitivity
from features.declare import Risk, Unit, feature
from features.expressions import ratio, total
from features.tables import app_sessions
from features.windows import DAYPART, EVERY, STANDARD


def is_kind(use, *kinds):
    """Whether an app use is of one of these kinds."""
    return use.app_category.isin(kinds)


def uses_share(use, *kinds):
    """Share of app uses in these kinds of app."""
    return ratio(use.count(where=is_kind(use, *kinds)), use.count())


def time_share(use, *kinds):
    """Share of foreground time in these kinds of app; null when no time was spent at all."""
    return ratio(total(use.duration_s, where=is_kind(use, *kinds)), use.duration_s.sum())


@feature(app_sessions, windows=EVERY, unit=Unit.SHARE, risk=Risk.FALLS, reason="Little use of banking and payment apps")
def app_finance_share(use):
    """Share of app uses in finance and payment apps."""
    return uses_share(use, "finance", "payments")


@feature(app_sessions, windows=STANDARD, unit=Unit.COUNT, risk=Risk.FALLS, reason="Few finance and payment apps used")
def app_payment_apps(use):
    """Number of distinct finance and payment apps used."""
    return use.app_id.nunique(where=is_kind(use, "finance", "payments"))


@feature(app_sessions, windows=EVERY, unit=Unit.SHARE, risk=Risk.FALLS, reason="Little use of payment apps")
def app_payments_share(use):
    """Share of app uses in payment apps."""
    return uses_share(use, "payments")


@feature(app_sessions, windows=EVERY, unit=Unit.SHARE, risk=Risk.RISES, reason="Much use of lending apps")
def app_lending_share(use):
    """Share of app uses in lending apps."""
    return uses_share(use, "lending")


@feature(app_sessions, windows=STANDARD, unit=Unit.COUNT, risk=Risk.RISES, reason="Several lending apps used")
def app_lending_apps(use):
    """Number of distinct lending apps used."""
    return use.app_id.nunique(where=is_kind(use, "lending"))


@feature(app_sessions, windows=STANDARD, unit=Unit.DAYS, risk=Risk.RISES, reason="Betting apps used")
def app_gambling_days(use):
    """Number of days, counted back from the snapshot, with a gambling app in use."""
    return use.day.nunique(where=is_kind(use, "gambling"))


@feature(app_sessions, windows=EVERY, unit=Unit.SHARE, risk=Risk.RISES, reason="Time spent in betting apps")
def app_gambling_share(use):
    """Share of foreground time in gambling apps."""
    return time_share(use, "gambling")


@feature(app_sessions, windows=EVERY, splits=(DAYPART,), unit=Unit.SHARE, reason="Time spent in social apps")
def app_social_share(use):
    """Share of foreground time in social apps."""
    return time_share(use, "social")


@feature(app_sessions, windows=EVERY, splits=(DAYPART,), unit=Unit.SHARE, reason="Time spent in messaging apps")
def app_messaging_share(use):
    """Share of foreground time in messaging apps."""
    return time_share(use, "messaging")


@feature(app_sessions, windows=EVERY, splits=(DAYPART,), unit=Unit.SHARE, reason="Time spent in entertainment apps")
def app_entertainment_share(use):
    """Share of foreground time in entertainment apps."""
    return time_share(use, "entertainment")


@feature(app_sessions, windows=EVERY, splits=(DAYPART,), unit=Unit.SHARE, reason="Time spent in games")
def app_games_share(use):
    """Share of foreground time in games."""
    return time_share(use, "games")


@feature(app_sessions, windows=STANDARD, unit=Unit.SHARE, reason="Time spent in news apps")
def app_news_share(use):
    """Share of foreground time in news apps."""
    return time_share(use, "news")


@feature(app_sessions, windows=STANDARD, unit=Unit.SHARE, reason="Use of shopping apps")
def app_shopping_share(use):
    """Share of app uses in shopping apps."""
    return uses_share(use, "shopping")


@feature(app_sessions, windows=STANDARD, unit=Unit.SHARE, reason="Use of travel apps")
def app_travel_share(use):
    """Share of app uses in travel apps."""
    return uses_share(use, "travel")


@feature(app_sessions, windows=STANDARD, unit=Unit.SHARE, reason="Mix of apps used", sensitivity=Sensitivity.SENSITIVE)
def app_health_share(use):
    """Share of app uses in health apps."""
    return uses_share(use, "health")
