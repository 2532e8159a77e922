"""Lifestyle by the flow of money: how much comes in and goes out, how steadily, what for, and how soon it is spent.

Money is one's own here: loans received and repaid are left out, and measured beside the bills.
"""

from features.declare import Risk, Unit, feature
from features.expressions import ratio, total, variation
from features.sources import linked, only, per
from features.tables import payments
from features.windows import CLOCK_SPLITS, DAY_S, EVERY, HALF_YEAR, LONG, MEDIUM, STANDARD

HOUR_S = 3_600
MAJOR = 100  # minor units in a whole one; squares of whole units stay within 64 bits


def is_received(payment):
    """Whether a payment is money of one's own that came in."""
    return (payment.direction == "in") & (payment.status == "done") & (payment.payment_type != "loan")


def is_spent(payment):
    """Whether a payment is money that went out, not to a lender."""
    return (payment.direction == "out") & (payment.status == "done") & (payment.payment_type != "loan")


def spent_on(payment, *kinds):
    """Share of the money that went out in payments of these kinds."""
    on_these = total(payment.amount_minor, where=is_spent(payment) & payment.payment_type.isin(kinds))
    return ratio(on_these, payment.amount_minor.sum(where=is_spent(payment)))


receipts = only(payments, "received", is_received)
per_month = per(
    payments,
    "month",
    received_major=lambda payment: total(payment.amount_minor, where=is_received(payment)) // MAJOR,
)
# all payments that went through have the same status, so each row's neighbour is the next payment of any kind
moves = linked(payments, "status", "direction", "payment_type", where=lambda payment: payment.status == "done")


@feature(payments, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="More money going out than coming in")
def payment_outflow_share(payment):
    """Money out over all money moved, out and in."""
    done = payment.status == "done"
    out = total(payment.amount_minor, where=done & (payment.direction == "out"))
    return ratio(out, payment.amount_minor.sum(where=done))


@feature(payments, windows=EVERY, unit=Unit.MINOR, risk=Risk.FALLS, reason="Little money coming in")
def payment_inflow(payment):
    """Money received, loans aside."""
    return total(payment.amount_minor, where=is_received(payment))


@feature(payments, windows=STANDARD, splits=CLOCK_SPLITS, unit=Unit.MINOR, reason="Amount of money going out")
def payment_outflow(payment):
    """Money paid out, repayments of loans aside."""
    return total(payment.amount_minor, where=is_spent(payment))


@feature(payments, windows=EVERY, unit=Unit.MINOR, risk=Risk.FALLS, reason="More money going out than coming in")
def payment_net_flow(payment):
    """Money received less money paid out, loans aside on both sides."""
    received = total(payment.amount_minor, where=is_received(payment))
    return received - total(payment.amount_minor, where=is_spent(payment))


@feature(payments, windows=(LONG,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Money coming in is falling off")
def payment_inflow_recent_share(payment):
    """Share of the money received in the window, loans aside, that came in its last 30 days."""
    is_recent = payment.age_s <= MEDIUM * DAY_S
    recent = total(payment.amount_minor, where=is_received(payment) & is_recent)
    return ratio(recent, payment.amount_minor.sum(where=is_received(payment)))


@feature(per_month, windows=(LONG, HALF_YEAR), unit=Unit.RATIO, risk=Risk.RISES, reason="Uneven money coming in")
def payment_inflow_month_variation(month):
    """Coefficient of variation, over 30-day months with payments, of the money received in whole units, loans aside."""
    return variation(month.received_major)


@feature(receipts, windows=(LONG, HALF_YEAR), unit=Unit.RATIO, risk=Risk.RISES, reason="Money comes in irregularly")
def payment_inflow_gap_variation(receipt):
    """Coefficient of variation of the time between receipts of money, loans aside."""
    return variation(receipt.gap_s)


@feature(payments, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Much money taken out in cash")
def payment_cash_out_share(payment):
    """Share of the money that went out, repayments of loans aside, that was taken in cash."""
    return spent_on(payment, "cash")


@feature(payments, windows=STANDARD, unit=Unit.SHARE, reason="Share of money sent to people")
def payment_p2p_out_share(payment):
    """Share of the money that went out, repayments of loans aside, that was sent to people."""
    return spent_on(payment, "p2p")


@feature(payments, windows=STANDARD, unit=Unit.SHARE, reason="Share of money paid to merchants")
def payment_merchant_out_share(payment):
    """Share of the money that went out, repayments of loans aside, that was paid to merchants."""
    return spent_on(payment, "merchant")


@feature(payments, windows=STANDARD, unit=Unit.SHARE, reason="Share of money paid for bills")
def payment_bill_out_share(payment):
    """Share of the money that went out, repayments of loans aside, that paid utilities, television or recharges."""
    return spent_on(payment, "utility", "dth", "recharge")


@feature(moves, windows=(LONG,), unit=Unit.HOURS, risk=Risk.FALLS, reason="Money spent soon after it comes in")
def payment_inflow_spent_delay(move):
    """Median hours from a receipt of money, loans aside, to the payment out that follows it, when that comes next."""
    return move.until_s.median(where=is_received(move) & (move.next_direction == "out")) / HOUR_S


@feature(moves, windows=(LONG,), unit=Unit.SHARE, reason="Money taken out in cash as it comes in")
def payment_inflow_cashed_share(move):
    """Share of receipts of money, loans aside, that were followed by cash taken out before anything else."""
    cashed = is_received(move) & (move.next_direction == "out") & (move.next_payment_type == "cash")
    return ratio(move.count(where=cashed), move.next_direction.count(where=is_received(move)))
