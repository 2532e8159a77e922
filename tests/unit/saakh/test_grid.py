"""The grid: sums in any order are one number, and nothing off it is read."""

import json
from math import asinh, inf, nan

import numpy as np
import pytest

from models.model_text import on_grid
from saakh import archive
from saakh.errors import ArtifactError
from saakh.grid import STEP, rounded
from saakh.linear import transformed
from saakh.scorecard import Scorecard
from tests.small_scorecard import booster, packed, scorecard, table, text


def test_a_value_goes_to_the_nearest_multiple_and_the_upper_one_on_a_tie():
    assert rounded([0.0, 0.4 * STEP, 0.5 * STEP, -0.5 * STEP, -0.6 * STEP]).tolist() == [0.0, 0.0, STEP, 0.0, -STEP]
    assert rounded(2 / 3) == pytest.approx(2 / 3, abs=STEP / 2)
    assert np.isnan(rounded(nan))


def test_what_a_scorecard_adds_up_comes_to_the_same_in_every_order():
    draw, card = np.random.default_rng(4), scorecard()
    x = np.nan_to_num(np.clip(table(50), -8, 8))
    lookup, linear = card.model.lookup, card.model.linear
    said = np.hstack((lookup.answers().each(lookup.patterns(x)), linear.effects_of(x)))
    orders = [draw.permutation(said.shape[1]) for _ in range(20)]
    sums = {tuple(np.cumsum(said[:, order], axis=1)[:, -1].tolist()) for order in orders}
    assert sums == {tuple((card.model.log_odds(x) - linear.intercept).tolist())}


def test_a_text_on_the_grid_is_left_alone():
    once = on_grid(text())
    assert once != text()
    assert on_grid(once) == once
    trees = booster(table(300), rounds=3).model_to_string()
    assert on_grid(on_grid(trees)) == on_grid(trees)


@pytest.mark.parametrize("changed", [{"intercept": 0.1}, {"intercept": 300.0}])
def test_an_intercept_off_the_grid_or_too_large_is_refused(changed):
    members = archive.unpack(packed())
    manifest = json.loads(members["manifest.json"])
    manifest["parts"][1] |= changed
    with pytest.raises(ArtifactError, match=r"2\^-44|too much"):
        Scorecard.from_members(members | {"manifest.json": json.dumps(manifest).encode()})


def test_the_transform_is_near_arcsinh_odd_and_never_falls():
    x = np.arange(-4_000, 4_001) / 100
    bent = transformed(x, np.zeros(1), np.ones(1))
    assert np.abs(bent - np.clip([asinh(v) for v in x], -4, 4)).max() < 0.007
    assert (np.diff(bent) >= 0).all()
    assert (bent == -bent[::-1]).all()


def test_the_transform_stays_at_four_far_out_and_missing_stays_missing():
    with np.errstate(over="ignore"):
        ends = transformed(np.array([1e308, -1e308, inf, nan]), np.full(4, -1e308), np.full(4, 1e-3))
    assert ends[:3].tolist() == [4.0, 0.0, 4.0]
    assert np.isnan(ends[3])
