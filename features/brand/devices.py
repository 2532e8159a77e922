"""Brand loyalty by handset and operator: how often they change, how long they stay."""

from features.declare import Risk, Unit, feature
from features.expressions import days
from features.sources import per
from features.tables import devices

per_handset_brand = per(devices, "brand", first_age_s=lambda seen: seen.age_s.max())
per_operator = per(devices, "operator_id", first_age_s=lambda seen: seen.age_s.max())


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
