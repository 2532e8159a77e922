"""Social relationships by calls: how evenly calls spread over people, how strong ties are, and how long they last.

The balance of contacts has two definitions in the field under one name; both are here, named apart.
"""

from features.declare import Risk, Unit, feature
from features.expressions import mean, ratio, std, top_share, total
from features.sources import per
from features.tables import calls
from features.windows import EVERY, HALF_YEAR, LONG, MEDIUM, STANDARD

STEPS = 2**24
STRONG_TIE_EVENTS = 5
MONTHLY = (MEDIUM, LONG, HALF_YEAR)

per_contact = per(
    calls,
    "contact_id",
    events=lambda call: call.count(),
    outgoing=lambda call: call.count(where=call.direction == "out"),
    seconds=lambda call: total(call.duration_s),
    first_day=lambda call: call.day.max(),
    last_day=lambda call: call.day.min(),
    months=lambda call: call.month.nunique(),
)
per_ranked_contact = per(
    calls,
    "contact_id",
    ranked=("events", "seconds"),
    events=lambda call: call.count(),
    seconds=lambda call: total(call.duration_s),
)


def out_steps(contact):
    """A person's share of outgoing events, in whole steps of 2**-20, whose squares can be summed exactly."""
    return (contact.outgoing * STEPS / contact.events).round().cast("int64")


def top_three_share(contact):
    """The share of events with the three people who have most."""
    return ratio(contact.events.sum(where=contact.rank_events <= 3), contact.events.sum())


@feature(per_contact, windows=MONTHLY, unit=Unit.SHARE, risk=Risk.FALLS, reason="Few close contacts")
def call_strong_tie_share(contact):
    """Share of people in calls with at least five calls."""
    return ratio(contact.count(where=contact.events >= STRONG_TIE_EVENTS), contact.count())


@feature(per_contact, windows=MONTHLY, unit=Unit.SHARE, reason="Share of people with a single call")
def call_weak_tie_share(contact):
    """Share of people in calls with a single call."""
    return ratio(contact.count(where=contact.events == 1), contact.count())


@feature(per_contact, windows=(LONG, HALF_YEAR), unit=Unit.COUNT, risk=Risk.FALLS, reason="Few steady contacts")
def call_steady_contacts(contact):
    """Number of people with calls in every month of the window."""
    return contact.count(where=contact.months * MEDIUM >= contact.window_days)


@feature(per_contact, windows=(HALF_YEAR,), unit=Unit.MONTHS, risk=Risk.FALLS, reason="Close contacts in few months")
def call_strong_tie_months_mean(contact):
    """Mean number of months with calls, over people with at least five calls."""
    return mean(contact.months, where=contact.events >= STRONG_TIE_EVENTS)


@feature(per_contact, windows=(120,), unit=Unit.SHARE, risk=Risk.RISES, reason="Many new contacts")
def call_new_contact_share(contact):
    """Share of people in calls who first appeared in the last 30 days of the window."""
    return ratio(contact.count(where=contact.first_day <= MEDIUM), contact.count())


@feature(per_contact, windows=(120,), unit=Unit.SHARE, reason="Share of contacts lost")
def call_lost_contact_share(contact):
    """Share of people in calls in the 90 days before the last 30 who did not appear in these."""
    known = contact.first_day > MEDIUM
    return ratio(contact.count(where=known & (contact.last_day > MEDIUM)), contact.count(where=known))


@feature(per_contact, windows=(60,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Contacts change from month to month")
def call_kept_contact_share(contact):
    """Jaccard similarity of the people in calls of the last 30 days and of the 30 before: in both over in either."""
    kept = (contact.last_day <= MEDIUM) & (contact.first_day > MEDIUM)
    return ratio(contact.count(where=kept), contact.count())


@feature(per_contact, windows=EVERY, unit=Unit.RATIO, reason="Number of calls with each person")
def call_contact_events_mean(contact):
    """Mean number of calls with a person."""
    return mean(contact.events)


@feature(per_contact, windows=EVERY, unit=Unit.RATIO, reason="How much the number of calls with each person differs")
def call_contact_events_std(contact):
    """Standard deviation of the number of calls with a person."""
    return std(contact.events)


@feature(per_contact, windows=STANDARD, unit=Unit.RATIO, reason="Usual number of calls with each person")
def call_contact_events_median(contact):
    """Median number of calls with a person."""
    return contact.events.median()


@feature(per_contact, windows=EVERY, unit=Unit.COUNT, reason="Number of calls with the closest person")
def call_contact_events_max(contact):
    """Number of calls with the person called most."""
    return contact.events.max()


@feature(per_contact, windows=EVERY, unit=Unit.SHARE, reason="Balance of calls with each person")
def call_contact_out_share_mean(contact):
    """Balance of contacts: mean over people of the share of the calls with them that were made, not received."""
    return mean(out_steps(contact)) / STEPS


@feature(per_contact, windows=EVERY, unit=Unit.RATIO, reason="How much the balance of calls differs between people")
def call_contact_out_share_std(contact):
    """Balance of contacts: standard deviation over people of the share of the calls with them that were made."""
    return std(out_steps(contact)) / STEPS


@feature(per_contact, windows=EVERY, unit=Unit.SHARE, reason="Calls made, for each person")
def call_contact_weighted_out_share_mean(contact):
    """Balance of contacts as bandicoot weighs it: mean over people of the calls made to them over all calls."""
    return ratio(contact.outgoing.sum(), contact.events.sum() * contact.count())


@feature(per_contact, windows=EVERY, unit=Unit.SHARE, reason="Time on calls concentrated on one person")
def call_duration_top_contact_share(contact):
    """Share of the time talked with the person talked with longest; null when nobody talked."""
    return top_share(contact.seconds)


@feature(per_ranked_contact, windows=STANDARD, unit=Unit.SHARE, reason="Calls concentrated on three people")
def call_top3_contact_share(contact):
    """Share of calls with the three people called most."""
    return top_three_share(contact)


@feature(per_ranked_contact, windows=STANDARD, unit=Unit.SHARE, reason="Calls concentrated on part of the contacts")
def call_pareto_contact_share(contact):
    """Share of people in calls who make up 80 % of calls, the most called first."""
    return ratio(contact.count(where=contact.before_events * 5 < contact.whole_events * 4), contact.count())


@feature(per_ranked_contact, windows=STANDARD, unit=Unit.SHARE, reason="Talk concentrated on part of the contacts")
def call_duration_pareto_contact_share(contact):
    """Share of people in calls who make up 80 % of the time talked, the longest first; null when nobody talked."""
    needed = contact.count(where=contact.before_seconds * 5 < contact.whole_seconds * 4)
    return ratio(needed, contact.count(where=contact.whole_seconds > 0))
