"""What the catalogue asks seldom or never is measured in memory as on the engine, or left to it."""

from typing import Any

import ibis
import pytest

from features.catalogue import named
from features.expressions import ratio, total
from features.sources import linked, only, per
from features.tables import calls, locations, payments
from features.windows import CALENDAR, CLOCK_SPLITS
from pipeline.arrays.tables import in_arrays
from pipeline.engines import Engine
from tests.declaring import Body
from tests.measuring import ALL, CALLS, PAYMENTS, Declared, measured, row, same

by_party = per(
    payments,
    "counterparty_id",
    balances=lambda payment: payment.balance_minor.nunique(),
    kinds=lambda payment: payment.payment_type.nunique(where=payment.status == "done"),
    parties=lambda payment: payment.counterparty_id.nunique(where=payment.amount_minor > 350),
    longest_s=lambda payment: payment.gap_s.max(),
    gaps=lambda payment: payment.gap_s.count(),
    money=lambda payment: payment.amount_minor.sum(),
    left=lambda payment: payment.balance_minor.min(),
)
ranked = per(
    payments,
    "counterparty_id",
    ranked=("money", "left"),
    money=lambda payment: payment.amount_minor.sum(),
    left=lambda payment: payment.balance_minor.min(),
)
tied = per(
    calls,
    "contact_id",
    ranked=("events",),
    ties=("events",),
    events=lambda call: call.count(where=call.direction == "out"),
    talked=lambda call: call.duration_s.sum(),
)
by_cell = per(
    locations,
    "cell_id",
    ranked=("fixes",),
    ties=("fixes",),
    fixes=lambda fix: fix.count(),
    north_m=lambda fix: fix.north_m.max(),
)
steps = linked(locations, "person_id", "cell_id", "north_m")
by_balance = per(payments, "balance_minor", "payment_type", events=lambda payment: payment.count())
apart = per(calls, "day", apart=(1, 7), events=lambda call: call.count(), talked=lambda call: call.duration_s.max())
paid_of_days = per(payments, "day", apart=(1,), none=lambda payment: payment.count() * ibis.null("int64"))
told = per(
    payments,
    "counterparty_id",
    ranked=("span",),
    span=lambda payment: payment.window_days.max(),
    money=lambda payment: payment.amount_minor.sum(),
)
SELDOM: dict[str, tuple[Any, Body]] = {
    "null_counted_by_key": (by_party, lambda cell: (cell.balances * cell.balances).sum()),
    "no_value_by_key": (by_party, lambda cell: cell.count(where=cell.balances == 0)),
    "kinds_by_key": (by_party, lambda cell: cell.kinds.max()),
    "key_itself_counted": (by_party, lambda cell: cell.parties.sum()),
    "gaps_by_key": (by_party, lambda cell: cell.longest_s.max() + cell.gaps.sum()),
    "no_gap_by_key": (by_party, lambda cell: cell.longest_s.count()),
    "median_of_cells": (by_party, lambda cell: cell.left.median(where=cell.money > 0)),
    "null_keys": (by_balance, lambda cell: cell.events.sum() * 10 + cell.count()),
    "rank_of_null": (ranked, lambda cell: cell.rank_left.max(where=cell.left.isnull())),
    "before_by_rank": (ranked, lambda cell: cell.before_left.sum() + 3 * cell.before_money.sum()),
    "whole_of_ranked": (ranked, lambda cell: cell.whole_left.max() + cell.before_left.count()),
    "top_two": (ranked, lambda cell: ratio(cell.money.sum(where=cell.rank_money <= 2), cell.whole_money.max())),
    "first_of_equals": (tied, lambda cell: cell.talked.max(where=cell.rank_events == 1)),
    "first_place_of_equals": (by_cell, lambda cell: cell.north_m.sum(where=cell.rank_fixes.isin([2, 3]))),
    "step_within_a_second": (steps, lambda fix: (fix.north_m * fix.last_north_m).sum()),
    "places_within_a_second": (steps, lambda fix: fix.north_m.sum(where=fix.next_cell_id != fix.last_cell_id)),
    "a_day_before": (apart, lambda cell: (cell.events * cell.events_1).sum()),
    "a_week_before": (apart, lambda cell: cell.talked_7.count() + total(cell.talked * cell.talked_7)),
    "median_gap": (calls, lambda call: call.gap_s.median(where=call.hour < 20)),
    "median_row": (calls, lambda call: call.duration_s.median()),
    "median_of_one_value": (calls, lambda call: call.duration_s.isnull().cast("int64").median()),
    "median_of_null": (payments, lambda payment: payment.balance_minor.median()),
    "window_told": (payments, lambda payment: payment.count() * payment.window_days.max()),
    "window_told_by_key": (told, lambda cell: (cell.span * cell.money).sum() + cell.rank_span.max()),
    "gap_among_linked": (linked(calls, "contact_id", "direction"), lambda call: call.gap_s.max()),
    "nothing_of_a_day_before": (paid_of_days, lambda cell: cell.none_1.count() + cell.count()),
    "sums_told_apart": (calls, lambda call: (call.duration_s + call.hour).nunique()),
    "gaps_told_apart": (calls, lambda call: call.gap_s.nunique()),
    "gap_among_some": (only(calls, "sent", lambda call: call.direction == "out"), lambda call: call.gap_s.max()),
    "moments_counted": (calls, lambda call: call.event_at.nunique()),
    "moments_as_keys": (per(calls, "event_at", events=lambda call: call.count()), lambda cell: cell.count()),
    "last_and_next": (
        linked(calls, "contact_id", "direction", "duration_s"),
        lambda call: total(call.last_duration_s * call.since_s) + total(call.next_duration_s * call.until_s),
    ),
    "with_tenths": (payments, lambda payment: payment.amount_minor.sum() * 0.1 + 0.7),
    "nothing_of_nothing": (calls, lambda call: call.duration_s.sum(where=call.duration_s < 0)),
}
LEFT = ["sums_told_apart", "gaps_told_apart", "moments_counted", "moments_as_keys", "with_tenths"]
"""What is left to the engine."""


@pytest.mark.parametrize("splits", [(), CLOCK_SPLITS], ids=["whole", "split"])
def test_what_is_seldom_asked_is_as_on_the_engine(
    engine: Engine, on_engine: Engine, asked: list[str], splits: tuple[Any, ...], declared: Declared
) -> None:
    features = [
        declared(source, body, name=f"seldom_{name}", windows=(7, 30, 90), splits=splits)
        for name, (source, body) in SELDOM.items()
    ]
    plain = [f for f in features if in_arrays(f.table, (f,), CALENDAR) is not None]
    odd = [f for f in features if f not in plain]
    assert [f.name.removeprefix("seldom_") for f in odd] == LEFT
    same(measured(engine, plain, **ALL), measured(on_engine, plain, **ALL))
    assert asked == []
    same(measured(engine, odd, **ALL), measured(on_engine, odd, **ALL))
    assert asked == ["calls", "payments"]


def test_moments_of_one_second_are_told_apart(engine: Engine, declared: Declared) -> None:
    counted = declared(calls, lambda call: call.event_at.nunique(), name="moments_of_calls", windows=(30,))
    assert row(measured(engine, [counted], calls=CALLS))["moments_of_calls_30d"] == 3


def test_medians_of_large_numbers_are_the_engines(
    engine: Engine, on_engine: Engine, asked: list[str], declared: Declared
) -> None:
    apart = PAYMENTS.replace("400", str(2**55 + 5)).replace("500", str(-(2**55) - 3))
    features = [
        declared(payments, lambda paid: paid.amount_minor.median(), name="mid_amount"),
        declared(payments, lambda paid: paid.balance_minor.median(), name="mid_balance"),
    ]
    for drawn in (apart, apart.replace("700", str(2**60))):
        same(measured(engine, features, payments=drawn), measured(on_engine, features, payments=drawn))
    assert asked == []


@pytest.mark.parametrize("year", ["0001", "2800", "9998"])
def test_events_of_any_year_are_as_on_the_engine(
    engine: Engine, on_engine: Engine, year: str, declared: Declared
) -> None:
    drawn = CALLS.replace("2026-01-05", f"{year}-01-05")
    features = [named("call_count"), declared(calls, lambda call: call.age_s.max(), name="oldest_call_s")]
    same(measured(engine, features, calls=drawn), measured(on_engine, features, calls=drawn))
