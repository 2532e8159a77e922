"""What a policy costs: ranking and approvals, weighted by what is known of each loan."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from models.discrimination import Estimate
from pipeline.params import Params
from pipeline.policy import read_policies
from pipeline.policy.costs import Scored, approved, bad_rate, beside, lost, weighted_auc

PARAMS = Params.model_validate(
    {"policy": "explicit-consent", "as_of": "2026-06-01T00:00:00Z", "evaluate": {"resamples": 200}}
)


def scored(log_odds: list[float], risk: list[float]) -> Scored:
    bad = np.array(risk) >= 0.5
    return Scored(np.array(log_odds, float), bad, np.array(risk, float), np.arange(len(risk)))


def test_auc_by_outcomes_is_the_usual_one_and_ties_count_half() -> None:
    rng = np.random.default_rng(1)
    score, bad = rng.integers(0, 9, 400).astype(float), rng.random(400) < 0.3
    every = np.ones((1, 400))
    assert weighted_auc(score, bad.astype(float), every)[0] == pytest.approx(roc_auc_score(bad, score), abs=1e-12)
    weight = rng.integers(0, 4, (3, 400)).astype(float)
    expected = [roc_auc_score(bad, score, sample_weight=row) for row in weight]
    assert weighted_auc(score, bad.astype(float), weight) == pytest.approx(expected, abs=1e-12)


def test_auc_by_true_probabilities_is_its_mean_over_outcomes() -> None:
    """Two loans, bad with 0.6 and 0.2, the first scored above: it is bad and the other good with 0.6 · 0.8."""
    found = weighted_auc(np.array([1.0, 0.0]), np.array([0.6, 0.2]), np.ones((1, 2)))[0]
    pairs = (0.6 + 0.2) * (0.4 + 0.8)
    own = (0.6 * 0.4 + 0.2 * 0.8) / 2  # a loan against itself is a tie
    assert found == pytest.approx((0.6 * 0.8 + own) / pairs)


def test_approvals_are_the_most_that_keep_to_the_bad_rate() -> None:
    """Safest first: good, good, bad, good, bad. Rates: 0, 0, 1/3, 1/4, 2/5."""
    of = scored([-5, -4, -3, -2, -1], [0, 0, 1, 0, 1])
    assert bad_rate(of, 0.6) == pytest.approx(1 / 3)
    assert approved(of, 1 / 3) == 0.8
    assert approved(of, 0.2) == 0.4
    assert approved(of, 0.4) == 1.0
    assert approved(scored([-2, -1], [1, 0]), 0.4) == 0.0


def test_loans_of_one_score_share_their_risk() -> None:
    one, other = scored([0, 0, 0, 1], [0, 1, 0, 1]), scored([0, 0, 0, 1], [1, 0, 0, 1])
    assert bad_rate(one, 0.25) == bad_rate(other, 0.25) == pytest.approx(1 / 3)


def test_what_is_lost_has_an_interval_when_the_same_loans_are_scored() -> None:
    rng = np.random.default_rng(2)
    risk = (rng.random(600) < 0.3).astype(float)
    good, poor = risk + rng.normal(0, 1, 600), risk + rng.normal(0, 3, 600)
    found = lost(PARAMS, scored(list(good), list(risk)), scored(list(poor), list(risk)))
    assert 0 < found.low < found.value < found.high
    assert lost(PARAMS, scored(list(good), list(risk)), scored(list(good), list(risk))) == Estimate(0.0)
    fewer = lost(PARAMS, scored(list(good), list(risk)), scored(list(good[1:]), list(risk[1:])))
    assert (fewer.low, fewer.high) == (None, None)


def test_only_policies_that_allow_nothing_more_can_be_held_against_a_run() -> None:
    names = [policy.name for policy in beside(read_policies(["explicit-consent"]))]
    assert "research-opt-in" not in names
    assert {"in-rbi-2025", "explicit-consent", "in-aa-ct001"} <= set(names)
    assert "research-opt-in" in [policy.name for policy in beside(read_policies(["research-opt-in"]))]
