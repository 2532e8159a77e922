"""Social relationships by money exchanged between people."""

from features.declare import Risk, Unit, feature
from features.tables import payments
from features.windows import STANDARD


@feature(payments, windows=STANDARD, unit=Unit.COUNT, risk=Risk.FALLS, reason="Money exchanged with few people")
def payment_people(payment):
    """Number of distinct people money was exchanged with."""
    return payment.counterparty_id.nunique(where=(payment.payment_type == "p2p") & (payment.status == "done"))
