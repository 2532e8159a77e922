import numpy as np
import pytest

from models.linear import Scaling, as_part, fits, log_odds, quartiles, ridge, scaled, stretched
from saakh.scale import Calibration


def world(rows=900, seed=2):
    rng = np.random.default_rng(seed)
    x = np.exp(rng.normal(size=(rows, 3)))
    bad = rng.random(rows) < 1 / (1 + np.exp(1.0 - np.log(x[:, 0]) + 0.7 * np.log(x[:, 1])))
    x[rng.random(x.shape) < 0.1] = np.nan
    return x, bad


def test_scaling_is_by_median_and_interquartile_range_in_four_digits():
    x = np.array([[1.0, 0.0], [2.0, 0.0], [3.123456, 0.0], [4.0, 0.0], [5.0, 8.0]])
    scaling = Scaling.of(x)
    assert scaling.center.tolist() == [3.123, 0.0]
    assert scaling.scale.tolist() == [2.0, 3.2]  # the second has no range: its deviation, √(64/5 − 2.56)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 100, 4_341])
def test_quartiles_are_numpys_to_the_last_bit(count):
    rng = np.random.default_rng(count)
    for values in (rng.normal(size=count), np.exp(9 * rng.normal(size=count)), rng.integers(0, 4, count) * 0.1):
        assert quartiles(values).tolist() == np.quantile(values, (0.25, 0.5, 0.75)).tolist()


def test_a_zero_has_no_sign_whichever_is_met():
    x = np.array([[-0.0], [-0.0], [0.0], [1.0], [-1.0]])
    assert str(Scaling.of(x).center[0]) == "0.0"


def test_rows_scaled_with_their_scaling_are_what_it_makes_of_them():
    x, _ = world()
    some = np.flatnonzero(np.arange(len(x)) % 3 > 0)
    scaling, z = scaled(x, some)
    assert (z == scaling(x, some)).all()
    assert (z == Scaling.of(x[some])(x[some])).all()


def test_missing_stands_at_the_mean():
    x, _ = world()
    z = Scaling.of(x)(x)
    assert (z[np.isnan(x)] == 0).all()
    assert np.abs(z.mean(axis=0)).max() < 1e-9


def test_coefficients_keep_the_declared_signs():
    x, bad = world()
    z = Scaling.of(x)(x)
    free, bound = (fits(z, bad, m, (30.0,))[-1] for m in ((0, 0, 0), (-1, 1, 0)))
    assert free[1] > 0.3
    assert free[2] < -0.3
    assert bound[1:3].tolist() == [0.0, 0.0]


def test_the_fit_is_the_least_penalised_loss():
    x, bad = world()
    z = Scaling.of(x)(x)
    (at,) = fits(z, bad, (0, 0, 0), (50.0,))

    def loss(b):
        score = z @ b[1:] + b[0]
        return np.logaddexp(0, np.where(bad, -score, score)).sum() + 25 * (b[1:] ** 2).sum()

    for step in np.eye(4) * 0.01:
        assert loss(at) < min(loss(at + step), loss(at - step))


def test_the_runtimes_part_says_the_same():
    x, bad = world()
    scaling = Scaling.of(x)
    at = fits(scaling(x), bad, (0, 0, -1), (30.0,))[-1]
    part = as_part(at, scaling, 0.3)
    said = part.intercept + part.effects_of(x).sum(axis=1)
    assert said == pytest.approx(0.3 * log_odds(scaling(x), at), abs=1e-12)


def test_a_column_of_nothing_or_of_one_value_changes_nothing():
    x = np.column_stack([np.full(200, np.nan), np.full(200, 7.0), np.arange(200.0)])
    scaling = Scaling.of(x)
    at = fits(scaling(x), np.arange(200) % 3 == 0, (0, 0, 0), (30.0,))[-1]
    assert as_part(at, scaling, 1.0).feature.tolist() == [2]


def test_the_penalty_is_the_inverse_of_a_prior_that_frees_what_is_declared_and_ties_what_goes_together():
    z = np.array([[1.0, 1.0], [1.0, 1.0], [-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])  # correlation 1/3
    prior = np.array([[1.0, 1 / 6], [1 / 6, 1.0]])  # half its variance is tied
    assert np.linalg.inv(ridge(z, (1, -1))) == pytest.approx(prior)
    assert np.linalg.inv(ridge(z, (0, 0))) == pytest.approx(prior)  # nothing is declared: nothing is known
    assert np.linalg.inv(ridge(z, (1, 0))) == pytest.approx(prior / np.outer([1, 8**0.5], [1, 8**0.5]))


def test_what_goes_together_shares_the_weight():
    rng = np.random.default_rng(1)
    both = rng.normal(size=2_000)
    x = np.stack([both + rng.normal(size=2_000) / 3, both + rng.normal(size=2_000) / 3], axis=1)
    bad = rng.random(2_000) < 1 / (1 + np.exp(2.0 - x[:, 0]))
    z = Scaling.of(x)(x)
    plain, shared = (fits(z, bad, (1, 1), (200.0,), r)[0] for r in (None, ridge(z, (1, 1))))
    assert shared[2] / shared[1] > plain[2] / plain[1] + 0.05


def test_a_stretched_fit_says_what_calibration_makes_of_it():
    x, bad = world()
    z = Scaling.of(x)(x)
    (at,) = fits(z, bad, (0, 0, 0), (30.0,))
    wanted = 1.5 * (log_odds(z, at) + 2.0) - 0.25
    assert log_odds(z, stretched(at, -2.0, Calibration(1.5, -0.25))) == pytest.approx(wanted)
