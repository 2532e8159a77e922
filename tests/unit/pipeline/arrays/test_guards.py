"""Rows that no good table has, and what two rows of one second leave open: memory never guesses."""

from collections.abc import Callable

import pytest

from features.declare import Feature
from features.tables import calls, payments
from features.windows import WEEKPART
from pipeline.engines import Engine
from tests.measuring import PAYMENTS, measured, row, same

Declared = Callable[..., Feature]
UNTIMED = """
| person_id | event_at   | available_at | local_at   | contact_id | direction | duration_s | is_answered |
| p         | 2026-01-20 | 2026-01-20   | 2026-01-20 | c1         | out       | 5          | yes         |
| p         | 2026-01-21 | {received}   | {local}    | c2         | in        | 7          | yes         |
"""
ONE_SECOND = """
| person_id | event_at         | contact_id | direction | duration_s | is_answered |
| p         | 2026-02-20 10:00 | c1         | out       | 5          | yes         |
| p         | 2026-02-20 11:00 | c2         | out       | 0          | no          |
| p         | 2026-02-20 11:00 | c3         | out       | 9          | yes         |
"""


def test_a_row_that_was_received_nobody_knows_when_is_not_seen_and_is_not_late(
    engine: Engine, on_engine: Engine, asked: list[str], declared: Declared
) -> None:
    talked = declared(calls, lambda call: call.duration_s.sum(), name="talked_in_all")
    drawn = UNTIMED.format(received="-", local="2026-01-21")
    found = measured(engine, [talked], calls=drawn)
    assert asked == []
    assert [row(found, who)["talked_in_all"] for who in ("a1", "a2")] == [5, 5]
    assert found.too_late["calls"] == 0
    same(found, measured(on_engine, [talked], calls=drawn))


def test_a_row_of_no_known_day_is_in_no_part_of_the_week(
    engine: Engine, on_engine: Engine, asked: list[str], declared: Declared
) -> None:
    parted = declared(calls, lambda call: call.count(), name="calls_in_parts", splits=(WEEKPART,))
    drawn = UNTIMED.format(received="2026-01-21", local="-")
    found = measured(engine, [parted], calls=drawn)
    assert asked == ["calls"]
    assert [row(found)[f"calls_in_parts_{part}"] for part in ("weekday", "weekend")] == [1, 0]
    same(found, measured(on_engine, [parted], calls=drawn))


def test_the_order_in_which_rows_of_one_second_came_does_not_show(
    engine: Engine, asked: list[str], declared: Declared
) -> None:
    after_a_pause = declared(
        calls, lambda call: call.count(where=call.is_answered & (call.gap_s > 0)), name="answered_after_a_pause"
    )
    head, first, *others = ONE_SECOND.strip().splitlines()
    found = [measured(engine, [after_a_pause], calls="\n".join([head, *o, first])) for o in (others, others[::-1])]
    assert asked == []
    assert [row(f)["answered_after_a_pause"] for f in found] == [0, 0]  # the shorter call comes first


def test_words_outside_their_set_are_told_apart_by_the_engine(
    engine: Engine, on_engine: Engine, asked: list[str], declared: Declared
) -> None:
    ways = declared(calls, lambda call: call.direction.nunique(), name="ways_of_calls")
    odd = UNTIMED.format(received="2026-01-21", local="2026-01-21").replace("| in ", "| zig")
    odd += "| p | 2026-01-22 | 2026-01-22 | 2026-01-22 | c1 | zag | 5 | yes |\n"
    found = measured(engine, [ways], calls=odd)
    assert asked == ["calls"]
    assert row(found)["ways_of_calls"] == 3
    same(found, measured(on_engine, [ways], calls=odd))


@pytest.mark.parametrize(
    ("pick", "value"),
    [(lambda paid: paid.amount_minor.min(), 2**63 - 1), (lambda paid: paid.balance_minor.max(), -(2**63))],
    ids=["the least of the largest number", "the largest of the least number"],
)
def test_an_extreme_that_stands_for_none_in_memory_is_told_by_the_engine(
    engine: Engine, on_engine: Engine, asked: list[str], declared: Declared, pick: Callable, value: int
) -> None:
    head, line, *_ = PAYMENTS.strip().splitlines()
    far = f"{head}\n{line.replace('400', str(2**63 - 1)).replace('500', str(-(2**63)))}"
    extreme = declared(payments, pick, name="extreme_of_money")
    found = measured(engine, [extreme], payments=far)
    assert asked == ["payments"]
    assert row(found)["extreme_of_money"] == float(value)
    same(found, measured(on_engine, [extreme], payments=far))
