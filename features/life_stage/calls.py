"""Life stage by calls: the working week."""

from features.declare import Unit, feature
from features.expressions import ratio
from features.tables import calls
from features.windows import STANDARD


@feature(calls, windows=STANDARD, unit=Unit.SHARE, reason="Share of calls in working hours")
def call_work_share(call):
    """Share of calls between nine and six on weekdays."""
    return ratio(call.count(where=call.is_work_time), call.count())
