import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from models.discrimination import Estimate, _area, auc, gini, logit_interval


def test_area_and_variance_by_hand():
    # bad score 3, 2, 2 against good 1, 2: pairs won 3>1, 3>2, 2>1, 2>1 and two ties, so 5 of 6.
    # Each bad loan's share of good ones below it: 1, 3/4, 3/4; each good one's of bad ones above: 1, 2/3.
    # Variances over 2 and over 1 degrees of freedom: (1/36 + 2/144)/2 = 1/48 and 2/36 = 1/18; 1/48/3 + 1/18/2 = 5/144.
    score, bad = np.array([3.0, 2.0, 2.0, 1.0, 2.0]), np.array([True, True, True, False, False])
    area, variance, pairs = _area(score, bad, np.arange(5))
    assert (area, variance, pairs) == pytest.approx((5 / 6, 5 / 144, 6), abs=1e-15)


def test_area_agrees_with_scikit_learn_ties_included():
    rng = np.random.default_rng(1)
    score, bad = np.round(rng.normal(size=400), 1), rng.random(400) < 0.2
    found = auc(score, bad, np.arange(400), 0.95)
    assert found.value == pytest.approx(roc_auc_score(bad, score), abs=1e-12)
    assert found.low < found.value < found.high


def test_variance_with_each_loan_counted_twice_is_that_of_the_people():
    rng = np.random.default_rng(2)
    score, bad, person = rng.normal(size=200), rng.random(200) < 0.3, np.arange(200)
    once = _area(score, bad, person)
    twice = _area(np.tile(score, 2), np.tile(bad, 2), np.tile(person, 2))
    assert twice[0] == pytest.approx(once[0], abs=1e-12)
    assert twice[1] == pytest.approx(once[1], rel=1e-9)


def test_only_pairs_of_one_fold_are_compared():
    score, bad = np.array([1.0, 0.0, 11.0, 10.0]), np.array([True, False, True, False])
    fold = np.array([0, 0, 1, 1])
    assert auc(score, bad, np.arange(4), 0.95).value == 0.75
    assert auc(score, bad, np.arange(4), 0.95, fold).value == 1.0


def test_folds_weigh_by_their_pairs_and_one_without_bad_loans_says_nothing():
    score = np.array([0.0, 1.0, 2.0, 3.0, 1.0, 0.0, 5.0, 6.0])
    bad = np.array([True, True, False, False, True, False, False, False])
    fold = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    assert auc(score, bad, np.arange(8), 0.95, fold).value == pytest.approx((4 * 0 + 1 * 1) / 5)


def test_area_without_bad_loans_is_not_defined():
    assert auc(np.array([1.0, 2.0]), np.array([False, False]), np.arange(2), 0.95) == Estimate(None, None, None)
    assert gini(Estimate(None)) == Estimate(None, None, None)


def test_interval_covers_the_truth_as_often_as_it_says():
    rng, truth, inside = np.random.default_rng(4), 0.714, 0  # two normals 0.8 apart: Φ(0.8/√2)
    for _ in range(400):
        bad = np.arange(240) < 30
        found = auc(rng.normal(size=240) + 0.8 * bad, bad, np.arange(240), 0.95)
        inside += found.low <= truth <= found.high
    assert 0.92 <= inside / 400 <= 0.98


def test_logit_interval_stays_within_bounds():
    low, high = logit_interval(0.98, 0.01, 0.95)
    assert 0 < low < 0.98 < high < 1


def test_an_area_that_nothing_could_move_has_no_interval():
    apart, bad, people = np.array([0.0, 1.0, 2.0, 3.0]), np.array([False, False, True, True]), np.arange(4)
    assert auc(apart, bad, people, 0.95) == Estimate(1.0)
    assert auc(-apart, bad, people, 0.95) == Estimate(0.0)


def test_one_bad_person_has_no_spread_and_the_area_no_interval():
    score, people = np.array([1.0, 0.0, 2.0, 3.0, 1.5]), np.array([0, 1, 2, 3, 0])
    assert auc(score, np.array([True, False, False, False, False]), people, 0.95) == Estimate(0.25)
    assert auc(score, np.array([True, False, False, False, True]), people, 0.95).low is None
    assert auc(score, np.array([True, False, True, False, False]), people, 0.95).low is not None


def test_gini_is_twice_the_area_less_one():
    assert gini(Estimate(0.75, 0.5, 1.0)) == Estimate(0.5, 0.0, 1.0)
