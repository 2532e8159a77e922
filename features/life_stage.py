"""Life stage: work, household and the rhythm they give a week. Age and gender belong to the audit, never here."""

import ibis

from features.declare import Risk, Unit, feature, per
from features.expressions import ratio, std, top_share, total
from features.tables import app_sessions, calls, locations, payments, people
from features.windows import LONG, STANDARD


def is_salary(payment):
    """Whether a payment is a salary that arrived."""
    return (payment.payment_type == "salary") & (payment.direction == "in") & (payment.status == "done")


per_month_paid = per(payments, "month", wages=lambda payment: payment.count(where=is_salary(payment)))
per_cell_at_work = per(locations, "cell_id", work_fixes=lambda fix: fix.count(where=fix.is_work_time))
per_day_used = per(app_sessions, "local_day", first_hour=lambda use: use.hour.min(where=~use.is_night))


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


@feature(payments, windows=STANDARD, unit=Unit.MINOR, risk=Risk.FALLS, reason="Little salary received")
def salary_received(payment):
    """Salary received."""
    return total(payment.amount_minor, where=is_salary(payment))


@feature(per_month_paid, windows=(LONG,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Salary not received every month")
def salary_months_share(month):
    """Share of 30-day months with payments in which a salary arrived."""
    return ratio(month.wages.count(where=month.wages > 0), month.wages.count())


@feature(calls, windows=STANDARD, unit=Unit.SHARE, reason="Share of calls in working hours")
def call_work_share(call):
    """Share of calls between nine and six on weekdays."""
    return ratio(call.count(where=call.is_work_time), call.count())


@feature(per_cell_at_work, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="No settled place of work")
def workplace_share(cell):
    """Share of working-hours location fixes in the most frequent cell of those hours."""
    return top_share(cell.work_fixes)


@feature(per_day_used, windows=STANDARD, unit=Unit.HOURS, reason="Regularity of the start of the day")
def wake_hour_spread(day):
    """Standard deviation of the hour of a day's first app use after six in the morning."""
    return std(day.first_hour)


@feature(app_sessions, windows=STANDARD, unit=Unit.SHARE, reason="Share of phone use in working hours")
def app_work_share(use):
    """Share of foreground time between nine and six on weekdays."""
    return ratio(total(use.duration_s, where=use.is_work_time), use.duration_s.sum())
