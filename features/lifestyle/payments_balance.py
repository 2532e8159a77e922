"""Lifestyle by the balance payments leave: how high, how low, how steady, and how long it would last."""

import ibis

from features.declare import Risk, Unit, feature
from features.expressions import mean, ratio, std
from features.sources import linked
from features.tables import payments
from features.windows import DAY_S, EVERY, LONG, MEDIUM, STANDARD

LOW_MINOR = 10_000  # a hundred whole units of money, as in ₹100
MAJOR = 100  # minor units in a whole one; squares of whole units stay within 64 bits


def is_sent(payment):
    """Whether a payment is money that left."""
    return (payment.direction == "out") & (payment.status == "done")


def day_end_minor(payment):
    """The balance after the last payment of a day on the applicant's clock; null after any payment before it."""
    return ibis.ifelse(payment.until_s.isnull(), payment.balance_minor, ibis.null("int64"))


# the balance is carried so that payments of one second have one order, whatever else is measured
in_days = linked(payments, "local_day", "balance_minor", where=lambda payment: payment.balance_minor.notnull())


@feature(payments, windows=STANDARD, unit=Unit.MINOR, risk=Risk.FALLS, reason="Low balance")
def payment_balance_mean(payment):
    """Mean balance after a payment."""
    return mean(payment.balance_minor)


@feature(payments, windows=EVERY, unit=Unit.MINOR, risk=Risk.FALLS, reason="Balance fell low")
def payment_balance_min(payment):
    """Lowest balance after a payment."""
    return payment.balance_minor.min()


@feature(payments, windows=STANDARD, unit=Unit.MINOR, reason="Steadiness of the balance")
def payment_balance_std(payment):
    """Standard deviation of the balance after a payment, each balance rounded down to whole units of money."""
    return std(payment.balance_minor // MAJOR) * MAJOR


@feature(payments, windows=(LONG,), unit=Unit.MINOR, risk=Risk.FALLS, reason="Balance falling")
def payment_balance_change(payment):
    """Mean balance after a payment in the last 30 days, less that of the window's days before."""
    is_recent = payment.age_s <= MEDIUM * DAY_S
    return mean(payment.balance_minor, where=is_recent) - mean(payment.balance_minor, where=~is_recent)


@feature(payments, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Payments that left little behind")
def payment_balance_thin_share(payment):
    """Share of the payments made, of those with a known balance, that left less than they took."""
    is_thin = payment.balance_minor < payment.amount_minor
    return ratio(payment.count(where=is_sent(payment) & is_thin), payment.balance_minor.count(where=is_sent(payment)))


@feature(payments, windows=STANDARD, unit=Unit.DAYS, risk=Risk.FALLS, reason="Balance covers few days of spending")
def payment_buffer_days(payment):
    """Days of the window's outgoing money that the mean balance would cover, none when it is overdrawn."""
    held = mean(payment.balance_minor).clip(lower=0.0) * payment.window_days.max()
    return ratio(held, payment.amount_minor.sum(where=is_sent(payment)))


@feature(in_days, windows=STANDARD, unit=Unit.MINOR, risk=Risk.FALLS, reason="Low balance at the end of the day")
def payment_day_end_balance_mean(payment):
    """Mean balance at the end of a day with payments."""
    return mean(day_end_minor(payment))


@feature(in_days, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Days that ended with a low balance")
def payment_day_end_low_share(payment):
    """Share of days with payments that ended with less than a hundred whole units of money."""
    balance = day_end_minor(payment)
    return ratio(payment.count(where=balance < LOW_MINOR), balance.count())
