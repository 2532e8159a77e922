import numpy as np
import pytest
from scipy.special import expit, logit

from models.calibration_line import calibration_line


def test_two_groups_by_hand():
    # At log-odds −1 and 1, 1 of 4 and 3 of 4 went bad: outcomes lie at ∓ln 3, on a line of slope ln 3 through 0.
    log_odds = np.repeat([-1.0, 1.0], 4)
    bad = np.array([True, False, False, False, True, True, True, False])
    found = calibration_line(log_odds, bad, np.arange(8), 0.95)
    assert found["slope"].value == pytest.approx(np.log(3))
    assert found["intercept"].value == pytest.approx(0, abs=1e-12)
    assert found["intercept_at_slope_1"].value == pytest.approx(0, abs=1e-12)


def test_too_sure_and_too_hopeful_are_told_apart():
    rng = np.random.default_rng(1)
    truth = rng.normal(-2, 1, 40_000)
    bad = rng.random(40_000) < expit(truth)
    sure = calibration_line(2 * truth, bad, np.arange(40_000), 0.95)
    assert sure["slope"].low < 0.5 < sure["slope"].high < 1
    hopeful = calibration_line(truth - 0.5, bad, np.arange(40_000), 0.95)
    assert hopeful["slope"].low < 1 < hopeful["slope"].high
    assert hopeful["intercept_at_slope_1"].low < 0.5 < hopeful["intercept_at_slope_1"].high


def test_repeated_loans_of_a_person_widen_the_interval():
    rng = np.random.default_rng(2)
    log_odds = rng.normal(-1, 1, 500)
    bad = rng.random(500) < expit(log_odds)
    once = calibration_line(log_odds, bad, np.arange(500), 0.95)["slope"]
    thrice = calibration_line(np.tile(log_odds, 3), np.tile(bad, 3), np.tile(np.arange(500), 3), 0.95)["slope"]
    assert thrice.value == pytest.approx(once.value)
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high), rel=1e-9)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng, hits = np.random.default_rng(3), 0
    for _ in range(300):
        log_odds = rng.normal(logit(0.1), 0.8, 1_500)
        found = calibration_line(log_odds, rng.random(1_500) < expit(log_odds), np.arange(1_500), 0.95)
        hits += found["slope"].low <= 1 <= found["slope"].high
    assert 0.91 <= hits / 300 <= 0.985


def test_where_no_line_can_be_drawn_nothing_is_said():
    one_kind = calibration_line(np.arange(4.0), np.zeros(4, bool), np.arange(4), 0.95)
    separated = calibration_line(np.arange(4.0), np.array([False, False, True, True]), np.arange(4), 0.95)
    assert one_kind["slope"].value is None
    assert separated["slope"].value is None


def test_the_order_of_rows_does_not_show():
    rng = np.random.default_rng(4)
    log_odds = rng.normal(-1, 1, 300)
    bad, order = rng.random(300) < 0.3, rng.permutation(300)
    found = calibration_line(log_odds, bad, np.arange(300), 0.95)
    assert calibration_line(log_odds[order], bad[order], np.arange(300)[order], 0.95)["slope"] == found["slope"]
