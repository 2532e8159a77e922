"""Life events by their traces: work, pay, home or the closest tie that changed. Sensitive: barred unless asked for."""

import ibis

from features.columns import Sensitivity
from features.declare import Risk, Unit, feature
from features.expressions import mean, ratio, top_share, total
from features.life_stage.payments import is_salary
from features.sources import only, per
from features.tables import calls, locations, payments
from features.windows import HALF_YEAR, LONG, MEDIUM

LATELY = 2 * MEDIUM  # pay comes once a month, so a change of it needs two months to show

salaries = only(payments, "salary", is_salary)
per_payer = per(
    salaries,
    "counterparty_id",
    late_pay=lambda payment: total(payment.amount_minor, where=payment.day <= LATELY),
    early_pay=lambda payment: total(payment.amount_minor, where=payment.day > LATELY),
)
per_cell_lived = per(
    locations,
    "cell_id",
    late_work_fixes=lambda fix: fix.count(where=fix.is_work_time & (fix.day <= MEDIUM)),
    early_work_fixes=lambda fix: fix.count(where=fix.is_work_time & (fix.day > MEDIUM)),
    late_night_fixes=lambda fix: fix.count(where=fix.is_night & (fix.day <= MEDIUM)),
    early_night_fixes=lambda fix: fix.count(where=fix.is_night & (fix.day > MEDIUM)),
)
per_tie = per(
    calls,
    "contact_id",
    ranked=("early_calls",),
    early_calls=lambda call: call.count(where=call.day > MEDIUM),
    late_calls=lambda call: call.count(where=call.day <= MEDIUM),
)


def new_share(late, early):
    """Share of what is late that has nothing early; null when there is nothing early at all to compare with."""
    new = ratio(total(late, where=early == 0), late.sum())
    return ibis.ifelse(early.sum() > 0, new, ibis.null("float64"))


@feature(
    per_payer,
    windows=(HALF_YEAR,),
    unit=Unit.SHARE,
    reason="Salary from a new payer",
    sensitivity=Sensitivity.LIFE_EVENT,
)
def job_change_salary_share(payer):
    """Share of the salary of the newest 60 days from payers that paid none before them."""
    return new_share(payer.late_pay, payer.early_pay)


@feature(
    per_cell_lived,
    windows=(LONG,),
    unit=Unit.SHARE,
    reason="Working hours in new places",
    sensitivity=Sensitivity.LIFE_EVENT,
)
def job_change_place_share(cell):
    """Share of the newest 30 days' fixes in working hours in cells without such fixes before."""
    return new_share(cell.late_work_fixes, cell.early_work_fixes)


@feature(
    salaries,
    windows=(HALF_YEAR,),
    unit=Unit.RATIO,
    risk=Risk.RISES,
    reason="Salary not received lately",
    sensitivity=Sensitivity.LIFE_EVENT,
)
def pay_interruption(payment):
    """Time since the last salary over the mean time between salaries: above 1 when one is missing."""
    return ratio(payment.age_s.min(), mean(payment.gap_s))


@feature(
    salaries,
    windows=(HALF_YEAR,),
    unit=Unit.RATIO,
    risk=Risk.FALLS,
    reason="Salary lower than before",
    sensitivity=Sensitivity.LIFE_EVENT,
)
def promotion_pay_ratio(payment):
    """Mean salary payment of the newest 60 days over that of the days before."""
    is_late = payment.day <= LATELY
    return ratio(mean(payment.amount_minor, where=is_late), mean(payment.amount_minor, where=~is_late))


@feature(
    per_tie,
    windows=(LONG,),
    unit=Unit.BALANCE,
    reason="Change in who is called most",
    sensitivity=Sensitivity.LIFE_EVENT,
)
def separation_tie_loss(tie):
    """The share of calls with the closest contact of days 31 to 90, less that contact's share in the newest 30 days."""
    closest = tie.late_calls.max(where=tie.rank_early_calls == 1)
    return top_share(tie.early_calls) - ratio(closest, tie.late_calls.sum())


@feature(
    per_cell_lived,
    windows=(LONG,),
    unit=Unit.SHARE,
    reason="Nights in new places",
    sensitivity=Sensitivity.LIFE_EVENT,
)
def move_night_share(cell):
    """Share of the newest 30 days' fixes at night in cells without such fixes before."""
    return new_share(cell.late_night_fixes, cell.early_night_fixes)
