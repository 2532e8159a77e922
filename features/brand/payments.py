"""Brand loyalty by merchants: paying the same ones again, and for how long."""

from features.declare import Risk, Unit, feature
from features.expressions import concentration, days, entropy, ratio, top_share
from features.sources import per
from features.tables import payments
from features.windows import HALF_YEAR, LONG, STANDARD


def is_purchase(payment):
    """Whether a payment is money that reached a merchant."""
    return (payment.payment_type == "merchant") & (payment.direction == "out") & (payment.status == "done")


per_merchant = per(
    payments,
    "counterparty_id",
    purchases=lambda payment: payment.count(where=is_purchase(payment)),
    first_purchase_s=lambda payment: payment.age_s.max(where=is_purchase(payment)),
    last_purchase_s=lambda payment: payment.age_s.min(where=is_purchase(payment)),
)


@feature(payments, windows=STANDARD, unit=Unit.COUNT, reason="Number of merchants paid")
def merchant_count(payment):
    """Number of distinct merchants paid."""
    return payment.counterparty_id.nunique(where=is_purchase(payment))


@feature(per_merchant, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Payments spread over merchants")
def merchant_top_share(merchant):
    """Share of merchant payments at the favourite merchant."""
    return top_share(merchant.purchases)


@feature(per_merchant, windows=(LONG,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Few merchants paid more than once")
def merchant_repeat_share(merchant):
    """Share of merchants paid more than once."""
    return ratio(merchant.count(where=merchant.purchases > 1), merchant.count(where=merchant.purchases > 0))


@feature(per_merchant, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Few payments to familiar merchants")
def merchant_return_share(merchant):
    """Share of merchant payments that went to a merchant paid earlier in the window."""
    paid, first_time = merchant.purchases.sum(), merchant.count(where=merchant.purchases > 0)
    return ratio(paid - first_time, paid)


@feature(per_merchant, windows=STANDARD, unit=Unit.NATS, reason="Spread of payments over merchants")
def merchant_entropy(merchant):
    """Entropy of merchant payments over merchants."""
    return entropy(merchant.purchases)


@feature(per_merchant, windows=(LONG,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Payments spread over merchants")
def merchant_concentration(merchant):
    """Herfindahl index of merchant payments over merchants."""
    return concentration(merchant.purchases)


@feature(per_merchant, windows=(LONG, HALF_YEAR), unit=Unit.DAYS, risk=Risk.FALLS, reason="Merchants change often")
def merchant_tenure_mean(merchant):
    """Mean days from the first to the last payment, over the merchants paid more than once."""
    span_s = merchant.first_purchase_s - merchant.last_purchase_s
    again = merchant.purchases > 1
    return days(ratio(span_s.sum(where=again), merchant.count(where=again)))
