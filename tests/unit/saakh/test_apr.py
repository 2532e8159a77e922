"""Annual percentage rates against worked examples that lawmakers and supervisors published."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saakh import apr
from saakh.errors import ContractError
from saakh.schedule import amortised, equated

WEEK, FORTNIGHT, FOUR_WEEKS = 52, 26, 13


def percent(rate: float) -> float:
    return round(100 * rate, 2)


# Directive 98/7/EC, Annex III, on a calendar basis: a year of 365 days.
def test_eu_first_example_a_single_payment_after_546_days():
    assert percent(apr.effective(1_000, [(546 / 365, 1_200)])) == 12.96


def test_eu_second_example_what_the_creditor_retains_is_not_advanced():
    assert round(100 * apr.effective(950, [(546 / 365, 1_200)]), 1) == 16.9


def test_eu_third_example_two_payments_a_year_apart():
    assert percent(apr.effective(1_000, [(1, 600), (2, 600)])) == 13.07


# Regulation Z (12 CFR 1026), Appendix J, section (c). Odd days are counted over 30 (15 for half months, 90 a quarter).
def level(count: int, amount: float, first: float = 1.0) -> list[apr.Payment]:
    return [(first + k, amount) for k in range(count)]


REG_Z = {
    "(1)(i) monthly": (5_000, level(24, 230), 12, 9.69),
    "(1)(ii) monthly, long first period": (6_000, level(36, 200, 1 + 19 / 30), 12, 11.82),
    "(1)(iii) twice a month, short first period": (5_000, level(24, 219.17, 6 / 15), 24, 10.34),
    "(1)(iv) quarterly, long first period": (10_000, level(40, 385, 1 + 39 / 90), 4, 8.97),
    "(1)(v) weekly, long first period": (500, level(30, 17.60, 4 + 4 / 7), WEEK, 14.96),
    "(2)(i) odd first payment": (5_000, [(1, 250), *level(23, 230, 2)], 12, 10.08),
    "(2)(ii) four-weekly, odd first payment": (400, [(1 + 5 / 28, 39.50), *level(11, 38.31, 2 + 5 / 28)], 13, 28.50),
    "(3)(i) odd final payment": (5_000, [*level(23, 230), (24, 280)], 12, 10.50),
    "(3)(ii) fortnightly, odd final payment": (200, [*level(19, 9.50, 8 / 14), (19 + 8 / 14, 30)], FORTNIGHT, 12.22),
    "(4)(i) odd first and final payments": (5_000, [(1, 250), *level(22, 230, 2), (24, 280)], 12, 10.90),
    "(4)(ii) every two months": (
        8_000,
        [(52 / 60, 449.36), *level(18, 465, 1 + 52 / 60), (19 + 52 / 60, 200)],
        6,
        7.30,
    ),
    "(5)(i) one payment after 255 days": (1_000, [(1, 1_080)], 365 / 255, 11.45),
}


@pytest.mark.parametrize("example", REG_Z, ids=REG_Z)
def test_regulation_z_examples_come_out_to_the_second_decimal(example):
    advanced, payments, periods, expected = REG_Z[example]
    assert percent(apr.nominal(advanced, payments, periods)) == expected


# RBI/2024-25/18 of 15 April 2024, Annex B: 20,000 at 15 % a year over 24 months, fees of 400.
def test_rbi_illustration_for_the_key_facts_statement():
    schedule = amortised(20_000_00, 125, 24)
    assert round(equated(20_000_00, 125, 24) / 100) == 970
    assert round(schedule.interest / 100) == 3_274
    assert round(schedule.paid / 100) == 23_274
    instalments = [i.paid for i in schedule.instalments]
    assert percent(apr.of_monthly(19_600_00, instalments, "nominal")) == 17.07


def test_twelve_months_compound_to_the_effective_rate():
    paid = [i.paid for i in amortised(10_000_00, 180, 12).instalments]
    assert percent(apr.of_monthly(10_000_00, paid, "nominal")) == 21.60
    assert percent(apr.of_monthly(10_000_00, paid, "effective")) == 23.87  # 1.018 ** 12 - 1


def test_a_loan_that_costs_nothing_has_a_rate_of_exactly_zero():
    assert apr.of_monthly(1_200, [100] * 12, "nominal") == 0.0


def test_payments_that_do_not_repay_the_advance_have_no_rate():
    with pytest.raises(ContractError, match="less than was advanced"):
        apr.effective(1_000, [(1, 999)])


PAYMENTS = st.lists(st.integers(1_000, 1_000_000), min_size=1, max_size=24)


@given(PAYMENTS, st.floats(0.05, 1.0))
def test_the_rate_solves_the_equation(payments, share):
    advanced = share * sum(payments)
    rate = apr.nominal(advanced, list(enumerate(payments, 1)), 1)
    assert sum(p / (1 + rate) ** k for k, p in enumerate(payments, 1)) == pytest.approx(advanced, rel=1e-9)


@given(PAYMENTS, st.integers(0, 50_000), st.sampled_from(apr.CONVENTIONS))
def test_a_higher_fee_never_lowers_the_rate(payments, fee, convention):
    advanced = sum(payments) - 1
    dearer = max(1, advanced - fee)
    assert apr.of_monthly(dearer, payments, convention) >= apr.of_monthly(advanced, payments, convention)


@given(PAYMENTS, st.sampled_from(apr.CONVENTIONS))
def test_paying_more_never_lowers_the_rate(payments, convention):
    more = [payments[0] + 1, *payments[1:]]
    advanced = sum(payments)
    assert apr.of_monthly(advanced, more, convention) >= apr.of_monthly(advanced, payments, convention)


def test_a_usurious_loan_is_solved_too():
    assert apr.of_monthly(1_000, [1_000] * 119 + [2_000], "nominal") == pytest.approx(12.0)  # 100 % a month
