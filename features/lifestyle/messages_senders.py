"""Lifestyle by messages: what kinds of senders write, how often, how regularly, how lately. Never the text."""

from features.declare import Risk, Unit, feature
from features.expressions import days, entropy, ratio
from features.sources import only, per
from features.tables import messages
from features.windows import EVERY, HALF_YEAR, MEDIUM


def is_in(message):
    """Whether a message was received."""
    return message.direction == "in"


def received(message, sender_class):
    """Whether a message was received from a sender of this class."""
    return is_in(message) & (message.sender_class == sender_class)


def share_received(message, sender_class):
    """The share of messages received that came from senders of a class."""
    return ratio(message.count(where=received(message, sender_class)), message.count(where=is_in(message)))


per_sender_class = per(only(messages, "received", is_in), "sender_class", events=lambda message: message.count())


@feature(messages, windows=EVERY, unit=Unit.COUNT, risk=Risk.RISES, reason="Many messages from lenders")
def message_lender_count(message):
    """Messages received from senders classed as lenders."""
    return message.count(where=received(message, "lender"))


@feature(messages, windows=EVERY, unit=Unit.COUNT, risk=Risk.FALLS, reason="Few messages from banks")
def message_bank_count(message):
    """Messages received from senders classed as banks."""
    return message.count(where=received(message, "bank"))


@feature(messages, windows=EVERY, unit=Unit.COUNT, risk=Risk.FALLS, reason="Few messages from utilities")
def message_utility_count(message):
    """Messages received from senders classed as utilities."""
    return message.count(where=received(message, "utility"))


@feature(messages, windows=EVERY, unit=Unit.COUNT, reason="Number of one-time passwords received")
def message_otp_count(message):
    """Messages received that carry one-time passwords."""
    return message.count(where=received(message, "otp"))


@feature(messages, windows=EVERY, unit=Unit.COUNT, reason="Number of messages from merchants")
def message_merchant_count(message):
    """Messages received from senders classed as merchants."""
    return message.count(where=received(message, "merchant"))


@feature(messages, windows=EVERY, unit=Unit.COUNT, reason="Number of messages from mobile operators")
def message_operator_count(message):
    """Messages received from senders classed as mobile operators."""
    return message.count(where=received(message, "operator"))


@feature(messages, windows=EVERY, unit=Unit.COUNT, reason="Number of unsolicited messages")
def message_spam_count(message):
    """Messages received from senders classed as spam."""
    return message.count(where=received(message, "spam"))


@feature(messages, windows=EVERY, unit=Unit.SHARE, risk=Risk.RISES, reason="Many messages from lenders")
def message_lender_share(message):
    """Share of messages received that came from lenders."""
    return share_received(message, "lender")


@feature(messages, windows=EVERY, unit=Unit.SHARE, risk=Risk.FALLS, reason="Few messages from banks")
def message_bank_share(message):
    """Share of messages received that came from banks."""
    return share_received(message, "bank")


@feature(messages, windows=EVERY, unit=Unit.SHARE, risk=Risk.FALLS, reason="Few messages from utilities")
def message_utility_share(message):
    """Share of messages received that came from utilities."""
    return share_received(message, "utility")


@feature(messages, windows=EVERY, unit=Unit.SHARE, reason="Share of one-time passwords in messages")
def message_otp_share(message):
    """Share of messages received that carry one-time passwords."""
    return share_received(message, "otp")


@feature(messages, windows=EVERY, unit=Unit.SHARE, reason="Share of messages from merchants")
def message_merchant_share(message):
    """Share of messages received that came from merchants."""
    return share_received(message, "merchant")


@feature(messages, windows=EVERY, unit=Unit.SHARE, reason="Share of messages from mobile operators")
def message_operator_share(message):
    """Share of messages received that came from mobile operators."""
    return share_received(message, "operator")


@feature(messages, windows=EVERY, unit=Unit.SHARE, reason="Share of unsolicited messages")
def message_spam_share(message):
    """Share of messages received that came from senders classed as spam."""
    return share_received(message, "spam")


@feature(per_sender_class, windows=EVERY, unit=Unit.NATS, reason="Variety of those who write")
def message_sender_entropy(sender_class):
    """Entropy of messages received over kinds of senders."""
    return entropy(sender_class.events)


@feature(messages, windows=EVERY, unit=Unit.COUNT, risk=Risk.RISES, reason="Many lenders write")
def message_lenders(message):
    """Number of distinct lenders that wrote."""
    return message.contact_id.nunique(where=received(message, "lender"))


@feature(messages, windows=(HALF_YEAR,), unit=Unit.MONTHS, risk=Risk.FALLS, reason="Months without a bank's message")
def message_bank_months(message):
    """Number of months with a message from a bank."""
    return message.month.nunique(where=received(message, "bank"))


@feature(messages, windows=(HALF_YEAR,), unit=Unit.MONTHS, risk=Risk.FALLS, reason="Months without a utility's message")
def message_utility_months(message):
    """Number of months with a message from a utility."""
    return message.month.nunique(where=received(message, "utility"))


@feature(messages, windows=(120,), unit=Unit.RATIO, risk=Risk.RISES, reason="More messages from lenders than before")
def message_lender_recent_over_base(message):
    """Messages a day from lenders in the last 30 days over those in the 90 days before."""
    lender, is_recent = received(message, "lender"), message.day <= MEDIUM
    return ratio(message.count(where=lender & is_recent) * 3, message.count(where=lender & ~is_recent))


@feature(messages, unit=Unit.DAYS, risk=Risk.RISES, reason="No message from a bank for some time")
def message_bank_recency(message):
    """Time since the last message from a bank."""
    return days(message.age_s.min(where=received(message, "bank")))


@feature(messages, unit=Unit.DAYS, risk=Risk.FALLS, reason="A message from a lender not long ago")
def message_lender_recency(message):
    """Time since the last message from a lender."""
    return days(message.age_s.min(where=received(message, "lender")))
