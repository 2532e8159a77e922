import numpy as np
import pytest

from models.linear import Scaling, as_part, fits, log_odds


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
