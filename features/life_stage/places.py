"""Life stage by places: a place of work, and the way there."""

from features.declare import Risk, Unit, feature
from features.expressions import top_share
from features.sources import per
from features.tables import locations
from features.windows import STANDARD

per_cell_at_work = per(locations, "cell_id", work_fixes=lambda fix: fix.count(where=fix.is_work_time))


@feature(per_cell_at_work, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="No settled place of work")
def workplace_share(cell):
    """Share of working-hours location fixes in the most frequent cell of those hours."""
    return top_share(cell.work_fixes)
