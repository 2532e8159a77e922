"""Life stage by money: salary, and the rhythm it gives a month."""

from features.declare import Risk, Unit, feature
from features.expressions import ratio, total
from features.sources import per
from features.tables import payments
from features.windows import LONG, STANDARD


def is_salary(payment):
    """Whether a payment is a salary that arrived."""
    return (payment.payment_type == "salary") & (payment.direction == "in") & (payment.status == "done")


per_month_paid = per(payments, "month", wages=lambda payment: payment.count(where=is_salary(payment)))


@feature(payments, windows=STANDARD, unit=Unit.MINOR, risk=Risk.FALLS, reason="Little salary received")
def salary_received(payment):
    """Salary received."""
    return total(payment.amount_minor, where=is_salary(payment))


@feature(per_month_paid, windows=(LONG,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Salary not received every month")
def salary_months_share(month):
    """Share of 30-day months with payments in which a salary arrived."""
    return ratio(month.wages.count(where=month.wages > 0), month.wages.count())
