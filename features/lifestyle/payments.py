"""Lifestyle by payments: money in and out, bills, balance."""

from features.declare import Risk, Unit, feature
from features.expressions import mean, ratio, total
from features.sources import per
from features.tables import payments
from features.windows import LONG, STANDARD


def is_bill(payment):
    """Whether a payment is a utility or television bill that was paid."""
    return payment.payment_type.isin(["utility", "dth"]) & (payment.direction == "out") & (payment.status == "done")


per_bill_month = per(payments, "month", bills=lambda payment: payment.count(where=is_bill(payment)))


@feature(payments, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Payments that failed")
def payment_failed_share(payment):
    """Share of outgoing payments that failed."""
    out = payment.direction == "out"
    return ratio(payment.count(where=out & (payment.status == "failed")), payment.count(where=out))


@feature(payments, windows=STANDARD, unit=Unit.MINOR, risk=Risk.FALLS, reason="Low balance")
def payment_balance_mean(payment):
    """Mean balance after a payment."""
    return mean(payment.balance_minor)


@feature(payments, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="More money going out than coming in")
def payment_outflow_share(payment):
    """Money out over all money moved, out and in."""
    done = payment.status == "done"
    out = total(payment.amount_minor, where=done & (payment.direction == "out"))
    return ratio(out, payment.amount_minor.sum(where=done))


@feature(per_bill_month, windows=(LONG,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Bills not paid every month")
def bill_months_share(month):
    """Share of 30-day months with payments in which a utility or television bill was paid."""
    return ratio(month.bills.count(where=month.bills > 0), month.bills.count())
