"""Lifestyle by what is owed and paid: bills month by month, and money from and to lenders."""

from features.declare import Risk, Unit, feature
from features.expressions import ratio, total
from features.sources import per
from features.tables import payments
from features.windows import HALF_YEAR, LONG, STANDARD


def is_bill(payment, *kinds):
    """Whether a payment is a bill of these kinds that was paid."""
    return payment.payment_type.isin(kinds) & (payment.direction == "out") & (payment.status == "done")


def is_loan(payment, direction):
    """Whether a payment is a loan paid out to the applicant ("in") or money repaid to a lender ("out")."""
    return (payment.payment_type == "loan") & (payment.direction == direction) & (payment.status == "done")


def months_share(bills):
    """Share of months with payments in which there was such a bill."""
    return ratio(bills.count(where=bills > 0), bills.count())


per_month = per(
    payments,
    "month",
    bills=lambda payment: payment.count(where=is_bill(payment, "utility", "dth")),
    utilities=lambda payment: payment.count(where=is_bill(payment, "utility")),
    television=lambda payment: payment.count(where=is_bill(payment, "dth")),
    recharges=lambda payment: payment.count(where=is_bill(payment, "recharge")),
)


@feature(per_month, windows=(LONG,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Bills not paid every month")
def bill_months_share(month):
    """Share of 30-day months with payments in which a utility or television bill was paid."""
    return months_share(month.bills)


@feature(
    per_month, windows=(LONG, HALF_YEAR), unit=Unit.SHARE, risk=Risk.FALLS, reason="Utility bills missed in months"
)
def utility_months_share(month):
    """Share of 30-day months with payments in which a utility bill was paid."""
    return months_share(month.utilities)


@feature(per_month, windows=(LONG, HALF_YEAR), unit=Unit.SHARE, reason="Television bills missed in months")
def dth_months_share(month):
    """Share of 30-day months with payments in which a television bill was paid."""
    return months_share(month.television)


@feature(per_month, windows=(LONG, HALF_YEAR), unit=Unit.SHARE, reason="Recharges missed in months")
def recharge_months_share(month):
    """Share of 30-day months with payments in which a recharge was paid for."""
    return months_share(month.recharges)


@feature(payments, windows=STANDARD, unit=Unit.COUNT, risk=Risk.RISES, reason="Dealings with several lenders")
def lender_count(payment):
    """Number of distinct lenders that paid out a loan or were repaid."""
    dealt = is_loan(payment, "in") | is_loan(payment, "out")
    return payment.counterparty_id.nunique(where=dealt)


@feature(payments, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Much of the money coming in was lent")
def lender_inflow_share(payment):
    """Share of all money received that was lent."""
    received = payment.amount_minor.sum(where=(payment.direction == "in") & (payment.status == "done"))
    return ratio(total(payment.amount_minor, where=is_loan(payment, "in")), received)


@feature(payments, windows=STANDARD, unit=Unit.SHARE, reason="Share of money that repays loans")
def lender_outflow_share(payment):
    """Share of all money paid out that went to lenders."""
    paid = payment.amount_minor.sum(where=(payment.direction == "out") & (payment.status == "done"))
    return ratio(total(payment.amount_minor, where=is_loan(payment, "out")), paid)


@feature(payments, windows=STANDARD, unit=Unit.COUNT, risk=Risk.RISES, reason="Payments to lenders that failed")
def lender_failed_count(payment):
    """Number of payments to lenders that failed."""
    repaying = (payment.payment_type == "loan") & (payment.direction == "out")
    return payment.count(where=repaying & (payment.status == "failed"))
