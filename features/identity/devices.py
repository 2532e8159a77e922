"""Identity by handset, SIM card and number: how many, and how long each has been seen."""

from features.declare import Risk, Unit, feature
from features.expressions import days
from features.sources import per
from features.tables import devices

per_handset = per(devices, "device_id", first_age_s=lambda seen: seen.age_s.max())
per_sim = per(devices, "sim_id", first_age_s=lambda seen: seen.age_s.max())
per_number = per(devices, "number_id", first_age_s=lambda seen: seen.age_s.max())


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
