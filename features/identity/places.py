"""Identity by places: whether there is a home, how long, and whether what is known of places can be true."""

from features.declare import Risk, Unit, feature
from features.expressions import days, entropy, ratio, top_share
from features.lifestyle.places_cells import MONTHS, WIDE, at_home, is_home, per_cell, step_m, steps
from features.tables import locations
from features.windows import HALF_YEAR, LONG

FASTEST_M_S = 300
"""No airliner is faster."""
CELL_SLACK_M = 10_000
"""Two fixes moments apart may lie in neighbouring cells, whose centres are some kilometres apart."""


@feature(per_cell, windows=WIDE, unit=Unit.SHARE, risk=Risk.FALLS, reason="No settled home at night")
def home_night_share(cell):
    """Share of night-time location fixes in the most frequent night cell."""
    return top_share(cell.night_fixes)


@feature(per_cell, windows=WIDE, unit=Unit.SHARE, reason="How much time is spent at home")
def home_share(cell):
    """Share of all location fixes in the home cell, the most frequent one at night."""
    return ratio(cell.fixes.sum(where=is_home(cell)), cell.fixes.sum())


@feature(per_cell, windows=WIDE, unit=Unit.NATS, risk=Risk.RISES, reason="Nights spread over several places")
def night_place_entropy(cell):
    """Entropy of night-time location fixes over cells."""
    return entropy(cell.night_fixes)


@feature(per_cell, windows=(HALF_YEAR,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Home not the same over the months")
def home_months_share(cell):
    """Share of the months seen at night in which no cell was more frequent at night than the home of the window."""
    months = [f"night_fixes_month_{month}" for month in MONTHS]
    seen = [cell[month].max() > 0 for month in months]
    kept = [s & (at_home(cell, month) == cell[month].max()) for s, month in zip(seen, months, strict=True)]
    return ratio(sum(k.cast("int64") for k in kept), sum(s.cast("int64") for s in seen))


@feature(per_cell, windows=(HALF_YEAR,), unit=Unit.DAYS, risk=Risk.FALLS, reason="Short time at the present home")
def home_tenure(cell):
    """Days since the first night at home within the window."""
    return at_home(cell, "first_night")


@feature(per_cell, windows=(LONG,), unit=Unit.DAYS, reason="Time away from home of late")
def home_absence(cell):
    """Days from the last location fix at home to the last one anywhere."""
    return days(at_home(cell, "last_age_s") - cell.last_age_s.min())


@feature(locations, windows=(LONG,), unit=Unit.DAYS, risk=Risk.FALLS, reason="Location seen on few days")
def location_days_known(fix):
    """Number of days, counted back from the snapshot, with a location fix."""
    return fix.day.nunique()


@feature(steps, windows=(LONG,), unit=Unit.SHARE, risk=Risk.RISES, reason="Locations too far apart to be travelled")
def location_implausible_share(fix):
    """Share of location fixes that no airliner could have reached from the fix before."""
    too_far = step_m(fix) - CELL_SLACK_M > fix.since_s * FASTEST_M_S
    return ratio(fix.since_s.count(where=too_far), fix.since_s.count())
