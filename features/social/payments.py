"""Social relationships by money exchanged between people."""

from features.declare import Risk, Unit, feature
from features.expressions import entropy, ratio, total
from features.sources import per
from features.tables import payments
from features.windows import STANDARD


def between_people(payment, *directions):
    """Whether a payment is money that went from one person to another, received ("in") or sent ("out")."""
    is_done = (payment.payment_type == "p2p") & (payment.status == "done")
    return is_done & payment.direction.isin(directions)


per_person = per(
    payments,
    "counterparty_id",
    received=lambda payment: payment.count(where=between_people(payment, "in")),
    sent=lambda payment: payment.count(where=between_people(payment, "out")),
)


@feature(payments, windows=STANDARD, unit=Unit.COUNT, risk=Risk.FALLS, reason="Money exchanged with few people")
def payment_people(payment):
    """Number of distinct people money was exchanged with."""
    return payment.counterparty_id.nunique(where=between_people(payment, "in", "out"))


@feature(per_person, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Money exchanged one way only")
def payment_people_reciprocal_share(person):
    """Share of the people money was exchanged with to whom it was sent and from whom it was received."""
    both = (person.received > 0) & (person.sent > 0)
    return ratio(person.count(where=both), person.count(where=person.received + person.sent > 0))


@feature(per_person, windows=STANDARD, unit=Unit.NATS, reason="Spread of money over people")
def payment_people_entropy(person):
    """Entropy of payments between people over the people on the other side."""
    return entropy(person.received + person.sent)


@feature(payments, windows=STANDARD, unit=Unit.BALANCE, reason="More money sent to people than received from them")
def payment_people_balance(payment):
    """Money received from people less money sent to them, over both."""
    received = total(payment.amount_minor, where=between_people(payment, "in"))
    sent = total(payment.amount_minor, where=between_people(payment, "out"))
    return ratio(received - sent, received + sent)
