"""Social relationships by messages: with how many people, how mutually. Metadata only."""

from features.declare import Risk, Unit, feature
from features.expressions import ratio
from features.sources import per
from features.tables import messages
from features.windows import STANDARD

per_correspondent = per(
    messages,
    "contact_id",
    outgoing=lambda message: message.count(where=message.direction == "out"),
    incoming=lambda message: message.count(where=(message.direction == "in") & (message.sender_class == "person")),
)


@feature(per_correspondent, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Few messages answered")
def message_reciprocity(contact):
    """Share of people who wrote that were also written to."""
    wrote = contact.incoming > 0
    return ratio(contact.count(where=wrote & (contact.outgoing > 0)), contact.count(where=wrote))
