"""Points, odds and bands: 600 is 50:1, 20 points double the odds, and a cut-off belongs to the band above it."""

from math import log

import numpy as np
import pytest

from saakh.scale import Band, Bands, Scale, probabilities, probability

SCALE = Scale(600, 50, 20)


def test_factor_and_offset_are_the_published_ones():
    assert round(SCALE.factor, 4) == 28.8539
    assert round(SCALE.offset, 3) == 487.123


@pytest.mark.parametrize(
    "good_to_bad, points", [(50, 600), (100, 620), (25, 580), (200, 640), (1, 487.1228762), (0.5, 467.1228762)]
)
def test_points_double_the_odds_every_twenty(good_to_bad, points):
    assert SCALE.points(-log(good_to_bad)) == pytest.approx(points, abs=1e-6)


@pytest.mark.parametrize("base, odds, pdo", [(600, 50, 20), (660, 15, 40), (500, 1, 50)])
def test_any_scale_has_its_base_at_its_odds(base, odds, pdo):
    scale = Scale(base, odds, pdo)
    assert scale.points(-log(odds)) == pytest.approx(base, abs=1e-9)
    assert scale.points(-log(2 * odds)) == pytest.approx(base + pdo, abs=1e-9)


@pytest.mark.parametrize("log_odds, pd", [(0, 0.5), (-log(50), 1 / 51), (log(50), 50 / 51), (-800, 0), (800, 1)])
def test_probability_is_the_logistic_of_log_odds_far_out_too(log_odds, pd):
    assert probability(log_odds) == pytest.approx(pd, abs=1e-15)
    assert probabilities(np.array([log_odds], float))[0] == pytest.approx(pd, abs=1e-15)


def test_a_score_on_a_cutoff_is_in_the_band_above():
    bands = Bands((Band("A", 600.0), Band("B", 520.0), Band("C", None)))
    points = [600.0, 599.999, 520.0, 519.999, -50.0, 900.0]
    assert [bands.of(p) for p in points] == ["A", "B", "B", "C", "C", "A"]
    assert bands.of_many(np.array(points)).tolist() == ["A", "B", "B", "C", "C", "A"]


def test_one_band_holds_all():
    assert Bands((Band("all", None),)).of(12.0) == "all"
