"""Identity by handset, SIM card and number: how many, how often they change, how long each has been held."""

import ibis

from features.declare import Risk, Unit, feature
from features.expressions import days
from features.sources import linked, per
from features.tables import devices
from features.windows import DAY_S, LONG, SHORT

YEAR = 365

in_turn = linked(devices, "person_id", "device_id", "sim_id", "number_id", "brand", "price_tier", "operator_id")


def held_s(seen):
    """Seconds for which what a row shows was held: until the next row, or until the snapshot."""
    return ibis.coalesce(seen.until_s, seen.age_s).sum()


per_handset = per(
    devices,
    "device_id",
    first_age_s=lambda seen: seen.age_s.max(),
    sims=lambda seen: seen.sim_id.nunique(),
)
per_sim = per(
    devices,
    "sim_id",
    first_age_s=lambda seen: seen.age_s.max(),
    handsets=lambda seen: seen.device_id.nunique(),
)
per_number = per(devices, "number_id", first_age_s=lambda seen: seen.age_s.max())
per_handset_held = per(in_turn, "device_id", held_s=held_s)
per_handset_late = per(
    devices,
    "device_id",
    ranked=("last_seen_s",),
    last_seen_s=lambda seen: seen.event_s.max(),
    first_age_s=lambda seen: seen.age_s.max(),
)
per_sim_late = per(
    devices,
    "sim_id",
    ranked=("last_seen_s",),
    last_seen_s=lambda seen: seen.event_s.max(),
    first_age_s=lambda seen: seen.age_s.max(),
)


@feature(devices, unit=Unit.COUNT, risk=Risk.RISES, reason="Several handsets used")
def handsets_seen(seen):
    """Number of distinct handsets seen."""
    return seen.device_id.nunique()


@feature(devices, unit=Unit.COUNT, risk=Risk.RISES, reason="Several SIM cards used")
def sims_seen(seen):
    """Number of distinct SIM cards seen; null when none is known."""
    return seen.sim_id.nunique().nullif(0)


@feature(devices, unit=Unit.COUNT, risk=Risk.RISES, reason="Several phone numbers used")
def numbers_seen(seen):
    """Number of distinct phone numbers seen; null when none is known."""
    return seen.number_id.nunique().nullif(0)


@feature(per_handset, unit=Unit.DAYS, risk=Risk.FALLS, reason="Handset in use for a short time")
def handset_newest_age(handset):
    """Days since the newest handset was first seen."""
    return days(handset.first_age_s.min())


@feature(per_sim, unit=Unit.DAYS, risk=Risk.FALLS, reason="SIM card in use for a short time")
def sim_newest_age(sim):
    """Days since the newest SIM card was first seen."""
    return days(sim.first_age_s.min())


@feature(per_number, unit=Unit.DAYS, risk=Risk.FALLS, reason="Phone number in use for a short time")
def number_newest_age(number):
    """Days since the newest phone number was first seen."""
    return days(number.first_age_s.min())


@feature(in_turn, windows=(LONG, YEAR), unit=Unit.COUNT, risk=Risk.RISES, reason="Handset changed often")
def handset_changes(seen):
    """Number of changes from one handset to another, a return to an old one included."""
    return seen.count(where=seen.device_id != seen.last_device_id)


@feature(in_turn, windows=(LONG, YEAR), unit=Unit.COUNT, risk=Risk.RISES, reason="SIM card changed often")
def sim_changes(seen):
    """Number of changes from one SIM card to another, a return to an old one included."""
    return seen.count(where=seen.sim_id != seen.last_sim_id)


@feature(in_turn, windows=(LONG, YEAR), unit=Unit.COUNT, risk=Risk.RISES, reason="Phone number changed often")
def number_changes(seen):
    """Number of changes from one phone number to another, a return to an old one included."""
    return seen.count(where=seen.number_id != seen.last_number_id)


@feature(in_turn, windows=(YEAR,), unit=Unit.COUNT, risk=Risk.RISES, reason="SIM cards changed within days")
def sims_in_a_week(seen):
    """Number of changes to a SIM card at most seven days after a row with another: two cards in use in one week."""
    return seen.count(where=(seen.sim_id != seen.last_sim_id) & (seen.since_s <= SHORT * DAY_S))


@feature(per_handset_late, unit=Unit.DAYS, risk=Risk.FALLS, reason="Present handset in use for a short time")
def handset_tenure(handset):
    """Days since the present handset, the one seen last, was first seen."""
    return days(handset.first_age_s.max(where=handset.rank_last_seen_s == 1))


@feature(per_sim_late, unit=Unit.DAYS, risk=Risk.FALLS, reason="Present SIM card in use for a short time")
def sim_tenure(sim):
    """Days since the present SIM card, the one seen last, was first seen."""
    return days(sim.first_age_s.max(where=sim.rank_last_seen_s == 1))


@feature(per_handset_held, unit=Unit.DAYS, risk=Risk.FALLS, reason="No handset held for long")
def handset_longest_held(handset):
    """Days for which the handset held longest was held, spells added up."""
    return days(handset.held_s.max())


@feature(per_sim, unit=Unit.COUNT, risk=Risk.RISES, reason="One SIM card in several handsets")
def handsets_per_sim(sim):
    """Largest number of handsets one SIM card was seen in; null when no SIM card is known."""
    return sim.handsets.max()


@feature(per_handset, unit=Unit.COUNT, risk=Risk.RISES, reason="Several SIM cards in one handset")
def sims_per_handset(handset):
    """Largest number of SIM cards one handset was seen with; null when no SIM card is known."""
    return handset.sims.max().nullif(0)
