"""The population stability index as the field computes it, and limits that keep their promise at any sample size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.monitor.alarms import AREAS, Question, judged, severity
from pipeline.monitor.stability import banded, edges, mean_p, merged, psi, share_p, shift, worth

TABLE = (
    # expected, actual, index of the band to four decimals: a stability report of ten score bands
    *((0.08, 0.07, 0.0013), (0.10, 0.08, 0.0045), (0.09, 0.07, 0.0050), (0.13, 0.09, 0.0147), (0.11, 0.11, 0.0)),
    *((0.10, 0.11, 0.0010), (0.09, 0.10, 0.0011), (0.10, 0.12, 0.0036), (0.11, 0.11, 0.0), (0.09, 0.14, 0.0221)),
)


def test_the_index_of_a_stability_report_is_the_sum_of_its_bands():
    expected, actual, index = (np.array(column) for column in zip(*TABLE, strict=True))
    assert psi(expected, actual) == pytest.approx(index.sum(), abs=0.0002)
    assert round(psi(expected, actual), 4) == 0.0533


@pytest.mark.parametrize(
    ("expected", "actual", "index"),
    [
        ((6, 5), (5, 4), 0.00041),  # strappy 0.0.3, tests/test_psi.py: 6 and 5 of eleven, then 5 and 4 of nine
        ((25, 25, 25, 25), (10, 20, 30, 40), 0.2282),
        ((50, 50), (60, 40), 0.0405),
        ((100, 200, 700), (100, 200, 700), 0.0),
    ],
)
def test_the_index_is_the_conventions_on_worked_examples(expected, actual, index):
    places = len(str(index).split(".")[1])
    assert round(psi(np.array(expected), np.array(actual)), places) == index


def test_four_bands_by_hand():
    # (0.10−0.25)·ln(0.4) + (0.20−0.25)·ln(0.8) + (0.30−0.25)·ln(1.2) + (0.40−0.25)·ln(1.6)
    by_hand = 0.137444 + 0.011157 + 0.009116 + 0.070501
    assert psi(np.array([1, 1, 1, 1]), np.array([1, 2, 3, 4])) == pytest.approx(by_hand, abs=2e-6)


def test_a_band_empty_on_one_side_counts_as_half_of_one_and_on_both_not_at_all():
    assert psi(np.array([50, 50, 0]), np.array([50, 50, 0])) == 0
    some = psi(np.array([50, 49, 0]), np.array([49, 49, 1]))
    assert np.isfinite(some)
    assert some == pytest.approx(psi(np.array([100, 98, 1]), np.array([98, 98, 2])))


@given(st.lists(st.tuples(st.integers(1, 900), st.integers(1, 900)), min_size=2, max_size=12))
def test_the_index_is_never_negative_and_the_same_both_ways(pairs):
    one, other = (np.array(side) for side in zip(*pairs, strict=True))
    assert psi(one, other) >= 0
    assert psi(one, other) == pytest.approx(psi(other, one))
    assert psi(one, 3 * one) == pytest.approx(0, abs=1e-12)


def test_the_limit_is_the_chi_square_of_the_samples_sizes():
    # chi-square of nine degrees of freedom: 16.919 at 95 %; of 1,000 and 500: · (1/1000 + 1/500)
    even = np.full(10, 100)
    found = shift(even, even // 2, 1_000, 500, alarm=0.05, tolerated=0.0)
    assert found.limit == pytest.approx(16.919 * 0.003, abs=1e-5)
    assert found.p == pytest.approx(1.0)


@pytest.mark.parametrize(("batch", "bands"), [(150, 6), (3_000, 10)])
def test_samples_of_one_population_alarm_as_often_as_asked(batch, bands):
    draw, share = np.random.default_rng(7), np.full(bands, 1 / bands)
    before, after = (draw.multinomial(rows, share, 1_000) for rows in (2_000, batch))
    found = [shift(e, a, 2_000, batch, 0.05, 0.0) for e, a in zip(before, after, strict=True)]
    assert np.mean([one.psi > one.limit for one in found]) == pytest.approx(0.05, abs=0.02)


def test_a_trifle_does_not_alarm_however_large_the_samples_and_a_change_does():
    even, off = np.full(10, 1_000_000), np.full(10, 1_000_000)
    off[0], off[1] = 1_100_000, 900_000  # an index of 0.002
    assert shift(even, off, 1e7, 1e7, 0.001, tolerated=0.02).p > 0.99
    assert shift(even, off, 1e7, 1e7, 0.001, tolerated=0.0).p < 1e-9
    off[0], off[1] = 1_700_000, 300_000
    assert shift(even, off, 1e7, 1e7, 0.001, tolerated=0.02).p < 1e-9


def test_bands_of_few_join_their_smaller_neighbour_and_nothing_is_lost():
    expected, actual = merged(np.array([500, 3, 400, 97]), np.array([50, 1, 40, 9]))
    assert expected.tolist() == [500, 403, 97]
    assert actual.tolist() == [50, 41, 9]


def test_bands_hold_equal_parts_of_the_reference_and_missing_is_one():
    values = np.append(np.arange(100.0), [np.nan] * 7)
    codes = banded(values, edges(values, 10_000))
    assert np.bincount(codes).tolist() == [7] + [10] * 10
    assert len(edges(values, 60)) == 1
    assert banded(np.array([5.0, 5.0, np.nan]), edges(np.full(50, 5.0), 50)).tolist() == [1, 1, 0]


def test_a_person_with_many_rows_counts_as_one_at_worst():
    assert worth(np.arange(40)) == 40
    assert worth(np.repeat(np.arange(10), 4)) == 10


def test_shares_and_means_within_what_is_tolerated_are_no_change():
    assert share_p(0.10, 0.119, 1e6, 1e6, 0.02) == 1.0
    assert share_p(0.10, 0.15, 2_000, 2_000, 0.02) < 0.01
    values = np.arange(1_000.0) / 10
    assert mean_p(values, values + 0.9, 1_000, 1_000, 1.0) == 1.0
    assert mean_p(values, values + 9.0, 1_000, 1_000, 1.0) < 1e-4
    assert mean_p(np.zeros(5), np.zeros(5), 5, 5, 0.0) == 1.0


def test_an_areas_tests_share_its_budget_and_the_gravest_comes_first():
    assert sum(AREAS.values()) == pytest.approx(1)
    many = [Question("inputs", f"i{k}", 0.0006, False, "an input") for k in range(20)]
    assert judged(many, 0.05) == []
    assert len(judged(many[:10], 0.05)) == 10
    grave = Question("early", "june", 1e-3, True, "instalments")
    found = judged([*many[:2], grave], 0.05)
    assert [alarm["severity"] for alarm in found] == ["act", "watch", "watch"]
    assert (severity(found), severity(found[1:]), severity([])) == ("act", "watch", "calm")
