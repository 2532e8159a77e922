"""Brand loyalty by dealings with the handset maker."""

from features.declare import Risk, Unit, feature
from features.expressions import ratio, top_share
from features.sources import per
from features.tables import brand_events

per_brand_dealt = per(brand_events, "brand", events=lambda event: event.count())


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
