"""Life stage by browsing: the search for work, and study."""

from features.declare import Unit, feature
from features.expressions import ratio
from features.tables import web_visits
from features.windows import STANDARD


@feature(web_visits, windows=STANDARD, unit=Unit.SHARE, reason="Visits to job sites")
def web_jobs_share(visit):
    """Share of visits to job sites."""
    return ratio(visit.count(where=visit.domain_category == "jobs"), visit.count())


@feature(web_visits, windows=STANDARD, unit=Unit.DAYS, reason="Days with visits to job sites")
def web_jobs_days(visit):
    """Number of days, counted back from the snapshot, with a visit to a job site."""
    return visit.day.nunique(where=visit.domain_category == "jobs")


@feature(web_visits, windows=STANDARD, unit=Unit.SHARE, reason="Visits to education sites")
def web_education_share(visit):
    """Share of visits to education sites."""
    return ratio(visit.count(where=visit.domain_category == "education"), visit.count())
