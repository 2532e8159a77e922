"""Lifestyle: how time, apps, sites, places, airtime and money are used, and how regularly."""

from features.declare import Risk, Unit, feature, per
from features.expressions import burstiness, days, entropy, mean, ratio, slope, total, variance, variation
from features.tables import (
    app_installs,
    app_sessions,
    calls,
    data_usage,
    locations,
    messages,
    payments,
    topups,
    web_visits,
)
from features.windows import LONG, MEDIUM, STANDARD


def is_bill(payment):
    """Whether a payment is a utility or television bill that was paid."""
    return payment.payment_type.isin(["utility", "dth"]) & (payment.direction == "out") & (payment.status == "done")


per_hour_called = per(calls, "hour", events=lambda call: call.count())
per_monthday_called = per(calls, "day_of_month", events=lambda call: call.count())
per_day_called = per(calls, "day", events=lambda call: call.count())
per_app = per(app_sessions, "app_id", sessions=lambda use: use.count())
per_place = per(locations, "cell_id", fixes=lambda fix: fix.count())
per_bill_month = per(payments, "month", bills=lambda payment: payment.count(where=is_bill(payment)))


@feature(calls, windows=STANDARD, unit=Unit.DAYS, risk=Risk.FALLS, reason="Few days with calls")
def call_active_days(call):
    """Number of days, counted back from the snapshot, with a call."""
    return call.day.nunique()


@feature(calls, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Many calls at night")
def call_night_share(call):
    """Share of calls between midnight and six."""
    return ratio(call.count(where=call.is_night), call.count())


@feature(per_hour_called, windows=STANDARD, unit=Unit.NATS, reason="Spread of calls over the day")
def call_hour_entropy(hour):
    """Entropy of calls over the hours of the day."""
    return entropy(hour.events)


@feature(per_monthday_called, windows=(LONG,), unit=Unit.NATS, risk=Risk.FALLS, reason="Calls bunched in the month")
def call_monthday_entropy(monthday):
    """Entropy of calls over the days of the month."""
    return entropy(monthday.events)


@feature(per_day_called, windows=STANDARD, unit=Unit.RATIO, reason="Regularity of the number of calls a day")
def call_daily_variation(day):
    """Coefficient of variation of calls over the days with calls."""
    return variation(day.events)


@feature(calls, windows=STANDARD, unit=Unit.BALANCE, risk=Risk.RISES, reason="Calls come in bursts")
def call_burstiness(call):
    """Burstiness of the time between calls."""
    return burstiness(call.gap_s)


@feature(calls, windows=(LONG,), unit=Unit.SLOPE, risk=Risk.FALLS, reason="Calls falling off")
def call_daily_slope(call):
    """Trend of calls a day over the window."""
    return slope(call.day, call.window_days)


@feature(messages, windows=STANDARD, unit=Unit.COUNT, risk=Risk.RISES, reason="Many messages from lenders")
def message_lender_count(message):
    """Messages received from senders classed as lenders."""
    return message.count(where=(message.direction == "in") & (message.sender_class == "lender"))


@feature(
    app_sessions, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Little use of banking and payment apps"
)
def app_finance_share(use):
    """Share of app uses in finance and payment apps."""
    return ratio(use.count(where=use.app_category.isin(["finance", "payments"])), use.count())


@feature(app_sessions, windows=STANDARD, unit=Unit.COUNT, risk=Risk.FALLS, reason="Few finance and payment apps used")
def app_payment_apps(use):
    """Number of distinct finance and payment apps used."""
    return use.app_id.nunique(where=use.app_category.isin(["finance", "payments"]))


@feature(app_sessions, windows=STANDARD, unit=Unit.DAYS, risk=Risk.RISES, reason="Betting apps used")
def app_gambling_days(use):
    """Number of days, counted back from the snapshot, with a gambling app in use."""
    return use.day.nunique(where=use.app_category == "gambling")


@feature(per_app, windows=STANDARD, unit=Unit.NATS, reason="Spread of use over apps")
def app_entropy(app):
    """Entropy of app uses over apps."""
    return entropy(app.sessions)


@feature(app_installs, windows=STANDARD, unit=Unit.COUNT, risk=Risk.RISES, reason="Lending apps installed recently")
def lending_app_installs(change):
    """Number of lending apps installed."""
    return change.count(where=(change.app_category == "lending") & (change.action == "install"))


@feature(web_visits, windows=STANDARD, unit=Unit.SHARE, risk=Risk.FALLS, reason="Few visits to finance sites")
def web_finance_share(visit):
    """Share of visits to finance and price-comparison sites."""
    return ratio(visit.count(where=visit.domain_category.isin(["finance", "comparison"])), visit.count())


@feature(web_visits, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Much browsing at night")
def web_night_share(visit):
    """Share of visits between midnight and six."""
    return ratio(visit.count(where=visit.is_night), visit.count())


@feature(topups, windows=STANDARD, unit=Unit.DAYS, risk=Risk.RISES, reason="Long gaps between top-ups")
def topup_gap_longest(topup):
    """Longest time between two consecutive top-ups."""
    return days(topup.gap_s.max())


@feature(topups, windows=STANDARD, unit=Unit.MINOR, risk=Risk.FALLS, reason="Small top-ups")
def topup_amount_mean(topup):
    """Mean value of a top-up."""
    return mean(topup.amount_minor)


@feature(topups, windows=(LONG,), unit=Unit.RATIO, risk=Risk.RISES, reason="Irregular top-ups")
def topup_gap_variation(topup):
    """Coefficient of variation of the time between top-ups."""
    return variation(topup.gap_s)


@feature(topups, windows=(LONG,), unit=Unit.SHARE, risk=Risk.RISES, reason="Airtime taken in advance")
def topup_advance_share(topup):
    """Share of top-ups that were airtime advances."""
    return ratio(topup.count(where=topup.is_advance), topup.count())


@feature(data_usage, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Much mobile data used at night")
def data_night_share(use):
    """Share of mobile data carried between midnight and six."""
    return ratio(total(use.bytes_night), use.bytes_total.sum())


@feature(data_usage, windows=(MEDIUM,), unit=Unit.MEGABYTES, reason="Amount of mobile data")
def data_daily_mean(use):
    """Mean megabytes of mobile data over the days reported."""
    return mean(use.bytes_total) / 1e6


@feature(payments, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="Payments that failed")
def payment_failed_share(payment):
    """Share of outgoing payments that failed."""
    out = payment.direction == "out"
    return ratio(payment.count(where=out & (payment.status == "failed")), payment.count(where=out))


@feature(payments, windows=STANDARD, unit=Unit.MINOR, risk=Risk.FALLS, reason="Low balance")
def payment_balance_mean(payment):
    """Mean balance after a payment."""
    return mean(payment.balance_minor)


@feature(payments, windows=STANDARD, unit=Unit.SHARE, risk=Risk.RISES, reason="More money going out than coming in")
def payment_outflow_share(payment):
    """Money out over all money moved, out and in."""
    done = payment.status == "done"
    out = total(payment.amount_minor, where=done & (payment.direction == "out"))
    return ratio(out, payment.amount_minor.sum(where=done))


@feature(per_bill_month, windows=(LONG,), unit=Unit.SHARE, risk=Risk.FALLS, reason="Bills not paid every month")
def bill_months_share(month):
    """Share of 30-day months with payments in which a utility or television bill was paid."""
    return ratio(month.bills.count(where=month.bills > 0), month.bills.count())


@feature(locations, windows=STANDARD, unit=Unit.METRES, reason="How far apart places visited lie")
def radius_of_gyration(fix):
    """Root mean squared distance of the location fixes from their centre (Gonzalez et al. 2008)."""
    return (variance(fix.east_m) + variance(fix.north_m)).sqrt()


@feature(per_place, windows=STANDARD, unit=Unit.NATS, reason="Spread of time over places")
def place_entropy(cell):
    """Entropy of location fixes over cells."""
    return entropy(cell.fixes)


@feature(locations, windows=STANDARD, unit=Unit.COUNT, reason="Number of places visited")
def places_seen(fix):
    """Number of distinct cells."""
    return fix.cell_id.nunique()


@feature(locations, windows=(LONG,), unit=Unit.DAYS, reason="Time since location was last seen")
def location_last_age(fix):
    """Days since the last location fix."""
    return days(fix.age_s.min())
