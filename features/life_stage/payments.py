"""Life stage by money: salary, the rhythm it gives a month, and where income comes from."""

from features.declare import Risk, Unit, feature
from features.expressions import days, ratio, top_share, total, variation
from features.sources import only, per
from features.tables import payments
from features.windows import DAY_S, HALF_YEAR, LONG, STANDARD

MAJOR = 100  # minor units in a whole one; squares of whole units stay within 64 bits
SHORTEST_S, LONGEST_S = 26 * DAY_S, 33 * DAY_S  # a month of 28 to 31 days, moved by a weekend or a holiday


def is_received(payment):
    """Whether a payment is money of one's own that came in."""
    return (payment.direction == "in") & (payment.status == "done") & (payment.payment_type != "loan")


def is_salary(payment):
    """Whether a payment is a salary that arrived."""
    return (payment.payment_type == "salary") & (payment.direction == "in") & (payment.status == "done")


salaries = only(payments, "salary", is_salary)
per_month_paid = per(payments, "month", wages=lambda payment: payment.count(where=is_salary(payment)))
per_payday = per(salaries, "day_of_month", events=lambda salary: salary.count())
per_payer = per(
    payments,
    "counterparty_id",
    received_minor=lambda payment: payment.amount_minor.sum(where=is_received(payment)),
)


@feature(payments, windows=STANDARD, unit=Unit.MINOR, risk=Risk.FALLS, reason="Little salary received")
def salary_received(payment):
    """Salary received."""
    return total(payment.amount_minor, where=is_salary(payment))


@feature(per_month_paid, windows=(LONG,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Salary not received every month")
def salary_months_share(month):
    """Share of 30-day months with payments in which a salary arrived."""
    return ratio(month.wages.count(where=month.wages > 0), month.wages.count())


@feature(payments, windows=STANDARD, unit=Unit.SHARE, reason="Share of salary in the money coming in")
def salary_inflow_share(payment):
    """Share of the money received, loans aside, that was salary."""
    salary = total(payment.amount_minor, where=is_salary(payment))
    return ratio(salary, payment.amount_minor.sum(where=is_received(payment)))


@feature(salaries, windows=(LONG, HALF_YEAR), unit=Unit.RATIO, risk=Risk.RISES, reason="Salary of uneven amount")
def salary_amount_variation(salary):
    """Coefficient of variation of the amounts of salary, each rounded down to whole units of money."""
    return variation(salary.amount_minor // MAJOR)


@feature(salaries, windows=(LONG, HALF_YEAR), unit=Unit.SHARE, risk=Risk.FALLS, reason="Salary not a month apart")
def salary_gap_monthly_share(salary):
    """Share of the times between two consecutive salaries that lasted 26 to 33 days."""
    return ratio(salary.count(where=salary.gap_s.between(SHORTEST_S, LONGEST_S)), salary.gap_s.count())


@feature(per_payday, windows=(HALF_YEAR,), unit=Unit.SHARE, reason="Salary on different days of the month")
def salary_monthday_top_share(monthday):
    """Share of salaries that arrived on the day of the month most usual for them."""
    return top_share(monthday.events)


@feature(salaries, windows=STANDARD, unit=Unit.RATIO, risk=Risk.FALLS, reason="Little left when salary arrives")
def salary_left_ratio(salary):
    """Balance held just before salaries arrived over the salaries, of those with a known balance; 0 when overdrawn."""
    is_known = salary.balance_minor.notnull()
    left = salary.balance_minor.sum() - salary.amount_minor.sum(where=is_known)
    return ratio(left.clip(lower=0), salary.amount_minor.sum(where=is_known))


@feature(salaries, unit=Unit.DAYS, risk=Risk.RISES, reason="No recent salary")
def salary_recency(salary):
    """Days since the last salary."""
    return days(salary.age_s.min())


@feature(per_payer, windows=(LONG, HALF_YEAR), unit=Unit.SHARE, reason="Money comes in from one source above all")
def income_source_top_share(payer):
    """Share of the money received, loans aside, that came from the largest source."""
    return top_share(payer.received_minor)
