import numpy as np
import pytest

from models.boosting import Inputs
from models.challengers import FARTHEST, Privacy, challengers, declared_range, within
from models.discrimination import auc

COLUMNS = 4
INPUTS = Inputs(
    tuple(f"f{i}" for i in range(COLUMNS)), (0,) * COLUMNS, ((None, None), (0.0, None), (0.0, 1.0), (-3, 3))
)
THERE = [one for one in challengers(Privacy(4.0, 1e-5)) if one.is_installed]


def loans(rows: int = 600):
    draw = np.random.default_rng(3)
    x = draw.normal(size=(rows, COLUMNS))
    x[:, 1:3] = np.abs(x[:, 1:3]) / 4
    bad = draw.random(rows) < 1 / (1 + np.exp(1.0 - 2 * x[:, 0] - x[:, 3]))
    x[draw.random(x.shape) < 0.1] = np.nan
    return x, bad


def test_boosters_additive_models_and_a_logistic_are_among_the_challengers():
    assert {"LightGBM", "XGBoost", "EBM", "logistic", "DP-EBM"} <= {one.name for one in THERE}


@pytest.mark.parametrize("one", THERE, ids=lambda one: one.name)
def test_each_challenger_ranks_loans_it_did_not_see_and_does_so_again(one):
    x, bad = loans()
    first, again = (one.fit(x[:400], bad[:400], INPUTS, 7)(x[400:]) for _ in range(2))
    assert np.array_equal(first, again)
    assert auc(first, bad[400:], np.arange(200), 0.95).value > 0.65


def test_privacy_is_a_challenger_only_where_it_is_asked_for_and_says_its_budget():
    assert "DP-EBM" not in [one.name for one in challengers(None)]
    assert challengers(Privacy(0.5, 1e-6))[-1].settings.startswith("ε = 0.5, δ = 1e-06 for each loan")


def test_ranges_for_privacy_follow_the_declarations_and_no_data():
    low, high = declared_range(INPUTS)
    assert high.tolist() == pytest.approx([FARTHEST, FARTHEST, np.arcsinh(1.0), np.arcsinh(3.0)])
    assert (low < [-FARTHEST, 0, 0, -np.arcsinh(3.0)]).all()
    bent = within(np.array([[np.nan, 2e9, -4.0, np.nan]]), low, high)
    assert bent.tolist() == [[low[0], pytest.approx(np.arcsinh(2e9)), low[2], low[3]]]
