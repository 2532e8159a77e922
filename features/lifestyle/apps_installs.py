"""Lifestyle by installs: which apps come and go, how fast, and from where."""

from features.declare import Risk, Unit, feature
from features.expressions import days, ratio
from features.tables import app_installs
from features.windows import HALF_YEAR, LONG, MEDIUM, SHORT, STANDARD


def is_install(change):
    """Whether a change is an install."""
    return change.action == "install"


def is_lending_install(change):
    """Whether a change is the install of a lending app."""
    return is_install(change) & (change.app_category == "lending")


@feature(
    app_installs,
    windows=(SHORT, MEDIUM, LONG),
    unit=Unit.COUNT,
    risk=Risk.RISES,
    reason="Lending apps installed recently",
)
def lending_app_installs(change):
    """Number of lending apps installed."""
    return change.count(where=is_lending_install(change))


@feature(app_installs, unit=Unit.DAYS, risk=Risk.FALLS, reason="Lending app installed recently")
def lending_install_age(change):
    """Days since the last install of a lending app; null when there was none."""
    return days(change.age_s.min(where=is_lending_install(change)))


@feature(app_installs, windows=STANDARD, unit=Unit.COUNT, reason="Number of apps installed")
def app_installs_made(change):
    """Number of apps installed."""
    return change.count(where=is_install(change))


@feature(app_installs, windows=(LONG, HALF_YEAR), unit=Unit.RATIO, reason="Apps removed soon")
def app_churn(change):
    """Removals of apps over installs."""
    return ratio(change.count(where=change.action == "uninstall"), change.count(where=is_install(change)))


@feature(
    app_installs,
    windows=(LONG, HALF_YEAR),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    reason="Apps installed from outside the official store",
)
def app_sideloaded_share(change):
    """Share of installs from outside the official store."""
    return ratio(change.count(where=is_install(change) & ~change.is_from_store), change.count(where=is_install(change)))
