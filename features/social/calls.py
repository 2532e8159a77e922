"""Social relationships by calls: how many people, how evenly, how mutually, how steadily. Metadata only."""

from features.declare import Risk, Unit, feature
from features.expressions import entropy, mean, ratio, top_share
from features.sources import per
from features.tables import calls
from features.windows import MEDIUM, STANDARD

per_contact = per(
    calls,
    "contact_id",
    events=lambda call: call.count(),
    outgoing=lambda call: call.count(where=call.direction == "out"),
    incoming=lambda call: call.count(where=call.direction == "in"),
    first_day=lambda call: call.day.max(),
)
per_day_contacts = per(calls, "day", contacts=lambda call: call.contact_id.nunique())


@feature(per_contact, windows=STANDARD, unit=Unit.COUNT, risk=Risk.FALLS, reason="Calls with few people")
def call_contacts(contact):
    """Number of distinct people in calls."""
    return contact.count()


@feature(per_contact, windows=STANDARD, unit=Unit.NATS, risk=Risk.FALLS, reason="Calls concentrated on few people")
def call_contacts_entropy(contact):
    """Entropy of calls over people."""
    return entropy(contact.events)


@feature(per_contact, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Calls concentrated on one person")
def call_top_contact_share(contact):
    """Share of calls with the person called most."""
    return top_share(contact.events)


@feature(per_contact, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Few people with calls both ways")
def call_reciprocity(contact):
    """Share of people in calls with whom calls went both ways."""
    return ratio(contact.count(where=(contact.outgoing > 0) & (contact.incoming > 0)), contact.count())


@feature(per_contact, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Few close contacts")
def call_strong_tie_share(contact):
    """Share of people in calls with at least five calls."""
    return ratio(contact.count(where=contact.events >= 5), contact.count())


@feature(per_contact, windows=(120,), unit=Unit.SHARE, risk=Risk.RISES, reason="Many new contacts")
def call_new_contact_share(contact):
    """Share of people in calls who first appeared in the last 30 days of the window."""
    return ratio(contact.count(where=contact.first_day <= MEDIUM), contact.count())


@feature(per_day_contacts, windows=STANDARD, unit=Unit.COUNT, reason="Number of people in calls on a day")
def call_contacts_daily_mean(day):
    """Mean number of distinct people in calls on a day with calls."""
    return mean(day.contacts)


@feature(calls, windows=STANDARD, unit=Unit.SHARE, reason="Balance of calls made and received")
def call_out_share(call):
    """Share of calls that were made, not received."""
    return ratio(call.count(where=call.direction == "out"), call.count())


@feature(calls, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Many incoming calls left unanswered")
def call_missed_share(call):
    """Share of incoming calls that were not answered."""
    into = call.direction == "in"
    return ratio(call.count(where=into & ~call.is_answered), call.count(where=into))
