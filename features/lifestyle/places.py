"""Lifestyle by places: how many, how far apart, how regularly."""

from features.declare import Unit, feature
from features.expressions import days, entropy, variance
from features.sources import per
from features.tables import locations
from features.windows import LONG, STANDARD

per_place = per(locations, "cell_id", fixes=lambda fix: fix.count())


@feature(locations, windows=STANDARD, unit=Unit.METRES, reason="How far apart places visited lie")
def radius_of_gyration(fix):
    """Root mean squared distance of the location fixes from their centre (Gonzalez et al. 2008)."""
    return (variance(fix.east_m) + variance(fix.north_m)).sqrt()


@feature(per_place, windows=STANDARD, unit=Unit.NATS, reason="Spread of time over places")
def place_entropy(cell):
    """Entropy of location fixes over cells."""
    return entropy(cell.fixes)


@feature(locations, windows=STANDARD, unit=Unit.COUNT, reason="Number of places visited")
def places_seen(fix):
    """Number of distinct cells."""
    return fix.cell_id.nunique()


@feature(locations, windows=(LONG,), unit=Unit.DAYS, reason="Time since location was last seen")
def location_last_age(fix):
    """Days since the last location fix."""
    return days(fix.age_s.min())
