"""Brand loyalty by merchants: paying the same ones again."""

from features.declare import Risk, Unit, feature
from features.expressions import ratio, top_share
from features.sources import per
from features.tables import payments
from features.windows import LONG, STANDARD


def is_purchase(payment):
    """Whether a payment is money that reached a merchant."""
    return (payment.payment_type == "merchant") & (payment.direction == "out") & (payment.status == "done")


per_merchant = per(
    payments,
    "counterparty_id",
    events=lambda payment: payment.count(where=is_purchase(payment)),
)


@feature(per_merchant, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Payments spread over merchants")
def merchant_top_share(merchant):
    """Share of merchant payments at the favourite merchant."""
    return top_share(merchant.events)


@feature(per_merchant, windows=(LONG,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Few merchants paid more than once")
def merchant_repeat_share(merchant):
    """Share of merchants paid more than once."""
    return ratio(merchant.events.count(where=merchant.events > 1), merchant.events.count(where=merchant.events > 0))
