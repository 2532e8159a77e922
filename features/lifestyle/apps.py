"""Lifestyle by apps: which kinds are used and installed, how evenly, how lately."""

from features.declare import Risk, Unit, feature
from features.expressions import entropy, ratio
from features.sources import per
from features.tables import app_installs, app_sessions
from features.windows import STANDARD

per_app = per(app_sessions, "app_id", sessions=lambda use: use.count())


@feature(
    app_sessions, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Little use of banking and payment apps"
)
def app_finance_share(use):
    """Share of app uses in finance and payment apps."""
    return ratio(use.count(where=use.app_category.isin(["finance", "payments"])), use.count())


@feature(app_sessions, windows=STANDARD, unit=Unit.COUNT, risk=Risk.FALLS, reason="Few finance and payment apps used")
def app_payment_apps(use):
    """Number of distinct finance and payment apps used."""
    return use.app_id.nunique(where=use.app_category.isin(["finance", "payments"]))


@feature(app_sessions, windows=STANDARD, unit=Unit.DAYS, risk=Risk.RISES, reason="Betting apps used")
def app_gambling_days(use):
    """Number of days, counted back from the snapshot, with a gambling app in use."""
    return use.day.nunique(where=use.app_category == "gambling")


@feature(per_app, windows=STANDARD, unit=Unit.NATS, reason="Spread of use over apps")
def app_entropy(app):
    """Entropy of app uses over apps."""
    return entropy(app.sessions)


@feature(app_installs, windows=STANDARD, unit=Unit.COUNT, risk=Risk.RISES, reason="Lending apps installed recently")
def lending_app_installs(change):
    """Number of lending apps installed."""
    return change.count(where=(change.app_category == "lending") & (change.action == "install"))
