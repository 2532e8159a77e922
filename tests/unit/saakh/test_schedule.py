"""Repayment schedules: whole minor units that add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saakh.errors import ContractError
from saakh.schedule import Instalment, amortised, equated


def test_a_small_loan_worked_by_hand():
    # 1,000.00 at 2 % a month, 3 months: 346.7547 a month, rounded up to 346.76
    assert amortised(100_000, 200, 3).instalments == (
        Instalment(1, 34_676, 32_676, 2_000, 67_324),
        Instalment(2, 34_676, 33_330, 1_346, 33_994),
        Instalment(3, 34_674, 33_994, 680, 0),
    )


def test_a_loan_without_interest_is_shared_out():
    assert [i.paid for i in amortised(1_000, 0, 3).instalments] == [334, 334, 332]


def test_a_single_instalment_is_the_principal_and_a_month_of_interest():
    assert [i.paid for i in amortised(500_000, 180, 1).instalments] == [509_000]


def test_nothing_lent_has_no_schedule():
    with pytest.raises(ContractError, match="1 to 120 months"):
        equated(0, 180, 3)


@given(st.integers(1, 10_000_000), st.integers(0, 2_000), st.integers(1, 120))
def test_a_schedule_adds_up_exactly(principal, rate, months):
    schedule = amortised(principal, rate, months)
    assert sum(i.principal for i in schedule.instalments) == principal
    assert schedule.paid == principal + schedule.interest
    assert schedule.instalments[-1].balance == 0
    assert len(schedule.instalments) <= months
    assert all(i.paid == i.principal + i.interest and i.principal >= 0 for i in schedule.instalments)


@given(st.integers(100_000, 10_000_000), st.integers(0, 2_000), st.integers(1, 60))
def test_the_last_instalment_is_short_by_less_than_rounding_can_explain(principal, rate, months):
    *_, last = amortised(principal, rate, months).instalments
    slack = months * (1 + rate / 10_000) ** months * 2
    assert equated(principal, rate, months) - slack <= last.paid <= equated(principal, rate, months) + slack
