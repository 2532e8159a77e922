"""Identity by the record with this lender: loans taken before, how they were repaid, what is owed at the snapshot."""

from features.declare import Risk, Unit, feature
from features.expressions import days, mean, ratio
from features.joined import loan_events
from features.sources import only, per
from features.windows import DAY_S, SHORT

paid_out = only(loan_events, "paid_out", lambda event: event.event_type == "disbursed")
per_loan = per(
    loan_events,
    "loan_id",
    asked_age_s=lambda event: event.age_s.max(where=event.event_type == "applied"),
    payouts=lambda event: event.count(where=event.event_type == "disbursed"),
    dues=lambda event: event.count(where=event.event_type == "due"),
    paid=lambda event: event.count(where=event.event_type == "paid"),
)
per_loan_late = per(
    paid_out,
    "loan_id",
    ranked=("paid_out_s",),
    paid_out_s=lambda event: event.event_s.max(),
    lent_minor=lambda event: event.amount_minor.max(),
)
per_instalment = per(
    loan_events,
    "loan_id",
    "instalment",
    due_age_s=lambda event: event.age_s.max(where=event.event_type == "due"),
    paid=lambda event: event.count(where=event.event_type == "paid"),
)


def is_overdue(instalment):
    """Whether an instalment fell due and was not paid before the snapshot."""
    return instalment.due_age_s.notnull() & (instalment.paid == 0)


@feature(loan_events, unit=Unit.COUNT, risk=Risk.FALLS, reason="Few earlier loans with this lender")
def loans_taken(event):
    """Number of earlier loans from this lender that were paid out."""
    return event.count(where=event.event_type == "disbursed")


@feature(per_loan, unit=Unit.SHARE, risk=Risk.FALLS, reason="Earlier loans with instalments left open", actionable=True)
def loans_settled_share(loan):
    """Share of earlier loans with instalments due of which as many instalments were paid as fell due."""
    return ratio(loan.count(where=(loan.dues > 0) & (loan.paid >= loan.dues)), loan.count(where=loan.dues > 0))


@feature(per_loan, unit=Unit.COUNT, risk=Risk.RISES, reason="Earlier applications not granted")
def loans_declined(loan):
    """Number of applications of more than seven days ago that were not paid out."""
    return loan.count(where=(loan.asked_age_s > SHORT * DAY_S) & (loan.payouts == 0))


@feature(paid_out, unit=Unit.DAYS, reason="Time since the last loan")
def loan_last_age(event):
    """Days since the last loan from this lender was paid out."""
    return days(event.age_s.min())


@feature(per_loan_late, unit=Unit.MINOR, risk=Risk.FALLS, reason="Size of the last loan")
def loan_last_amount(loan):
    """Amount of the last loan that was paid out."""
    return loan.lent_minor.max(where=loan.rank_paid_out_s == 1)


@feature(paid_out, unit=Unit.MINOR, risk=Risk.FALLS, reason="Size of earlier loans")
def loan_largest_amount(event):
    """Amount of the largest loan that was paid out."""
    return event.amount_minor.max()


@feature(loan_events, unit=Unit.COUNT, risk=Risk.FALLS, reason="Few instalments paid so far")
def instalments_paid(event):
    """Number of instalments of earlier loans paid before the snapshot."""
    return event.count(where=event.event_type == "paid")


@feature(per_instalment, unit=Unit.SHARE, risk=Risk.FALLS, reason="Instalments left unpaid", actionable=True)
def instalments_paid_share(instalment):
    """Share of the instalments due before the snapshot that were paid before it."""
    is_due = instalment.due_age_s.notnull()
    return ratio(instalment.count(where=is_due & (instalment.paid > 0)), instalment.count(where=is_due))


@feature(loan_events, unit=Unit.SHARE, risk=Risk.RISES, reason="Instalments paid late")
def instalments_late_share(event):
    """Share of the instalments paid that were paid after their due date."""
    is_paid = event.event_type == "paid"
    return ratio(event.count(where=is_paid & (event.days_late > 0)), event.count(where=is_paid))


@feature(loan_events, unit=Unit.DAYS, risk=Risk.RISES, reason="Instalments paid late")
def instalment_days_late_mean(event):
    """Mean number of days from due date to payment over the instalments paid, 0 for those paid in time."""
    return mean(event.days_late)


@feature(loan_events, unit=Unit.DAYS, risk=Risk.RISES, reason="An instalment paid very late")
def instalment_days_late_max(event):
    """Largest number of days from due date to payment over the instalments paid."""
    return event.days_late.max()


@feature(per_instalment, unit=Unit.COUNT, risk=Risk.RISES, reason="Instalments due and not paid", actionable=True)
def instalments_overdue(instalment):
    """Number of instalments of earlier loans due and not paid at the snapshot."""
    return instalment.count(where=is_overdue(instalment))


@feature(per_instalment, unit=Unit.DAYS, risk=Risk.RISES, reason="An instalment long overdue", actionable=True)
def instalment_overdue_age(instalment):
    """Days since the oldest instalment not paid fell due; null when none is overdue."""
    return days(instalment.due_age_s.max(where=is_overdue(instalment)))
