import numpy as np
import pytest

from models.calibration import IDENTITY, calibrated, chosen, errors, logit


def world(slope, shift, rows=6_000, seed=3):
    rng = np.random.default_rng(seed)
    score = rng.normal(-2, 0.8, rows)
    bad = rng.random(rows) < 1 / (1 + np.exp(-(slope * score + shift)))
    return score, bad, np.arange(rows), np.arange(rows) * 5 // rows


def test_true_scores_are_left_alone():
    assert chosen(*world(1.0, 0.0)) == ("identity", IDENTITY)


@pytest.mark.parametrize(("slope", "shift"), [(0.5, -1.0), (1.0, 0.6), (1.6, 1.2)])
def test_scores_that_are_off_are_put_right(slope, shift):
    name, found = chosen(*world(slope, shift))
    assert name == "logit"
    assert found.slope == pytest.approx(slope, abs=0.12)
    assert found.intercept == pytest.approx(shift, abs=0.25)


def test_observed_equals_expected_after_a_logit():
    score, bad, _, _ = world(0.7, 0.3)
    expected = 1 / (1 + np.exp(-calibrated(score, logit(score, bad))))
    assert expected.sum() == pytest.approx(bad.sum(), rel=1e-4)


def test_a_few_loans_prove_nothing():
    score, bad, person, fold = world(1.0, 0.1, rows=100)
    assert chosen(score, bad, person, fold)[0] == "identity"


def test_a_persons_gains_count_together():
    gain = np.array([1.0, 1.0, -1.0, -1.0, 3.0])
    assert errors(gain, np.arange(5)) == pytest.approx(3 / np.sqrt(2 * 0.4**2 + 2 * 1.6**2 + 2.4**2))
    assert errors(gain, np.array([0, 0, 1, 1, 2])) == pytest.approx(3 / np.sqrt(1 + 9 + 4))
    assert errors(np.zeros(3), np.arange(3)) == 0.0
