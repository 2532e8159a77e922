"""Charts in numbers: round axes, honest groups, dots that nobody can be told from."""

import re

import numpy as np
import pytest

from pipeline.explain.charts import SWARM_STACK, axis, bands, direction_found, round_step, shades, swarms
from saakh.spec import FeatureSpec


def _spec(name: str) -> FeatureSpec:
    said = {"description": name, "table": "calls", "category": "communication", "unit": "count", "reason": name}
    return FeatureSpec.from_dict({"name": name, "family": "social", "risk": 0, "fingerprint": "0" * 64, **said})


@pytest.mark.parametrize(("least", "step"), [(0.9, 1), (1.0, 1), (1.1, 2), (2.2, 2.5), (3, 5), (7, 10), (0.03, 0.05)])
def test_steps_are_round(least: float, step: float):
    assert round_step(least) == pytest.approx(step)


def test_an_axis_starts_and_ends_on_round_numbers_and_holds_what_it_must():
    found = axis([-7.3, 4.1], 6, through=0.0)
    assert found.ticks == (-8, -6, -4, -2, 0, 2, 4, 6)
    assert (found.at(-8), found.at(6), found.at(-1)) == (0.0, 100.0, 50.0)


def test_an_axis_of_one_value_or_none_still_has_a_length():
    assert axis([3.0]).low < 3 < axis([3.0]).high
    assert axis([]).low < axis([]).high


def test_shades_follow_the_rank_and_missing_has_its_own():
    assert shades(np.array([5.0, np.nan, 1.0, 9.0])).tolist() == [3, -1, 1, 5]
    assert shades(np.full(4, 2.0)).tolist() == [3, 3, 3, 3]
    assert shades(np.full(2, np.nan)).tolist() == [-1, -1]


def test_equal_values_stay_in_one_band_and_missing_comes_first():
    values = np.array([0.0] * 30 + [1.0] * 12 + [2.0] * 15 + [np.nan] * 11)
    found = bands(values, values, most=3)
    assert [(band.rows, band.median) for band in found] == [(11, None), (30, 0.0), (27, 1.0 + 1.0)]


def test_no_band_holds_fewer_than_ten_applicants():
    values = np.concatenate([np.arange(95.0), [np.nan] * 9])
    found = bands(values, np.zeros(104), most=10)
    assert sum(band.rows for band in found) == 95
    assert min(band.rows for band in found) >= 10
    assert bands(np.arange(9.0), np.zeros(9)) == ()


def test_bands_do_not_depend_on_the_order_of_rows():
    draw = np.random.default_rng(1)
    values, points = draw.integers(0, 6, 200).astype(float), draw.normal(size=200)
    order = draw.permutation(200)
    for one, other in zip(bands(values, points), bands(values[order], points[order]), strict=True):
        assert (one.rows, one.median, one.low, one.high) == (other.rows, other.median, other.low, other.high)
        assert one.mean == pytest.approx(other.mean, abs=1e-12)


@pytest.mark.parametrize(
    ("points", "direction"),
    [([5, 3, -4], 1), ([-4, 3, 5], -1), ([-4, 3, 2.9, 5], -1), ([-4, 5, -4], 0), ([1, 1, 1], 0)],
)
def test_the_learned_direction_is_that_of_the_risk_and_small_steps_back_do_not_count(points, direction: int):
    values = np.repeat(np.arange(len(points), dtype=float), 10)
    assert direction_found(bands(values, np.repeat(np.array(points, dtype=float), 10))) == direction


def test_a_crowded_column_is_thinned_and_a_lonely_dot_stays():
    points = np.array([0.0] * 500 + [9.0])
    _, (row,) = swarms([_spec("a")], np.zeros((501, 1)), points[:, None])
    dots = re.findall(r"M(\d+) ([\d.]+)h0", "".join(path for _, path in row.layers))
    columns = [int(x) for x, _ in dots]
    assert columns.count(columns[0]) == SWARM_STACK
    assert len(dots) == SWARM_STACK + 1
    assert all(0 <= float(y) <= 38 for _, y in dots)


def test_dots_of_two_features_cannot_be_told_to_belong_together():
    draw = np.random.default_rng(2)
    values, points = draw.normal(size=(60, 2)), draw.normal(size=(60, 2))
    shuffled = np.column_stack([values[:, 0], draw.permutation(values[:, 1])])
    _, rows = swarms([_spec("a"), _spec("b")], values, points)
    order = draw.permutation(60)
    _, again = swarms([_spec("a"), _spec("b")], values[order], points[order])
    assert [row.layers for row in rows] == [row.layers for row in again]
    assert rows[0].layers == swarms([_spec("a"), _spec("b")], shuffled, points)[1][0].layers
