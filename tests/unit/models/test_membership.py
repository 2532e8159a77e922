"""The membership attack on models whose memory is known: one that keeps nothing, and ones that keep so much."""

from math import sqrt

import numpy as np
import pytest
from scipy.special import ndtr

from models.membership import Curve, attacks, halves, known, sureness, told

HOW = {"confidence": 0.95, "resamples": 100, "seed": 1}


def test_halves_come_in_pairs_and_everybody_teaches_every_second_shadow() -> None:
    taught = halves(101, 8, 3)
    assert taught.shape == (8, 101)
    assert (taught[::2] == ~taught[1::2]).all()
    assert taught.sum(axis=0).tolist() == [4] * 101
    assert taught[0].sum() == 50
    assert (taught[0] != taught[2]).any()


def test_sureness_is_the_log_odds_of_what_happened() -> None:
    assert sureness(np.array([2.0, 2.0, -1.0]), np.array([True, False, False])).tolist() == [2.0, -2.0, 1.0]


def test_what_is_known_of_a_loan_leaves_out_the_pair_that_is_attacked() -> None:
    # In: shadows 0, 2, 4 said 1, 3, 8; out: shadows 1, 3, 5 said 0, 2, 4. Attacking shadow 0 or 1 leaves 3, 8 and 2, 4.
    sure = np.array([[1.0], [0.0], [3.0], [2.0], [8.0], [4.0]])
    taught = np.array([[True], [False]] * 3)
    of = known(sure, taught)
    assert of.mean_in[:, 0] == pytest.approx([5.5, 5.5, 4.5, 4.5, 2.0, 2.0])
    assert of.mean_out[:, 0] == pytest.approx([3.0, 3.0, 2.0, 2.0, 1.0, 1.0])
    assert of.spread_in[:, 0] == pytest.approx([sqrt(12.5), sqrt(12.5), sqrt(24.5), sqrt(24.5), sqrt(2), sqrt(2)])
    assert of.spread_out[0, 0] == pytest.approx(sqrt(2))


def drawn(shift: float, shadows: int = 32, people: int = 1_000, seed: int = 1):
    """Two loans a person; shadows that learned from them are surer of them by `shift` standard deviations."""
    rng = np.random.default_rng(seed)
    who, taught = np.repeat(np.arange(people), 2), halves(people, shadows, seed)
    width = rng.uniform(0.2, 2, 2 * people)
    sure = 2 * rng.normal(size=2 * people) + width * (rng.normal(size=(shadows, 2 * people)) + shift * taught[:, who])
    return attacks(sure, taught[:, who], who), taught


def test_models_that_keep_nothing_are_told_at_one_half_by_every_attack() -> None:
    scores, taught = drawn(0.0)
    found = told(scores, taught, **HOW)
    assert set(found["auc"].by_attack) == {"online", "online, one spread", "offline", "loss"}
    assert all(abs(value - 0.5) < 0.01 for value in found["auc"].by_attack.values())
    assert all(value < 0.004 for value in found["tpr"].by_attack.values())
    assert found["auc"].estimate.low < 0.51


def test_models_that_keep_something_are_told_as_well_as_can_be() -> None:
    # Two loans, each moved by 0.5 of its spread: whoever knew both means would reach Φ(0.5 √2 / √2).
    scores, taught = drawn(0.5)
    found = told(scores, taught, **HOW)
    best = ndtr(0.5)
    assert best - 0.04 < found["auc"].estimate.value < best + 0.01
    assert found["auc"].by_attack["loss"] < 0.6  # people differ by more than what is kept of them
    assert found["auc"].estimate.low < found["auc"].estimate.value < found["auc"].estimate.high
    assert found["tpr"].estimate.value > 0.004


def test_models_that_agree_to_the_last_digit_tell_nothing() -> None:
    who, taught = np.arange(50), halves(50, 8, 1)
    found = told(attacks(np.tile(np.linspace(-1, 1, 50), (8, 1)), taught, who), taught, **HOW)
    assert found["auc"].estimate.value == pytest.approx(0.5)


def curve(score, member, who=None) -> Curve:
    who = np.arange(len(score)) if who is None else np.array(who)
    return Curve.of(np.array(score, float), np.array(member, bool), who)


def test_area_and_share_named_of_a_small_curve() -> None:
    # Members 9, 7, 5 and others 8, 5: of six pairs 9>8, 9>5, 7>5 and half of 5=5 are right. Before any other: 9.
    area, named = curve([9, 8, 7, 5, 5], [1, 0, 1, 1, 0]).figures(np.ones((1, 5)))[0]
    assert area == pytest.approx(3.5 / 6)
    assert named == pytest.approx(1 / 3)


def test_a_person_drawn_twice_counts_twice_and_one_side_alone_tells_nothing() -> None:
    area, named = curve([9, 8, 7], [1, 0, 1]).figures(np.array([[1.0, 1.0, 2.0], [1.0, 0.0, 1.0]])).T
    assert area[0] == pytest.approx(1 / 3)
    assert named[0] == pytest.approx(1 / 3)
    assert np.isnan(area[1])
