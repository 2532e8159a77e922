"""Life stage as declared: education, work, household. Age and gender belong to the audit, never here."""

import ibis

from features.declare import Risk, Unit, feature
from features.expressions import ratio
from features.tables import people


# Homemakers have no flag of their own: it would stand for gender.
def is_occupation(person, *occupations):
    """Whether the occupation declared is one of these, as 0 or 1; null when none is declared."""
    return person.occupation.isin(occupations).cast("int64")


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


@feature(people, unit=Unit.COUNT, reason="People depending on the applicant")
def dependants_declared(person):
    """People depending on the applicant, as declared."""
    return person.dependants


@feature(people, unit=Unit.COUNT, reason="Size of the household")
def household_size(person):
    """People in the household, as declared."""
    return person.household_size


@feature(people, unit=Unit.MINOR, risk=Risk.FALLS, reason="Low income for the size of the household")
def income_per_head(person):
    """Monthly income over the people in the household."""
    return ratio(person.income_minor, person.household_size)


@feature(people, unit=Unit.FLAG, risk=Risk.FALLS, reason="No salaried work declared")
def is_salaried(person):
    """Whether the work declared is salaried."""
    return is_occupation(person, "salaried")


@feature(people, unit=Unit.FLAG, reason="Kind of work declared")
def is_self_employed(person):
    """Whether the work declared is one's own: a business or a farm."""
    return is_occupation(person, "self_employed", "farmer")


@feature(people, unit=Unit.FLAG, risk=Risk.RISES, reason="Work declared is casual")
def is_casual_worker(person):
    """Whether the work declared is casual."""
    return is_occupation(person, "casual")


@feature(people, unit=Unit.FLAG, reason="Studies declared")
def is_student(person):
    """Whether the applicant is a student, as declared."""
    return is_occupation(person, "student")


@feature(people, unit=Unit.FLAG, risk=Risk.RISES, reason="No work declared")
def is_unemployed(person):
    """Whether the applicant is out of work, as declared."""
    return is_occupation(person, "unemployed")
