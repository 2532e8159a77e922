"""Life stage by places: a place of work, the way there, and where the rest of the time goes."""

import ibis

from features.declare import Risk, Unit, feature
from features.expressions import entropy, ratio, top_share
from features.lifestyle.places_cells import (
    WIDE,
    at_home,
    at_work,
    distance,
    is_home,
    is_top,
    per_cell,
    per_local_day,
    steps,
)
from features.windows import STANDARD


@feature(per_cell, windows=WIDE, unit=Unit.SHARE, risk=Risk.FALLS, reason="No settled place of work")
def workplace_share(cell):
    """Share of working-hours location fixes in the most frequent cell of those hours."""
    return top_share(cell.work_fixes)


@feature(per_cell, windows=WIDE, unit=Unit.NATS, reason="Working hours spread over places")
def work_place_entropy(cell):
    """Entropy of working-hours location fixes over cells."""
    return entropy(cell.work_fixes)


@feature(per_cell, windows=WIDE, unit=Unit.FLAG, reason="Whether working hours are spent away from home")
def has_workplace(cell):
    """Whether the most frequent cell of working hours is another than home."""
    away = cell.count(where=is_top(cell, "work_fixes") & ~is_home(cell))
    is_known = (cell.night_fixes.max() > 0) & (cell.work_fixes.max() > 0)
    return ibis.ifelse(is_known, away, ibis.null("int64"))


@feature(per_cell, windows=WIDE, unit=Unit.METRES, reason="Distance between home and work")
def home_work_distance(cell):
    """Distance between home and work, the most frequent cell of working hours, home aside."""
    east_m, north_m = (at_work(cell, axis) - at_home(cell, axis) for axis in ("east_m", "north_m"))
    return distance(east_m, north_m)


@feature(per_cell, windows=WIDE, unit=Unit.SHARE, reason="Working hours spent at home")
def work_home_share(cell):
    """Share of working-hours location fixes at home."""
    return ratio(cell.work_fixes.sum(where=is_home(cell)), cell.work_fixes.sum())


@feature(per_cell, windows=WIDE, unit=Unit.DAYS, risk=Risk.FALLS, reason="Few days at a place of work")
def workplace_days(cell):
    """Number of working days with a fix at work, the most frequent cell of working hours, home aside."""
    return at_work(cell, "work_days")


@feature(per_cell, windows=WIDE, unit=Unit.SHARE, reason="Weekends spent away from home")
def weekend_away_share(cell):
    """Share of weekend location fixes away from home."""
    return 1 - ratio(cell.weekend_fixes.sum(where=is_home(cell)), cell.weekend_fixes.sum())


@feature(per_local_day, windows=STANDARD, unit=Unit.SHARE, reason="Regularity of the way to work")
def commute_days_share(day):
    """Share of days with fixes both within and outside working hours that were spent in more than one cell."""
    is_told = (day.work_fixes > 0) & (day.work_fixes < day.fixes)
    return ratio(day.count(where=is_told & (day.cells > 1)), day.count(where=is_told))


@feature(steps, windows=STANDARD, unit=Unit.SHARE, reason="Moving about at night on weekdays")
def night_move_share(fix):
    """Share of the weekday changes of cell that were seen at night."""
    moved = (fix.cell_id != fix.last_cell_id) & ~fix.is_weekend
    return ratio(fix.count(where=moved & fix.is_night), fix.count(where=moved))
