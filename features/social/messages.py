"""Social relationships by messages: with how many people, how mutually, who begins, who answers. Metadata only.

Institutions also write; all but the share of messages sent is measured on messages of people. A conversation is a run
of messages with one person less than an hour apart, a turn a run of messages received in a row within a conversation.
"""

from features.declare import Risk, Unit, feature
from features.expressions import entropy, mean, ratio, top_share
from features.sources import linked, only, per
from features.tables import messages
from features.windows import CLOCK_SPLITS, EVERY, STANDARD

STEPS = 2**24
CONVERSATION_GAP_S = 3_600


def is_personal(message):
    """Whether a person wrote it."""
    return message.sender_class == "person"


per_correspondent = per(
    only(messages, "personal", is_personal),
    "contact_id",
    events=lambda message: message.count(),
    outgoing=lambda message: message.count(where=message.direction == "out"),
    incoming=lambda message: message.count(where=message.direction == "in"),
)
message_by_contact = linked(messages, "contact_id", "direction", where=is_personal)


def begins(message):
    """Whether a message begins a conversation."""
    return message.since_s.isnull() | (message.since_s >= CONVERSATION_GAP_S)


def ends_turn(message):
    """Whether a message was received and no other followed it, in the conversation, before an answer."""
    goes_on = (message.next_direction == "in") & (message.until_s < CONVERSATION_GAP_S)
    return (message.direction == "in") & ~goes_on.fill_null(False)


def is_answered(message):
    """Whether a message was received and the next in the conversation was sent."""
    return (message.direction == "in") & (message.next_direction == "out") & (message.until_s < CONVERSATION_GAP_S)


@feature(messages, windows=EVERY, splits=CLOCK_SPLITS, unit=Unit.SHARE, reason="Balance of messages sent and received")
def message_out_share(message):
    """Share of messages that were sent, not received."""
    return ratio(message.count(where=message.direction == "out"), message.count())


@feature(per_correspondent, windows=EVERY, unit=Unit.COUNT, risk=Risk.FALLS, reason="Messages with few people")
def message_contacts(contact):
    """Number of distinct people in messages."""
    return contact.count()


@feature(
    per_correspondent, windows=EVERY, unit=Unit.NATS, risk=Risk.FALLS, reason="Messages concentrated on few people"
)
def message_contacts_entropy(contact):
    """Entropy of personal messages over people."""
    return entropy(contact.events)


@feature(
    per_correspondent, windows=EVERY, unit=Unit.SHARE, risk=Risk.RISES, reason="Messages concentrated on one person"
)
def message_top_contact_share(contact):
    """Share of personal messages with the person written with most."""
    return top_share(contact.events)


@feature(per_correspondent, windows=EVERY, unit=Unit.SHARE, risk=Risk.FALLS, reason="Few messages answered")
def message_reciprocity(contact):
    """Share of people who wrote that were also written to."""
    wrote = contact.incoming > 0
    return ratio(contact.count(where=wrote & (contact.outgoing > 0)), contact.count(where=wrote))


@feature(per_correspondent, windows=EVERY, unit=Unit.RATIO, reason="Number of messages with each person")
def message_contact_events_mean(contact):
    """Mean number of personal messages with a person."""
    return mean(contact.events)


@feature(per_correspondent, windows=EVERY, unit=Unit.SHARE, reason="Balance of messages with each person")
def message_contact_out_share_mean(contact):
    """Balance of contacts: mean over people of the share of the messages with them that were sent."""
    return mean((contact.outgoing * STEPS / contact.events).round().cast("int64")) / STEPS


@feature(message_by_contact, windows=STANDARD, unit=Unit.SHARE, reason="Share of conversations begun")
def message_conversation_out_share(message):
    """Share of conversations in messages that the applicant began."""
    return ratio(
        message.count(where=begins(message) & (message.direction == "out")), message.count(where=begins(message))
    )


@feature(message_by_contact, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Few messages answered soon")
def message_answered_share(message):
    """Share of turns of received messages that were answered within an hour."""
    return ratio(message.count(where=is_answered(message)), message.count(where=ends_turn(message)))


@feature(message_by_contact, windows=STANDARD, unit=Unit.SECONDS, reason="Time taken to answer messages")
def message_response_delay_mean(message):
    """Mean time from the last message of a turn to its answer within the hour."""
    return mean(message.until_s, where=is_answered(message))
