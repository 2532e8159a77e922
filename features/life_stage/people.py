"""Life stage as declared: education, work, household. Age and gender belong to the audit, never here."""

import ibis

from features.declare import Risk, Unit, feature
from features.expressions import ratio
from features.tables import people


@feature(people, unit=Unit.MONTHS, risk=Risk.FALLS, reason="Short time in the present work")
def employment_months(person):
    """Months in the present work, as declared."""
    return person.employment_months


@feature(people, unit=Unit.FLAG, risk=Risk.FALLS, reason="Employment not verified")
def is_employment_verified(person):
    """Whether an employer or a payslip confirmed the work declared."""
    return person.is_employment_verified.cast("int64")


@feature(people, unit=Unit.LEVEL, risk=Risk.FALLS, reason="Low level of education declared")
def education_level(person):
    """Highest education declared: 0 none, 1 primary, 2 secondary, 3 diploma, 4 graduate."""
    levels = {"none": 0, "primary": 1, "secondary": 2, "diploma": 3, "graduate": 4}
    return person.education.cases(*((name, level) for name, level in levels.items()), else_=ibis.null("int64"))


@feature(people, unit=Unit.MINOR, risk=Risk.FALLS, reason="Low income declared or seen")
def income_declared(person):
    """Monthly income, as declared or seen by the source."""
    return person.income_minor


@feature(people, unit=Unit.SHARE, reason="Share of the household depending on the applicant")
def dependants_share(person):
    """People depending on the applicant over the household's size, at most 1."""
    return ratio(person.dependants, person.household_size).clip(upper=1.0)
