"""Lifestyle by payments: how many, when, of what size, with how many others, and how they end."""

from features.declare import Risk, Unit, feature
from features.expressions import entropy, mean, ratio, top_share
from features.sources import per
from features.tables import payments
from features.windows import CLOCK_SPLITS, STANDARD

ROUND_MINOR = 10_000  # a hundred whole units of money, as in ₹100


def is_sent(payment):
    """Whether a payment is money that left."""
    return (payment.direction == "out") & (payment.status == "done")


per_counterparty = per(payments, "counterparty_id", done=lambda payment: payment.count(where=payment.status == "done"))


@feature(payments, windows=STANDARD, splits=CLOCK_SPLITS, unit=Unit.COUNT, reason="Number of payments")
def payment_count(payment):
    """Number of payments, in and out, that went through."""
    return payment.count(where=payment.status == "done")


@feature(payments, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Payments that failed")
def payment_failed_share(payment):
    """Share of outgoing payments that failed."""
    out = payment.direction == "out"
    return ratio(payment.count(where=out & (payment.status == "failed")), payment.count(where=out))


@feature(payments, windows=STANDARD, unit=Unit.SHARE, reason="Payments that were sent back")
def payment_reversed_share(payment):
    """Share of outgoing payments that were reversed."""
    out = payment.direction == "out"
    return ratio(payment.count(where=out & (payment.status == "reversed")), payment.count(where=out))


@feature(payments, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Many payments at night")
def payment_night_share(payment):
    """Share of the payments made that were made at night."""
    return ratio(payment.count(where=is_sent(payment) & payment.is_night), payment.count(where=is_sent(payment)))


@feature(payments, windows=STANDARD, unit=Unit.SHARE, reason="Share of payments made on weekends")
def payment_weekend_share(payment):
    """Share of the payments made that were made on a weekend."""
    return ratio(payment.count(where=is_sent(payment) & payment.is_weekend), payment.count(where=is_sent(payment)))


@feature(payments, windows=STANDARD, unit=Unit.SHARE, reason="Payments of round amounts")
def payment_round_share(payment):
    """Share of the payments made that were of a round amount, whole hundreds of the currency's unit."""
    is_round = payment.amount_minor % ROUND_MINOR == 0
    return ratio(payment.count(where=is_sent(payment) & is_round), payment.count(where=is_sent(payment)))


@feature(payments, windows=STANDARD, unit=Unit.MINOR, reason="Size of payments")
def payment_amount_mean(payment):
    """Mean amount of a payment made."""
    return mean(payment.amount_minor, where=is_sent(payment))


@feature(per_counterparty, windows=STANDARD, unit=Unit.NATS, reason="Spread of payments over people and businesses")
def payment_counterparty_entropy(counterparty):
    """Entropy of payments, in and out, over those on the other side."""
    return entropy(counterparty.done)


@feature(per_counterparty, windows=STANDARD, unit=Unit.SHARE, reason="Payments with one person or business above all")
def payment_counterparty_top_share(counterparty):
    """Share of payments, in and out, with the most frequent other side."""
    return top_share(counterparty.done)
