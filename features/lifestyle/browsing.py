"""Lifestyle by kinds of site visited."""

from features.declare import Risk, Unit, feature
from features.expressions import ratio
from features.tables import web_visits
from features.windows import STANDARD


@feature(web_visits, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Few visits to finance sites")
def web_finance_share(visit):
    """Share of visits to finance and price-comparison sites."""
    return ratio(visit.count(where=visit.domain_category.isin(["finance", "comparison"])), visit.count())


@feature(web_visits, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Much browsing at night")
def web_night_share(visit):
    """Share of visits between midnight and six."""
    return ratio(visit.count(where=visit.is_night), visit.count())
