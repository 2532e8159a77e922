"""Identity by home: how settled the nights are."""

from features.declare import Risk, Unit, feature
from features.expressions import top_share
from features.sources import per
from features.tables import locations
from features.windows import LONG, STANDARD

per_cell_at_night = per(locations, "cell_id", night_fixes=lambda fix: fix.count(where=fix.is_night))


@feature(per_cell_at_night, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="No settled home at night")
def home_night_share(cell):
    """Share of night-time location fixes in the most frequent night cell."""
    return top_share(cell.night_fixes)


@feature(locations, windows=(LONG,), unit=Unit.DAYS, risk=Risk.FALLS, reason="Location seen on few days")
def location_days_known(fix):
    """Number of days, counted back from the snapshot, with a location fix."""
    return fix.day.nunique()
