import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta

from models.worth import Product, expected_profit, h_measure, pools, worth

PRODUCT = Product(gain=0.2, no_loss=0.5, whole_loss=0.25)


def loans(rows, seed):
    rng = np.random.default_rng(seed)
    score = rng.normal(size=rows).round(1)
    return score, rng.random(rows) < 1 / (1 + np.exp(2 - score))


def test_pools_join_what_is_out_of_order():
    # Bad rates by score: 1/2, 0, 1: the first two are out of order and become one pool of 1/4.
    score, bad = np.array([1.0, 1, 2, 2, 3]), np.array([True, False, False, False, True])
    rate, share = pools(score, bad, np.ones(5))
    assert rate.tolist() == [0.25, 1.0]
    assert share.tolist() == [0.8, 0.2]


def test_weights_count_like_copies():
    score, bad = loans(60, 1)
    times = np.random.default_rng(2).integers(0, 3, 60)
    weighted = pools(score, bad, times.astype(float))
    copied = pools(np.repeat(score, times), np.repeat(bad, times), np.ones(times.sum()))
    assert np.allclose(weighted, copied)


def test_the_h_measure_is_one_for_a_perfect_ranking_and_zero_for_none():
    assert h_measure(np.array([0.0, 1.0]), np.array([0.7, 0.3])) == pytest.approx(1)
    assert h_measure(np.array([0.3]), np.array([1.0])) == pytest.approx(0)
    assert np.isnan(h_measure(np.array([0.0]), np.array([1.0])))


def test_the_h_measure_is_its_definition_integrated_over_prices():
    # Two pools, a third of the loans at a bad rate of 1/2 and two thirds at 1/8: 1/4 overall, prices Beta(1.25, 1.75).
    def loss(c, rate, share):
        return (share * np.minimum(c * (1 - rate), (1 - c) * rate)).sum() * beta(1.25, 1.75).pdf(c)

    rate, share = np.array([0.125, 0.5]), np.array([2 / 3, 1 / 3])
    least, knowing_nothing = (
        quad(loss, 0, 1, args=found, points=[0.125, 0.25, 0.5])[0]
        for found in ((rate, share), (np.array([0.25]), np.array([1.0])))
    )
    assert h_measure(rate, share) == pytest.approx(1 - least / knowing_nothing, abs=1e-9)


def test_expected_profit_by_hand():
    # Bad rate 1/2, gain 1/5: 1/10 is earned. A whole loss (chance 1/4) costs 1/2, so refusing pays 2/5. A loss between
    # (chance 1/4) pays from 1/5 of the principal on: ∫ (λ/2 − 1/10) dλ over [1/5, 1] = 0.24 − 0.08 = 0.16.
    profit, refused = expected_profit(np.array([0.5]), np.array([1.0]), PRODUCT)
    assert profit == pytest.approx(0.25 * 0.4 + 0.25 * 0.16)
    assert refused == pytest.approx(0.25 + 0.25 * 0.8)


def test_nobody_is_refused_where_nobody_is_bad():
    assert expected_profit(np.array([0.0]), np.array([1.0]), PRODUCT) == (0.0, 0.0)


def test_intervals_hold_their_figures_and_the_order_of_rows_does_not_show():
    score, bad = loans(800, 3)
    person = np.arange(800) // 2
    found = worth(score, bad, person, PRODUCT, confidence=0.95, resamples=200, seed=1)
    assert all(e.low <= e.value <= e.high for e in found.values())
    assert 0 < found["h_measure"].value < 1
    order = np.random.default_rng(4).permutation(800)
    again = worth(score[order], bad[order], person[order], PRODUCT, confidence=0.95, resamples=200, seed=1)
    for name, estimate in again.items():
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx(
            (found[name].value, found[name].low, found[name].high), rel=1e-9
        )
