"""Brand loyalty by dealings with the handset maker."""

from features.declare import Risk, Unit, feature
from features.expressions import days, ratio, top_share, total
from features.sources import linked, per
from features.tables import brand_events

YEAR = 365

per_brand_dealt = per(brand_events, "brand", events=lambda event: event.count())
bought_in_turn = linked(
    brand_events, "person_id", "brand", where=lambda event: event.event_type.isin(["purchase", "upgrade"])
)


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


@feature(brand_events, unit=Unit.DAYS, risk=Risk.RISES, reason="No recent dealing with a handset maker")
def brand_last_dealing_age(event):
    """Days since the last dealing with a handset maker."""
    return days(event.age_s.min())


@feature(brand_events, windows=(YEAR,), unit=Unit.MINOR, risk=Risk.FALLS, reason="Little spent with handset makers")
def brand_spend(event):
    """Money spent with handset makers."""
    return total(event.amount_minor)


@feature(brand_events, unit=Unit.COUNT, risk=Risk.FALLS, reason="Few kinds of dealing with handset makers")
def brand_dealing_kinds(event):
    """Number of kinds of dealing with handset makers, out of six."""
    return event.event_type.nunique()


@feature(brand_events, unit=Unit.SHARE, reason="Share of dealings that asked for support")
def brand_support_share(event):
    """Share of dealings that asked for support."""
    return ratio(event.count(where=event.event_type == "support"), event.count())


@feature(bought_in_turn, unit=Unit.SHARE, risk=Risk.FALLS, reason="Purchases moving between brands")
def brand_repurchase_share(event):
    """Share of purchases and upgrades after the first that stayed with the brand of the one before."""
    return ratio(event.count(where=event.brand == event.last_brand), event.last_brand.count())
