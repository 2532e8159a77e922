"""Social relationships by calls and messages as one stream: whom the applicant reaches, by which means, how mutually.

Institutions write to everybody, so people are counted here when the applicant called or wrote to them.
"""

from features.declare import Risk, Unit, feature
from features.expressions import entropy, ratio
from features.joined import interactions
from features.sources import only, per
from features.windows import EVERY, MEDIUM, STANDARD, WEEKPART


def is_out(interaction):
    """Whether the applicant called or wrote."""
    return interaction.direction == "out"


made = only(interactions, "made", is_out)
per_contact = per(
    interactions,
    "contact_id",
    events=lambda interaction: interaction.count(),
    outgoing=lambda interaction: interaction.count(where=interaction.direction == "out"),
    incoming=lambda interaction: interaction.count(where=interaction.direction == "in"),
    called=lambda interaction: interaction.count(where=interaction.kind == "call"),
    written=lambda interaction: interaction.count(where=interaction.kind == "message"),
)
per_reached = per(
    made,
    "contact_id",
    events=lambda interaction: interaction.count(),
    first_day=lambda interaction: interaction.day.max(),
    last_day=lambda interaction: interaction.day.min(),
)
per_ranked_reached = per(made, "contact_id", ranked=("events",), events=lambda interaction: interaction.count())


def both_ways(contact):
    """Whether calls or messages with a contact went both ways."""
    return (contact.outgoing > 0) & (contact.incoming > 0)


@feature(
    interactions, windows=EVERY, splits=(WEEKPART,), unit=Unit.SHARE, reason="Balance of contact made and received"
)
def interaction_out_share(interaction):
    """Share of calls and messages that were made or sent, not received."""
    return ratio(interaction.count(where=is_out(interaction)), interaction.count())


@feature(per_contact, windows=EVERY, unit=Unit.COUNT, risk=Risk.FALLS, reason="Few mutual contacts")
def interaction_mutual_contacts(contact):
    """Number of people with calls or messages both ways."""
    return contact.count(where=both_ways(contact))


@feature(per_contact, windows=EVERY, unit=Unit.SHARE, risk=Risk.FALLS, reason="Little contact with mutual contacts")
def interaction_mutual_share(contact):
    """Share of calls and messages that were with people with whom they went both ways."""
    return ratio(contact.events.sum(where=both_ways(contact)).fill_null(0), contact.events.sum())


@feature(per_contact, windows=EVERY, unit=Unit.SHARE, reason="Share of people both called and written with")
def interaction_multiplex_share(contact):
    """Share of people called or written to by the applicant with whom there were both calls and messages."""
    reached = contact.outgoing > 0
    both = (contact.called > 0) & (contact.written > 0)
    return ratio(contact.count(where=reached & both), contact.count(where=reached))


@feature(per_reached, windows=EVERY, unit=Unit.COUNT, risk=Risk.FALLS, reason="Few people called or written to")
def interaction_reached_contacts(contact):
    """Number of distinct people called or written to."""
    return contact.count()


@feature(per_reached, windows=EVERY, unit=Unit.NATS, risk=Risk.FALLS, reason="Contact made with few people only")
def interaction_reached_entropy(contact):
    """Entropy of calls made and messages sent over people."""
    return entropy(contact.events)


@feature(per_ranked_reached, windows=STANDARD, unit=Unit.SHARE, reason="Contact made mostly with three people")
def interaction_reached_top3_share(contact):
    """Share of calls made and messages sent that went to the three people reached most."""
    return ratio(contact.events.sum(where=contact.rank_events <= 3), contact.events.sum())


@feature(per_reached, windows=(60,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Contacts change from month to month")
def interaction_kept_contact_share(contact):
    """Jaccard similarity of the people called or written to in the last 30 days and in the 30 before."""
    kept = (contact.last_day <= MEDIUM) & (contact.first_day > MEDIUM)
    return ratio(contact.count(where=kept), contact.count())
