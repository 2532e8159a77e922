"""Identity by line: how long it has been topped up."""

from features.declare import Risk, Unit, feature
from features.expressions import days
from features.tables import topups


@feature(topups, unit=Unit.DAYS, risk=Risk.FALLS, reason="Line in use for a short time")
def line_tenure(topup):
    """Days since the first top-up seen."""
    return days(topup.age_s.max())
