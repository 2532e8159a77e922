from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from models.rejects import Door, among_granted, bounds, by_expectation, by_inverse_propensity

HOW = {"confidence": 0.95, "resamples": 60, "seed": 1}


def door(rows: int = 12_000, explored: float = 0.2, seed: int = 1) -> Door:
    """A lender who declines by something that tells of risk beyond the score, but for a share granted at random."""
    draw = np.random.default_rng(seed)
    score, other = draw.normal(size=(2, rows))
    bad = draw.random(rows) < 1 / (1 + np.exp(2 - score - other))
    propensity = np.where(other + score / 2 < 0.5, 1.0, explored)
    return Door(score - 2, bad, draw.random(rows) < propensity, propensity, np.arange(rows))


def truth(all_of: Door) -> dict[str, float]:
    return {"auc": roc_auc_score(all_of.bad, all_of.log_odds), "bad_rate": float(all_of.bad.mean())}


@pytest.mark.parametrize("method", [by_inverse_propensity, by_expectation])
def test_explored_loans_tell_of_the_declined_what_granted_ones_cannot(method):
    found, granted, true = method(door(), **HOW), among_granted(door(), **HOW), truth(door())
    assert abs(found["bad_rate"].value - true["bad_rate"]) < abs(granted["bad_rate"].value - true["bad_rate"]) / 4
    assert found["bad_rate"].low < true["bad_rate"] < found["bad_rate"].high
    assert abs(found["auc"].value - true["auc"]) < abs(granted["auc"].value - true["auc"])


def test_figures_of_granted_loans_are_those_of_scikit_learn_ties_and_all():
    tied = replace(door(900), log_odds=np.round(door(900).log_odds))
    found, kept = among_granted(tied, **HOW), tied.granted
    assert found["auc"].value == pytest.approx(roc_auc_score(tied.bad[kept], tied.log_odds[kept]), abs=1e-12)
    assert found["bad_rate"].value == pytest.approx(tied.bad[kept].mean())


def test_inverse_propensity_by_hand():
    # The explored loan stands for four, so 1 + 4 of 2 + 4 went bad.
    few = Door(
        np.array([0.0, 1.0, 2.0, 3.0]), np.array([False, True, True, False]), np.array([True, True, True, False]),
        np.array([1.0, 1.0, 0.25, 0.25]), np.arange(4),
    )  # fmt: skip
    assert by_inverse_propensity(few, **HOW)["bad_rate"].value == pytest.approx(5 / 6)


def test_bounds_hold_the_truth_and_all_outcomes_that_small_doors_allow():
    small = door(60, explored=0.0, seed=4)
    ends, declined = bounds(small), np.flatnonzero(~small.granted)
    bads = small.bad[small.granted].sum()
    assert ends["bad_rate"] == (bads / 60, (bads + len(declined)) / 60)
    draw = np.random.default_rng(2)
    for _ in range(200):
        bad = small.bad.copy()
        bad[declined] = draw.random(len(declined)) < draw.random()
        assert ends["auc"][0] <= roc_auc_score(bad, small.log_odds) <= ends["auc"][1]


def test_outcomes_of_the_declined_are_never_looked_at():
    first, turned = door(2_000), door(2_000)
    turned = replace(turned, bad=np.where(turned.granted, turned.bad, ~turned.bad))
    for method in (among_granted, by_inverse_propensity, by_expectation):
        assert method(first, **HOW) == method(turned, **HOW)
    assert bounds(first) == bounds(turned)


def test_door_is_open_only_where_all_had_a_known_chance_and_the_explored_ended_both_ways():
    assert door().is_open
    assert not door(explored=0.0).is_open
    assert not replace(door(), propensity=np.where(door().propensity < 1, np.nan, 1.0)).is_open
    assert not replace(door(), bad=door().bad & ~door().explored).is_open
