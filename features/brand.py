"""Brand loyalty: staying with a handset maker, an operator, a retailer, a merchant."""

from features.declare import Risk, Unit, feature, per
from features.expressions import concentration, days, ratio, top_share
from features.tables import brand_events, devices, payments, topups
from features.windows import LONG, STANDARD


def is_purchase(payment):
    """Whether a payment is money that reached a merchant."""
    return (payment.payment_type == "merchant") & (payment.direction == "out") & (payment.status == "done")


per_handset_brand = per(devices, "brand", first_age_s=lambda seen: seen.age_s.max())
per_operator = per(devices, "operator_id", first_age_s=lambda seen: seen.age_s.max())
per_retailer = per(topups, "retailer_id", events=lambda topup: topup.count())
per_bundle = per(topups, "bundle", events=lambda topup: topup.count())
per_merchant = per(
    payments,
    "counterparty_id",
    events=lambda payment: payment.count(where=is_purchase(payment)),
)
per_brand_dealt = per(brand_events, "brand", events=lambda event: event.count())


@feature(per_handset_brand, unit=Unit.COUNT, risk=Risk.RISES, reason="Several handset brands")
def handset_brands(brand):
    """Number of handset brands owned."""
    return brand.count()


@feature(per_handset_brand, unit=Unit.DAYS, risk=Risk.FALLS, reason="Handset brand changed recently")
def handset_brand_newest_age(brand):
    """Days since the newest handset brand was first owned."""
    return days(brand.first_age_s.min())


@feature(per_operator, unit=Unit.DAYS, risk=Risk.FALLS, reason="Mobile operator changed recently")
def operator_newest_age(operator):
    """Days since the newest mobile operator was first used."""
    return days(operator.first_age_s.min())


@feature(per_operator, unit=Unit.COUNT, risk=Risk.RISES, reason="Several mobile operators")
def operators_seen(operator):
    """Number of mobile operators used; null when none is known."""
    return operator.count().nullif(0)


@feature(brand_events, unit=Unit.COUNT, risk=Risk.FALLS, reason="Few dealings with the handset maker")
def brand_dealings(event):
    """Number of dealings with handset makers: purchases, upgrades, accessories, services, loyalty, support."""
    return event.count()


@feature(per_brand_dealt, unit=Unit.SHARE, risk=Risk.FALLS, reason="Dealings spread over brands")
def brand_top_share(brand):
    """Share of dealings with the brand dealt with most."""
    return top_share(brand.events)


@feature(brand_events, unit=Unit.SHARE, risk=Risk.FALLS, reason="Little use of loyalty offers")
def brand_loyalty_share(event):
    """Share of dealings that were loyalty actions, services or accessories."""
    return ratio(event.count(where=event.event_type.isin(["loyalty", "service", "accessory"])), event.count())


@feature(per_retailer, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Top-ups bought in many places")
def topup_retailer_top_share(retailer):
    """Share of top-ups bought from the favourite retailer."""
    return top_share(retailer.events)


@feature(per_bundle, windows=(LONG,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Kind of bundle changes often")
def topup_bundle_concentration(bundle):
    """Herfindahl index of top-ups over kinds of bundle."""
    return concentration(bundle.events)


@feature(per_merchant, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Payments spread over merchants")
def merchant_top_share(merchant):
    """Share of merchant payments at the favourite merchant."""
    return top_share(merchant.events)


@feature(per_merchant, windows=(LONG,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Few merchants paid more than once")
def merchant_repeat_share(merchant):
    """Share of merchants paid more than once."""
    return ratio(merchant.events.count(where=merchant.events > 1), merchant.events.count(where=merchant.events > 0))
