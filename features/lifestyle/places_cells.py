"""Location fixes as cells, steps and days, and which cell is home and which is work: what features by places share.

Home is the cell with most fixes at night, work the cell with most fixes in working hours, home aside, both within the
window that is measured. Who was never seen at night has no home, and what is measured from home is then missing.
"""

import ibis

from features.sources import linked, per
from features.tables import locations
from features.windows import HALF_YEAR, MEDIUM, STANDARD

WIDE = (*STANDARD, HALF_YEAR)
"""Fixes are few: what needs many of them is measured over half a year as well."""
MONTHS = range(1, HALF_YEAR // MEDIUM + 1)


def is_free_time(fix):
    """Whether a fix falls neither in the night nor in working hours."""
    return ~fix.is_night & ~fix.is_work_time


def night_of_month(month):
    """The measure that counts the night fixes of one month."""
    return lambda fix: fix.count(where=fix.is_night & (fix.month == month))


per_cell = per(
    locations,
    "cell_id",
    ranked=("fixes", "night_fixes", "work_fixes"),
    ties=("fixes", "night_fixes", "work_fixes", "east_m", "north_m"),
    fixes=lambda fix: fix.count(),
    night_fixes=lambda fix: fix.count(where=fix.is_night),
    work_fixes=lambda fix: fix.count(where=fix.is_work_time),
    free_fixes=lambda fix: fix.count(where=is_free_time(fix)),
    weekend_fixes=lambda fix: fix.count(where=fix.is_weekend),
    work_days=lambda fix: fix.local_day.nunique(where=fix.is_work_time),
    first_day=lambda fix: fix.day.max(),
    last_day=lambda fix: fix.day.min(),
    first_night=lambda fix: fix.day.max(where=fix.is_night),
    last_age_s=lambda fix: fix.age_s.min(),
    east_m=lambda fix: fix.east_m.max(),
    north_m=lambda fix: fix.north_m.max(),
    east_total=lambda fix: fix.east_m.sum(),
    north_total=lambda fix: fix.north_m.sum(),
    squares=lambda fix: (fix.east_m * fix.east_m + fix.north_m * fix.north_m).sum(),
    **{f"night_fixes_month_{month}": night_of_month(month) for month in MONTHS},
)
per_local_day = per(
    locations,
    "local_day",
    fixes=lambda fix: fix.count(),
    work_fixes=lambda fix: fix.count(where=fix.is_work_time),
    cells=lambda fix: fix.cell_id.nunique(),
    east_low=lambda fix: fix.east_m.min(),
    east_high=lambda fix: fix.east_m.max(),
    north_low=lambda fix: fix.north_m.min(),
    north_high=lambda fix: fix.north_m.max(),
)
steps = linked(locations, "person_id", "cell_id", "east_m", "north_m")
"""Fixes told about the one before (all are of one person); a step belongs to the window in which it ends."""


def distance(east_m, north_m):
    """The whole metres between two points so far apart, so that sums of distances are exact."""
    return (east_m * east_m + north_m * north_m).cast("float64").sqrt().round().cast("int64")


def step_m(fix):
    """The distance from the fix before; null for the first."""
    return distance(fix.east_m - fix.last_east_m, fix.north_m - fix.last_north_m)


def is_top(cell, measure):
    """Whether a cell has most of a measure, and any of it at all."""
    return (cell[f"rank_{measure}"] == 1) & (cell[measure] > 0)


def is_home(cell):
    """Whether a cell is home."""
    return is_top(cell, "night_fixes")


def at_home(cell, column):
    """A column's value at home."""
    return cell[column].max(where=is_home(cell))


def at_work(cell, column):
    """A column's value at work: of the first cell in working hours, or of the second where the first is home."""
    seen = (cell.work_fixes > 0) & ~is_home(cell)
    values = [cell[column].max(where=seen & (cell.rank_work_fixes == rank)) for rank in (1, 2)]
    return ibis.coalesce(*values)
