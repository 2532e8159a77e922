"""Lifestyle by browsing: how much, when, and which kinds of site."""

from features.declare import Risk, Unit, feature
from features.expressions import days, entropy, mean, ratio, slope
from features.sources import per
from features.tables import web_visits
from features.windows import CLOCK_SPLITS, EVERY, HALF_YEAR, LONG, STANDARD

per_site_kind = per(web_visits, "domain_category", visits=lambda visit: visit.count())


def visits_share(visit, *kinds):
    """Share of visits to these kinds of site."""
    return ratio(visit.count(where=visit.domain_category.isin(kinds)), visit.count())


@feature(web_visits, windows=EVERY, splits=CLOCK_SPLITS, unit=Unit.COUNT, reason="How much the web is used")
def web_visit_count(visit):
    """Number of visits to sites."""
    return visit.count()


@feature(web_visits, windows=EVERY, unit=Unit.DAYS, reason="Days with web use")
def web_active_days(visit):
    """Number of days, counted back from the snapshot, with a visit."""
    return visit.day.nunique()


@feature(web_visits, windows=STANDARD, unit=Unit.SECONDS, reason="Length of visits to sites")
def web_visit_mean(visit):
    """Mean time on a page."""
    return mean(visit.duration_s)


@feature(web_visits, unit=Unit.DAYS, reason="Time since the last visit to a site")
def web_last_visit_age(visit):
    """Days since the last visit."""
    return days(visit.age_s.min())


@feature(web_visits, windows=(LONG, HALF_YEAR), unit=Unit.SLOPE, reason="Web use rising or falling")
def web_daily_slope(visit):
    """Trend of visits a day over the window."""
    return slope(visit.day, visit.window_days)


@feature(web_visits, windows=EVERY, unit=Unit.SHARE, risk=Risk.FALLS, reason="Few visits to finance sites")
def web_finance_share(visit):
    """Share of visits to finance and price-comparison sites."""
    return visits_share(visit, "finance", "comparison")


@feature(web_visits, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Few visits to price comparisons")
def web_comparison_share(visit):
    """Share of visits to price-comparison sites."""
    return visits_share(visit, "comparison")


@feature(web_visits, windows=EVERY, unit=Unit.SHARE, risk=Risk.RISES, reason="Many visits to lending sites")
def web_lending_share(visit):
    """Share of visits to lending sites."""
    return visits_share(visit, "lending")


@feature(web_visits, windows=EVERY, unit=Unit.SHARE, risk=Risk.RISES, reason="Visits to betting sites")
def web_gambling_share(visit):
    """Share of visits to gambling sites."""
    return visits_share(visit, "gambling")


@feature(web_visits, windows=STANDARD, unit=Unit.SHARE, reason="Visits to news sites")
def web_news_share(visit):
    """Share of visits to news sites."""
    return visits_share(visit, "news")


@feature(web_visits, windows=STANDARD, unit=Unit.SHARE, reason="Visits to government sites")
def web_government_share(visit):
    """Share of visits to government sites."""
    return visits_share(visit, "government")


@feature(per_site_kind, windows=STANDARD, unit=Unit.NATS, reason="Spread of visits over kinds of site")
def web_kind_entropy(kind):
    """Entropy of visits over kinds of site."""
    return entropy(kind.visits)


@feature(web_visits, windows=EVERY, unit=Unit.SHARE, risk=Risk.RISES, reason="Much browsing at night")
def web_night_share(visit):
    """Share of visits at night."""
    return ratio(visit.count(where=visit.is_night), visit.count())
