"""Identity by payment account: how long it has been in use."""

from features.declare import Risk, Unit, feature
from features.expressions import days
from features.tables import payments


@feature(payments, unit=Unit.DAYS, risk=Risk.FALLS, reason="Payment account in use for a short time")
def wallet_tenure(payment):
    """Days since the first payment seen."""
    return days(payment.age_s.max())
