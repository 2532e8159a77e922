"""Worlds without events are the same people with the same truth, and their features behave alike."""

from datetime import UTC, datetime

import numpy as np
import pytest

from pipeline.judge import expected_auc
from pipeline.workspace import read_json
from pipeline.world.clock import Span
from pipeline.world.direct import LEVELS, Measured, Sample, drivers, keep, measure, measured, sample
from pipeline.world.families import ALL, auc_by_family
from pipeline.world.knobs import BASE, world
from pipeline.world.part import Part, drawn
from saakh.spec import FAMILIES

MIDDLE = LEVELS.index(0.5)
SPAN = Span.of(datetime(2026, 6, 1, tzinfo=UTC), 480, 150)


@pytest.fixture(scope="module")
def taken() -> Sample:
    return sample(1, 8_000, 1, BASE, SPAN)


def test_the_truth_is_that_of_the_world_with_events(taken: Sample) -> None:
    lent = drawn(Part(0, 1, 8_000, 1, BASE, SPAN)).loans
    assert np.array_equal(taken.pd, lent.pd)
    assert np.array_equal(taken.is_bad, lent.is_bad)


def test_a_person_has_the_same_features_in_any_population(taken: Sample) -> None:
    few = sample(101, 140, 1, BASE, SPAN)
    rows = np.isin(taken.person, np.arange(101, 141))
    assert np.array_equal(taken.x[rows], few.x, equal_nan=True)


def test_features_keep_the_quantiles_that_were_measured(taken: Sample) -> None:
    how = measured()
    for k, name in enumerate(how.names):
        known = taken.x[~np.isnan(taken.x[:, k]), k]
        middle, spread = how.quantiles[k][MIDDLE], how.quantiles[k][MIDDLE + 8] - how.quantiles[k][MIDDLE - 8]
        assert abs(np.median(known) - middle) <= 0.12 * spread + 1e-9, name
        assert np.isnan(taken.x[:, k]).mean() == pytest.approx(how.missing[k], abs=0.02), name


def test_each_family_ranks_and_all_five_rank_as_published_models_do(taken: Sample) -> None:
    found = auc_by_family(taken.x, taken.families, taken.person, taken.pd, taken.is_bad)
    assert 0.64 < found[ALL] < 0.76 < expected_auc(taken.pd, taken.pd) < 0.84
    for family in FAMILIES:
        assert 0.53 < found[family] < 0.68, family


def test_a_biased_world_without_events_shows_the_group_as_worse() -> None:
    fair, biased = sample(1, 4_000, 1, BASE, SPAN), sample(1, 4_000, 1, world("biased"), SPAN)
    female = drawn(Part(0, 1, 4_000, 1, BASE, SPAN)).people.is_female[fair.person - 1]
    contacts = list(fair.names).index("call_contacts_90d")
    gaps = [np.nanmean(s.x[~female, contacts]) - np.nanmean(s.x[female, contacts]) for s in (fair, biased)]
    assert gaps[1] > 4 * abs(gaps[0])
    assert np.array_equal(fair.pd, biased.pd)


def test_what_is_measured_on_known_features_is_drawn_again(tmp_path) -> None:
    told = drawn(Part(0, 1, 4_000, 1, BASE, SPAN))
    what = drivers(told)
    rng = np.random.default_rng(1)
    shared = rng.normal(size=len(what))
    x = np.stack([what[:, 1] + shared + rng.normal(size=len(what)), np.exp(shared), what[:, 3]], axis=1)
    x[rng.random(len(what)) < 0.1, 2] = np.nan
    how = measure(what, x, ["one", "two", "three"], ["social", "brand", "identity"])
    keep(how, tmp_path / "measured.json")
    again = sample(1, 4_000, 1, BASE, SPAN, Measured(**read_json(tmp_path / "measured.json"))).x
    known = ~np.isnan(again[:, 2])
    assert np.corrcoef(again[:, 0], what[:, 1])[0, 1] == pytest.approx(1 / np.sqrt(3), abs=0.05)
    assert np.corrcoef(again[:, 0], np.log(again[:, 1]))[0, 1] == pytest.approx(1 / np.sqrt(3), abs=0.06)
    assert np.corrcoef(again[known, 2], what[known, 3])[0, 1] > 0.98
    assert 1 - known.mean() == pytest.approx(0.1, abs=0.02)
