"""What is offered, at what price, and why not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saakh.decide import decide
from saakh.errors import ContractError
from saakh.key_facts import key_facts
from saakh.offers import Ground, Offer, ranked
from saakh.pricing import profit, rate_for, worths
from tests.lending_terms import RUPEE, TODAY, asks, lender, strategy, terms

PLAIN = terms().lenders[0]


def offer(pd: float, application=None, **changes) -> Offer:
    (found,) = decide(terms(**changes), application or asks(), pd, 600).offers
    return found


def test_a_safe_borrower_pays_the_least_rate():
    assert offer(0.001).rate_bp_month == 180


def test_the_rate_is_the_lowest_that_earns_the_margin():
    # 20,000 over 3 months at PD 0.10: 1 + 1 % margin + 0.5 % work − 2 % charges = 0.995; less 0.10 · 0.5, over 0.90
    needed = (0.995 - 0.05) / 0.90
    rate = rate_for(PLAIN, 0.10, 20_000 * RUPEE, 3)
    worth = worths(PLAIN, 3)
    assert worth[rate - 180] >= needed > worth[rate - 181]
    earned = profit(0.10, 20_000 * RUPEE, worth[rate - 180], PLAIN.economics, PLAIN.charges)
    assert 200 * RUPEE <= earned < 204 * RUPEE  # the margin, 1 % of 20,000, and less than one basis point more


def test_between_the_margin_and_no_profit_the_highest_rate_is_asked():
    # at 400 a month, 20,000 over 3 months is worth 1.0598: it earns the margin up to PD 0.116, something up to 0.134
    assert [rate_for(PLAIN, pd, 20_000 * RUPEE, 3) for pd in (0.115, 0.12, 0.13, 0.14)] == [398, 400, 400, None]


def test_no_expected_profit_within_the_cap_means_no_offer():
    decision = decide(terms(), asks(), 0.19, 600)
    assert (decision.outcome, decision.grounds) == ("decline", (Ground.RISK,))


def test_without_a_least_profit_cut_offs_alone_decide():
    economics = lender()["economics"] | {"profit_bp_least": None}
    under = terms(lender(economics=economics))
    assert decide(under, asks(), 0.2, 600).offers[0].rate_bp_month == 400
    assert decide(under, asks(), 0.2001, 600).outcome == "decline"


def test_certain_default_has_no_price():
    assert rate_for(PLAIN, 1.0, 20_000 * RUPEE, 3) is None


def test_instalments_take_no_more_than_their_share_of_income():
    # half of 10,000 is 5,000 a month: of 20,000 over 3 months (6,908 a month) 14,000 can be borne (4,836), not 14,500
    found = offer(0.01, asks(income=10_000))
    assert found.amount_minor == 14_000 * RUPEE
    assert found.instalment_minor <= 5_000 * RUPEE


def test_other_instalments_come_off_what_can_be_borne():
    found = offer(0.01, asks(income=10_000, obligations_minor=2_000 * RUPEE))
    assert found.instalment_minor <= 3_000 * RUPEE


def test_income_that_bears_no_loan_is_a_ground_of_its_own():
    decision = decide(terms(), asks(income=500), 0.01, 600)
    assert (decision.outcome, decision.grounds) == ("decline", (Ground.AFFORDABILITY,))


def test_unknown_income_bears_what_the_terms_say():
    rule = {"income_share": 0.5, "surplus_share": 0.8, "unknown_minor": 1_000 * RUPEE}
    assert offer(0.01, asks(income=None), affordability=rule).instalment_minor <= 1_000 * RUPEE
    assert decide(terms(), asks(income=None), 0.01, 600).grounds == (Ground.AFFORDABILITY,)


def test_limits_fall_with_risk():
    limits = [{"pd_up_to": 0.05, "most_minor": 50_000 * RUPEE}, {"pd_up_to": 0.1, "most_minor": 5_000 * RUPEE}]
    champion = strategy(limits=limits)
    assert offer(0.05, champion=champion).amount_minor == 20_000 * RUPEE
    assert offer(0.06, champion=champion).amount_minor == 5_000 * RUPEE
    assert decide(terms(champion=champion), asks(), 0.11, 600).grounds == (Ground.RISK,)


def test_cut_offs_go_by_amount_and_months():
    cutoffs = [{"months": 3, "pd_up_to": [0.02, 0.08]}, {"months": 6, "pd_up_to": [0.02, 0.04]}]
    champion = strategy(amounts=[5_000 * RUPEE], cutoffs=cutoffs)
    assert decide(terms(champion=champion), asks(5_000), 0.05, 600).outcome == "decline"
    assert decide(terms(champion=champion), asks(5_500), 0.05, 600).outcome == "offer"
    assert decide(terms(champion=champion), asks(5_500, months=6), 0.05, 600).outcome == "decline"


@pytest.mark.parametrize(
    ("changes", "asked", "ground"),
    [
        ({"points_least": 601}, {}, Ground.RISK),
        ({"income_minor_least": 50_000 * RUPEE}, {}, Ground.INCOME),
        ({"channels": ["app"]}, {"channel": "agent"}, Ground.CHANNEL),
        ({}, {"months": 12}, Ground.TERM),
        ({}, {"rupees": 500}, Ground.AMOUNT),
        ({"capacity_minor": 999 * RUPEE}, {}, Ground.FUNDS),
        ({"licence": lender()["licence"] | {"valid_until": "2026-05-31"}}, {}, Ground.LICENCE),
        ({"licence": lender()["licence"] | {"valid_from": "2026-06-02"}}, {}, Ground.LICENCE),
        ({}, {"is_adult": False}, Ground.AGE),
    ],
)
def test_each_refusal_has_its_ground(changes, asked, ground):
    decision = decide(terms(lender(**changes)), asks(**asked), 0.01, 600)
    assert decision.refused == {"plain": ground}
    assert (decision.outcome, decision.grounds) == ("decline", (ground,))


def test_a_licence_holds_on_its_first_and_last_day():
    licence = lender()["licence"] | {"valid_from": TODAY.isoformat(), "valid_until": TODAY.isoformat()}
    assert decide(terms(lender(licence=licence)), asks(), 0.01, 600).outcome == "offer"


def test_no_offer_above_the_cap_on_the_annual_rate():
    found = offer(0.01)
    assert decide(terms(apr_most=found.apr), asks(), 0.01, 600).outcome == "offer"
    assert decide(terms(apr_most=found.apr - 0.001), asks(), 0.01, 600).grounds == (Ground.RISK,)


def test_what_is_left_of_the_funds_bounds_the_amount():
    decision = decide(terms(), asks(), 0.01, 600, left={"plain": 3_250 * RUPEE})
    assert decision.offers[0].amount_minor == 3_000 * RUPEE


def test_figures_of_an_offer_reconcile():
    found = offer(0.01)
    assert found.charges_minor == 400 * RUPEE  # 2 % of 20,000
    assert found.net_minor == 19_600 * RUPEE
    assert found.paid_minor == found.amount_minor + found.interest_minor
    assert found.cost_minor == found.paid_minor - found.net_minor


def test_key_facts_are_those_of_the_reserve_banks_illustration():
    # 20,000 at 15 % a year over 24 months; 240 to the lender, 160 to third parties
    charges = {"share_bp": 0, "lender_minor": 24_000, "third_party_minor": 16_000, "late_bp_month": 0, "early_bp": 0}
    cutoffs = [{"months": 24, "pd_up_to": [1.0]}]
    one = lender(months=[24], rate_bp_least=125, charges=charges, economics=lender()["economics"] | {"margin_bp": 0})
    under = terms(one, champion=strategy(cutoffs=cutoffs))
    facts = key_facts(under, decide(under, asks(months=24), 0.0, 600).offers[0])
    assert facts.rate_year == pytest.approx(0.15)
    assert (facts.instalments, round(facts.instalment_minor / 100)) == (24, 970)
    assert (round(facts.interest_minor / 100), facts.net_minor / 100) == (3_274, 19_600)
    assert (facts.charges_minor + facts.third_party_minor, round(facts.paid_minor / 100)) == (40_000, 23_274)
    assert round(100 * facts.apr, 2) == 17.07
    assert sum(i.paid for i in facts.schedule) == facts.paid_minor


def test_offers_come_by_most_of_what_was_asked_then_by_cost():
    small = lender("small", most_minor=5_000 * RUPEE, rate_bp_least=0)
    cheap = lender("cheap", rate_bp_least=170)
    found = decide(terms(lender(), small, cheap), asks(months=None), 0.001, 600).offers
    assert [(o.lender, o.months) for o in found] == [
        ("cheap", 3),
        ("plain", 3),
        ("cheap", 6),
        ("plain", 6),
        ("small", 3),
        ("small", 6),
    ]


OFFERS = decide(
    terms(lender("b"), lender("a"), lender("c", most_minor=5_000 * RUPEE)), asks(months=None), 0.05, 600
).offers


@given(st.randoms(use_true_random=False))
def test_ranking_does_not_depend_on_the_order_of_offers(order: random.Random):
    shuffled = list(OFFERS)
    order.shuffle(shuffled)
    assert ranked(shuffled) == OFFERS


PDS = st.floats(0, 1)
ECONOMICS = st.fixed_dictionaries(
    {
        "loss_given_default": st.floats(0, 1),
        "funds_bp_month": st.integers(0, 300),
        "work_minor": st.integers(0, 50_000),
        "margin_bp": st.integers(0, 500),
        "profit_bp_least": st.none() | st.integers(-200, 0),
    }
)


@given(PDS, PDS, ECONOMICS, st.integers(0, 5_000), st.integers(2, 200), st.sampled_from([3, 6]))
def test_more_risk_never_lowers_the_price(one, other, economics, share_bp, steps, months):
    charges = lender()["charges"] | {"share_bp": share_bp}
    (who,) = terms(lender(rate_bp_least=0, rate_bp_most=1_000, economics=economics, charges=charges)).lenders
    low, high = (rate_for(who, pd, steps * 50_000, months) for pd in sorted((one, other)))
    assert high is None or (low is not None and low <= high)


CLASSES = st.lists(st.floats(0, 0.4), min_size=3, max_size=3)


@given(PDS, PDS, st.integers(1_000, 100_000), st.integers(0, 60_000), CLASSES, ECONOMICS)
def test_more_risk_never_gets_a_larger_or_a_cheaper_loan(one, other, rupees, income, edges, economics):
    champion = strategy(amounts=[500_000, 2_000_000], cutoffs=[{"months": 3, "pd_up_to": edges}])
    under = terms(lender(months=[3], economics=economics), champion=champion)
    low, high = (decide(under, asks(rupees, income=income), pd, 600).offers for pd in sorted((one, other)))
    if high:
        assert low[0].amount_minor >= high[0].amount_minor
        assert low[0].rate_bp_month <= high[0].rate_bp_month


@given(st.floats(0, 0.2), st.integers(1_000, 100_000), st.integers(0, 60_000))
def test_no_larger_loan_could_have_been_borne(pd, rupees, income):
    under = terms(lender(months=[3]))
    for found in decide(under, asks(rupees, income=income), pd, 600).offers:
        bearable = income * RUPEE // 2
        assert found.instalment_minor <= bearable
        larger = found.amount_minor + 50_000
        if larger <= rupees * RUPEE and larger <= 100_000 * RUPEE:
            rate = rate_for(under.lenders[0], pd, larger, 3)
            exact = larger * rate / 10_000 / (1 - (1 + rate / 10_000) ** -3)
            assert exact > bearable - 1


def test_an_application_asks_for_something():
    with pytest.raises(ContractError, match="above zero"):
        asks(0)


def test_charges_that_take_the_whole_loan_are_refused():
    charges = lender()["charges"] | {"lender_minor": 1_000 * RUPEE}
    with pytest.raises(ContractError, match="take all of its smallest loans"):
        decide(terms(lender(charges=charges, rate_bp_most=10_000)), asks(1_000), 0.0, 600)
