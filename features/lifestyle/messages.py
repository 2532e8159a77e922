"""Lifestyle by messages: how many, from whom, when. Metadata only."""

from features.declare import Risk, Unit, feature
from features.tables import messages
from features.windows import STANDARD


@feature(messages, windows=STANDARD, unit=Unit.COUNT, risk=Risk.RISES, reason="Many messages from lenders")
def message_lender_count(message):
    """Messages received from senders classed as lenders."""
    return message.count(where=(message.direction == "in") & (message.sender_class == "lender"))
