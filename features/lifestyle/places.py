"""Lifestyle by places: how many, how often each, how far apart, and how much the hour tells of the place."""

import ibis

from features.declare import Unit, feature
from features.expressions import days, entropy, ratio, top_share, total, variance
from features.lifestyle.places_cells import WIDE, at_home, distance, per_cell
from features.tables import locations
from features.windows import EVERY, HALF_YEAR, LONG, MEDIUM, WEEKPART


@feature(locations, windows=EVERY, splits=(WEEKPART,), unit=Unit.METRES, reason="How far apart places visited lie")
def radius_of_gyration(fix):
    """Root mean squared distance of the location fixes from their centre (Gonzalez et al. 2008)."""
    return (variance(fix.east_m) + variance(fix.north_m)).sqrt()


@feature(locations, windows=EVERY, splits=(WEEKPART,), unit=Unit.METRES, reason="How far apart places visited lie")
def places_extent(fix):
    """Diagonal of the smallest rectangle, along east and north, that holds all location fixes."""
    return distance(fix.east_m.max() - fix.east_m.min(), fix.north_m.max() - fix.north_m.min())


@feature(per_cell, windows=WIDE, unit=Unit.METRES, reason="How far apart the main places lie")
def radius_of_gyration_top2(cell):
    """Radius of gyration of the fixes in the two most frequent cells alone (Pappalardo et al. 2015)."""
    first, second = (total(cell.fixes, where=cell.rank_fixes == rank) for rank in (1, 2))
    tops = [[axis.max(where=cell.rank_fixes == rank) for rank in (1, 2)] for axis in (cell.east_m, cell.north_m)]
    apart = ibis.coalesce(distance(*(one - other for one, other in tops)), 0)
    return ratio(apart * (first * second).cast("float64").sqrt(), first + second)


@feature(per_cell, windows=WIDE, unit=Unit.METRES, reason="How far from home places visited lie")
def home_radius(cell):
    """Root mean squared distance of the location fixes from home."""
    centre = [ratio(sums.sum(), cell.fixes.sum()) for sums in (cell.east_total, cell.north_total)]
    home = [at_home(cell, axis).cast("float64") for axis in ("east_m", "north_m")]
    spread = (ratio(cell.squares.sum(), cell.fixes.sum()) - sum(c * c for c in centre)).clip(lower=0.0)
    return (spread + sum((c - h) * (c - h) for c, h in zip(centre, home, strict=True))).sqrt()


@feature(per_cell, windows=WIDE, unit=Unit.NATS, reason="Spread of time over places")
def place_entropy(cell):
    """Entropy of location fixes over cells."""
    return entropy(cell.fixes)


@feature(per_cell, windows=WIDE, unit=Unit.SHARE, reason="Evenness of time over places")
def place_evenness(cell):
    """Entropy of location fixes over cells, as a share of what equal use of these cells would give (Pielou 1966)."""
    return ratio(entropy(cell.fixes), cell.count().nullif(0).cast("float64").ln()).clip(lower=0.0, upper=1.0)


@feature(per_cell, windows=WIDE, unit=Unit.COUNT, reason="Number of places visited")
def places_seen(cell):
    """Number of distinct cells."""
    return cell.count()


@feature(per_cell, windows=WIDE, unit=Unit.SHARE, reason="Share of time in the most frequent place")
def place_top_share(cell):
    """Share of location fixes in the most frequent cell."""
    return top_share(cell.fixes)


@feature(per_cell, windows=WIDE, unit=Unit.SHARE, reason="Share of time in the three most frequent places")
def place_top3_share(cell):
    """Share of location fixes in the three most frequent cells."""
    return ratio(cell.fixes.sum(where=cell.rank_fixes <= 3), cell.fixes.sum())


@feature(per_cell, windows=WIDE, unit=Unit.COUNT, reason="Number of places that make up most of the time")
def frequent_places(cell):
    """Number of most frequent cells that together hold 80 % of the location fixes."""
    return cell.count(where=cell.before_fixes * 5 < cell.whole_fixes * 4)


@feature(per_cell, windows=WIDE, unit=Unit.SHARE, reason="Places visited only once")
def place_once_share(cell):
    """Share of cells with a single location fix."""
    return ratio(cell.count(where=cell.fixes == 1), cell.count())


@feature(per_cell, windows=(HALF_YEAR,), unit=Unit.SHARE, reason="New places visited of late")
def place_new_share(cell):
    """Share of cells that first appeared in the last 30 days of the window."""
    return ratio(cell.count(where=cell.first_day <= MEDIUM), cell.count())


@feature(per_cell, windows=(HALF_YEAR,), unit=Unit.SHARE, reason="Places no longer visited")
def place_lost_share(cell):
    """Share of the cells seen before the last 30 days of the window that were not seen in them."""
    return ratio(cell.count(where=cell.last_day > MEDIUM), cell.count(where=cell.first_day > MEDIUM))


@feature(per_cell, windows=(LONG, HALF_YEAR), unit=Unit.SHARE, reason="How much the hour tells of the place")
def place_routine_share(cell):
    """Share of the entropy over cells that is gone once night, working hours and free time are told apart."""
    parts = (cell.night_fixes, cell.work_fixes, cell.free_fixes)
    left = sum(ibis.coalesce(part.sum() * entropy(part), 0.0) for part in parts)
    known = 1 - ratio(left, cell.fixes.sum() * entropy(cell.fixes))
    return ibis.ifelse(cell.count() > 1, known.clip(lower=0.0, upper=1.0), ibis.null("float64"))


@feature(per_cell, windows=(LONG, HALF_YEAR), unit=Unit.SHARE, reason="Weekends spent where weekdays are")
def place_weekend_similarity(cell):
    """Cosine of the weekday fixes by cell with the weekend fixes by cell: 1 when shares are the same, 0 when apart."""
    weekday, weekend = cell.fixes - cell.weekend_fixes, cell.weekend_fixes
    lengths = [(part * part).sum().cast("float64").sqrt() for part in (weekday, weekend)]
    return ratio((weekday * weekend).sum(), lengths[0] * lengths[1]).clip(lower=0.0, upper=1.0)


@feature(locations, windows=(LONG,), unit=Unit.DAYS, reason="Time since location was last seen")
def location_last_age(fix):
    """Days since the last location fix."""
    return days(fix.age_s.min())
