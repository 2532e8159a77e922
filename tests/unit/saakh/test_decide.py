"""Outcomes: an offer, a referral, a decline; champion and challenger."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saakh.decide import decide, draw, strategy_for
from saakh.errors import ArtifactError, ContractError
from saakh.offers import Ground
from saakh.terms_json import read, read_bytes
from tests.lending_terms import RUPEE, asks, lender, raw, strategy, terms

TEST = {"challenger": strategy("challenger"), "share": 0.25, "salt": "spring"}


@pytest.mark.parametrize(
    ("seen", "referral"),
    [
        ({"missing": 11}, "missing_inputs"),
        ({"problems": 1}, "faulty_inputs"),
    ],
)
def test_inputs_that_say_too_little_refer(seen, referral):
    decision = decide(terms(), asks(), 0.01, 600, **seen)
    assert (decision.outcome, decision.referrals) == ("refer", (referral,))
    assert decision.offers  # what a person may confirm


def test_a_decline_on_risk_is_not_left_to_inputs_that_say_too_little():
    assert decide(terms(), asks(), 0.5, 400, missing=11).outcome == "refer"
    assert decide(terms(), asks(), 0.5, 400, missing=10).outcome == "decline"


def test_large_amounts_and_high_risks_are_referred_from_the_bound_on():
    rule = {"missing_max": 10, "problems_max": 0, "pd_from": 0.05, "amount_minor_from": 30_000 * RUPEE}
    under = terms(referral=rule)
    assert decide(under, asks(), 0.049, 600).outcome == "offer"
    assert decide(under, asks(), 0.05, 600).referrals == ("high_risk",)
    assert decide(under, asks(30_000), 0.01, 600).referrals == ("large_amount",)


def test_nothing_on_offer_for_another_ground_than_risk_is_declined_not_referred():
    decision = decide(terms(), asks(months=12), 0.01, 600, missing=11)
    assert (decision.outcome, decision.grounds) == ("decline", (Ground.TERM,))


def test_grounds_are_those_of_the_lenders_that_came_to_judge_each_named_once():
    judging = lender("b", points_least=700), lender("c", points_least=800)
    assert decide(terms(lender("a", months=[6]), *judging), asks(), 0.01, 600).grounds == (Ground.RISK,)


def test_where_no_lender_came_to_judge_every_ground_is_named():
    under = terms(lender("a", months=[6]), lender("b", channels=["web"]), lender("c", months=[6]))
    assert decide(under, asks(), 0.01, 600).grounds == (Ground.TERM, Ground.CHANNEL)


def test_a_probability_that_is_none_is_refused():
    with pytest.raises(ContractError, match="between 0 and 1"):
        decide(terms(), asks(), float("nan"), 600)


def test_the_same_application_always_meets_the_same_strategy():
    under = terms(experiment=TEST)
    names = [strategy_for(under, f"application-{i}").name for i in range(4_000)]
    assert names == [strategy_for(under, f"application-{i}").name for i in range(4_000)]
    assert names.count("challenger") == pytest.approx(1_000, abs=110)  # four standard deviations


def test_the_draw_is_fixed_for_all_time():
    # SHA-256 of "6:springa": its first 53 bits over 2 ** 53
    assert draw("spring", "a") == pytest.approx(0.8795842659350385, abs=0)


def test_another_salt_draws_other_applications():
    first = [draw("spring", str(i)) < 0.5 for i in range(1_000)]
    second = [draw("autumn", str(i)) < 0.5 for i in range(1_000)]
    assert 400 < sum(a == b for a, b in zip(first, second, strict=True)) < 600


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_draw_lies_from_zero_to_below_one(salt, application):
    assert 0 <= draw(salt, application) < 1


def test_a_share_of_zero_or_one_leaves_nobody_or_everybody():
    assert strategy_for(terms(experiment=TEST | {"share": 0}), "a").name == "flat"
    assert strategy_for(terms(experiment=TEST | {"share": 1}), "a").name == "challenger"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"protocol": 2}, "protocol"),
        ({"apr": "flat"}, r"decision.json.apr is not text of the form"),
        ({"lenders": []}, "must be 1 to 100"),
        ({"lenders": [lender(), lender()]}, "another name"),
        ({"lenders": [lender(most_minor=100)]}, "must rise"),
        ({"lenders": [lender(months=[6, 3])]}, "months must rise"),
        ({"lenders": [lender(cooling_off_days=0)]}, "cooling_off_days"),
        ({"lenders": [lender(licence=lender()["licence"] | {"valid_from": "2026-02-30"})]}, "valid_from is not a day"),
        ({"lenders": [lender(licence=lender()["licence"] | {"valid_from": "2027-01-01"})]}, "ends before it begins"),
        ({"champion": strategy(amounts=[100])}, "must have 2 cut-offs"),
        ({"champion": strategy(limits=[{"pd_up_to": p, "most_minor": 10**6} for p in (0.2, 0.1)])}, "most_minor"),
        ({"lenders": [lender(economics=lender()["economics"] | {"profit_bp_least": 101})]}, "above the margin asked"),
        ({"surprise": 1}, "unknown keys surprise"),
    ],
)
def test_terms_that_are_not_right_are_refused_by_name(change, said):
    with pytest.raises(ArtifactError, match=said):
        read(raw(**change))


def test_terms_that_are_no_json_or_too_large_are_refused():
    with pytest.raises(ArtifactError, match="not readable JSON"):
        read_bytes(b"{")
    with pytest.raises(ArtifactError, match="larger than"):
        read_bytes(b" " * 1024 * 1024 + b"{}")
