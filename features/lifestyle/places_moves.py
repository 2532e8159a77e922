"""Lifestyle by moves between places: how far, how often, and how much of it on a day."""

from features.declare import Unit, feature
from features.expressions import mean, ratio, total
from features.lifestyle.places_cells import distance, per_local_day, step_m, steps
from features.windows import DAY_S, STANDARD


@feature(steps, windows=STANDARD, unit=Unit.METRES, reason="How far moves between places go")
def jump_mean(fix):
    """Mean distance between consecutive location fixes."""
    return mean(step_m(fix))


@feature(steps, windows=STANDARD, unit=Unit.METRES, reason="How far moves between places go")
def jump_longest(fix):
    """Longest distance between consecutive location fixes."""
    return step_m(fix).max()


@feature(steps, windows=STANDARD, unit=Unit.METRES, reason="Distance travelled between places")
def distance_travelled(fix):
    """Sum of the distances between consecutive location fixes."""
    return step_m(fix).sum()


@feature(steps, windows=STANDARD, unit=Unit.SHARE, reason="How often places change")
def place_change_share(fix):
    """Share of consecutive location fixes that lie in different cells."""
    return ratio(fix.count(where=fix.cell_id != fix.last_cell_id), fix.last_cell_id.count())


@feature(steps, windows=STANDARD, unit=Unit.SHARE, reason="Time spent in one place")
def still_time_share(fix):
    """Share of the time between consecutive fixes, at most a day apart, that lies between fixes in the same cell."""
    is_near = fix.since_s <= DAY_S
    is_still = is_near & (fix.cell_id == fix.last_cell_id)
    return ratio(total(fix.since_s, where=is_still), fix.since_s.sum(where=is_near))


@feature(per_local_day, windows=STANDARD, unit=Unit.COUNT, reason="Number of places visited on a day")
def day_places_mean(day):
    """Mean number of distinct cells on a calendar day with a location fix."""
    return mean(day.cells)


@feature(per_local_day, windows=STANDARD, unit=Unit.METRES, reason="How far a day's places lie apart")
def day_range_mean(day):
    """Mean over calendar days of the diagonal of the smallest rectangle that holds the day's location fixes."""
    return mean(distance(day.east_high - day.east_low, day.north_high - day.north_low))
