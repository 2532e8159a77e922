"""Brand loyalty by handset and operator: how often they change, how long they stay, and which way a change goes."""

import ibis

from features.declare import Risk, Unit, feature
from features.expressions import days, ratio, top_share
from features.identity.devices import YEAR, held_s, in_turn
from features.sources import per
from features.tables import devices

TIERS = ("entry", "mid", "upper", "flagship")
LEVELS = 64  # more than any level that `latest` is asked for
HORIZON_S = 2**40  # longer ago than any event

per_handset_brand = per(devices, "brand", first_age_s=lambda seen: seen.age_s.max())
per_operator = per(devices, "operator_id", first_age_s=lambda seen: seen.age_s.max())
per_brand_held = per(in_turn, "brand", held_s=held_s)
per_brand_late = per(
    devices,
    "brand",
    ranked=("last_seen_s",),
    last_seen_s=lambda seen: seen.event_s.max(),
    first_age_s=lambda seen: seen.age_s.max(),
)
per_operator_late = per(
    devices,
    "operator_id",
    ranked=("last_seen_s",),
    last_seen_s=lambda seen: seen.event_s.max(),
    first_age_s=lambda seen: seen.age_s.max(),
)


def tier_level(tier):
    """A price tier as a number from 0, entry, to 3, flagship."""
    return tier.cases(*((name, level) for level, name in enumerate(TIERS)), else_=ibis.null("int64"))


def latest(seen, level):
    """The level that the latest row tells; of several rows in one second, the highest."""
    return ((HORIZON_S - seen.age_s) * LEVELS + level).max() % LEVELS


def is_new_handset(seen):
    """Whether a row shows another handset than the row before."""
    return seen.device_id != seen.last_device_id


def handset_changes(seen):
    """How often the handset changed."""
    return seen.count(where=is_new_handset(seen))


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


@feature(per_brand_late, unit=Unit.DAYS, risk=Risk.FALLS, reason="Present handset brand owned for a short time")
def handset_brand_tenure(brand):
    """Days since the brand of the present handset was first owned."""
    return days(brand.first_age_s.max(where=brand.rank_last_seen_s == 1))


@feature(per_brand_held, unit=Unit.SHARE, risk=Risk.FALLS, reason="Several handset brands in turn")
def handset_brand_held_share(brand):
    """Share of the time since the first row in which the main handset brand was held."""
    return top_share(brand.held_s)


@feature(in_turn, windows=(YEAR,), unit=Unit.COUNT, risk=Risk.RISES, reason="Handset brand changed often")
def handset_brand_changes(seen):
    """Number of changes from one handset brand to another."""
    return seen.count(where=seen.brand != seen.last_brand)


@feature(in_turn, unit=Unit.SHARE, risk=Risk.FALLS, reason="New handsets of other brands")
def handset_brand_repeat_share(seen):
    """Share of changes of handset that stayed with the brand."""
    is_loyal = is_new_handset(seen) & (seen.brand == seen.last_brand)
    return ratio(seen.count(where=is_loyal), handset_changes(seen))


@feature(in_turn, unit=Unit.BALANCE, reason="Direction of handset changes in price")
def handset_upgrade_balance(seen):
    """Changes to a handset of a higher price tier less those to a lower one, over all changes of handset."""
    now, before = tier_level(seen.price_tier), tier_level(seen.last_price_tier)
    higher = seen.count(where=is_new_handset(seen) & (now > before))
    lower = seen.count(where=is_new_handset(seen) & (now < before))
    return ratio(higher - lower, handset_changes(seen))


@feature(devices, unit=Unit.LEVEL, reason="Price tier of the handset")
def handset_price_tier(seen):
    """Price tier of the present handset: 0 entry, 1 mid, 2 upper, 3 flagship."""
    return latest(seen, tier_level(seen.price_tier))


@feature(devices, unit=Unit.LEVEL, risk=Risk.RISES, reason="Operating system out of date")
def handset_os_lag(seen):
    """Major versions by which the handset's operating system was behind the newest, as last told."""
    return latest(seen, seen.os_lag)


@feature(devices, unit=Unit.FLAG, reason="Kind of handset")
def is_smartphone(seen):
    """Whether the present handset is a smartphone: 0 for a feature phone."""
    return latest(seen, (seen.os != "feature").cast("int64"))


@feature(per_operator_late, unit=Unit.DAYS, risk=Risk.FALLS, reason="Present mobile operator used for a short time")
def operator_tenure(operator):
    """Days since the present mobile operator was first used."""
    return days(operator.first_age_s.max(where=operator.rank_last_seen_s == 1))


@feature(in_turn, windows=(YEAR,), unit=Unit.COUNT, risk=Risk.RISES, reason="Mobile operator changed often")
def operator_switches(seen):
    """Number of changes from one mobile operator to another."""
    return seen.count(where=seen.operator_id != seen.last_operator_id)
