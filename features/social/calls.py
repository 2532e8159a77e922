"""Social relationships by calls: how many people, how mutually, who calls, answers, calls back. Metadata only."""

from features.declare import Risk, Unit, feature
from features.expressions import entropy, mean, ratio, top_share
from features.sources import linked, per
from features.tables import calls
from features.windows import CLOCK_SPLITS, DAY_S, EVERY, STANDARD, WEEKPART

per_contact = per(
    calls,
    "contact_id",
    events=lambda call: call.count(),
    outgoing=lambda call: call.count(where=call.direction == "out"),
    incoming=lambda call: call.count(where=call.direction == "in"),
)
per_day_contacts = per(calls, "day", contacts=lambda call: call.contact_id.nunique())
call_by_contact = linked(calls, "contact_id", "direction")


def missed(call):
    """Whether a call came in and was not answered."""
    return (call.direction == "in") & ~call.is_answered


def returned(call):
    """Whether a missed call was followed, as the next call with that person and within a day, by an outgoing one."""
    return missed(call) & (call.next_direction == "out") & (call.until_s <= DAY_S)


def both_ways(contact):
    """Whether calls with a person went both ways."""
    return (contact.outgoing > 0) & (contact.incoming > 0)


@feature(
    per_contact,
    windows=STANDARD,
    splits=(WEEKPART,),
    unit=Unit.COUNT,
    risk=Risk.FALLS,
    reason="Calls with few people",
)
def call_contacts(contact):
    """Number of distinct people in calls."""
    return contact.count()


@feature(per_contact, windows=EVERY, unit=Unit.COUNT, risk=Risk.FALLS, reason="Calls from few people")
def call_in_contacts(contact):
    """Number of distinct people who called."""
    return contact.count(where=contact.incoming > 0)


@feature(per_contact, windows=EVERY, unit=Unit.COUNT, risk=Risk.FALLS, reason="Calls to few people")
def call_out_contacts(contact):
    """Number of distinct people who were called."""
    return contact.count(where=contact.outgoing > 0)


@feature(
    per_contact,
    windows=STANDARD,
    splits=(WEEKPART,),
    unit=Unit.NATS,
    risk=Risk.FALLS,
    reason="Calls concentrated on few people",
)
def call_contacts_entropy(contact):
    """Entropy of calls over people."""
    return entropy(contact.events)


@feature(
    per_contact,
    windows=STANDARD,
    splits=(WEEKPART,),
    unit=Unit.SHARE,
    risk=Risk.RISES,
    reason="Calls concentrated on one person",
)
def call_top_contact_share(contact):
    """Share of calls with the person called most."""
    return top_share(contact.events)


@feature(per_contact, windows=EVERY, unit=Unit.SHARE, risk=Risk.FALLS, reason="Few people with calls both ways")
def call_reciprocity(contact):
    """Share of people in calls with whom calls went both ways."""
    return ratio(contact.count(where=both_ways(contact)), contact.count())


@feature(per_day_contacts, windows=EVERY, unit=Unit.COUNT, reason="Number of people in calls on a day")
def call_contacts_daily_mean(day):
    """Mean number of distinct people in calls on a day with calls."""
    return mean(day.contacts)


@feature(calls, windows=EVERY, splits=CLOCK_SPLITS, unit=Unit.SHARE, reason="Balance of calls made and received")
def call_out_share(call):
    """Share of calls that were made, not received."""
    return ratio(call.count(where=call.direction == "out"), call.count())


@feature(
    calls,
    windows=EVERY,
    splits=CLOCK_SPLITS,
    unit=Unit.SHARE,
    risk=Risk.RISES,
    reason="Many incoming calls left unanswered",
)
def call_missed_share(call):
    """Share of incoming calls that were not answered."""
    return ratio(call.count(where=missed(call)), call.count(where=call.direction == "in"))


@feature(
    calls,
    windows=EVERY,
    splits=CLOCK_SPLITS,
    unit=Unit.SHARE,
    risk=Risk.RISES,
    reason="Many calls made that nobody answered",
)
def call_out_unanswered_share(call):
    """Share of outgoing calls that were not answered."""
    made = call.direction == "out"
    return ratio(call.count(where=made & ~call.is_answered), call.count(where=made))


@feature(call_by_contact, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Few missed calls returned")
def call_missed_returned_share(call):
    """Share of missed calls returned within a day, as the next call with the same person."""
    return ratio(call.count(where=returned(call)), call.count(where=missed(call)))


@feature(call_by_contact, windows=STANDARD, unit=Unit.SECONDS, reason="Time taken to return missed calls")
def call_return_delay_mean(call):
    """Mean time from a missed call to the call that returned it within a day."""
    return mean(call.until_s, where=returned(call))
