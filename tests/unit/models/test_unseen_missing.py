"""Inputs never missing in training: a blank field later must not win."""

import lightgbm as lgb
import numpy as np
import pytest

from models.lightgbm_text import parse
from models.unseen_missing import send_unseen_missing_to_worse
from tests.small_scorecard import booster, table


def models(**params: object) -> tuple[lgb.Booster, lgb.Booster, str]:
    text = booster(table(), **params).model_to_string()
    declared = send_unseen_missing_to_worse(text)
    return lgb.Booster(model_str=text), lgb.Booster(model_str=declared), declared


def test_rows_without_such_missing_values_score_the_same_to_the_bit():
    before, after, _ = models()
    x = table(500, seed=9)
    assert (before.predict(x, raw_score=True) == after.predict(x, raw_score=True)).all()
    assert (before.predict(x, pred_contrib=True) == after.predict(x, pred_contrib=True)).all()


def test_a_blank_field_that_won_points_no_longer_does():
    before, after, _ = models()
    x = table(500, seed=9)
    blank = x.copy()
    blank[:, 0] = np.nan  # never missing in training, and a high value is good: zero beats what the worst half has
    known = before.predict(x, raw_score=True)
    assert (before.predict(blank, raw_score=True) < known - 0.1).any()
    assert (after.predict(blank, raw_score=True) >= known.min()).all()
    assert after.predict(blank, pred_contrib=True)[:, 0].min() >= -1e-9


def test_lightgbm_reads_the_text_and_writes_it_back():
    _, after, declared = models()
    assert after.model_to_string() == declared
    assert send_unseen_missing_to_worse(declared) == declared


@pytest.mark.parametrize("rounds", [1, 2])
def test_constant_trees_are_left_alone(rounds):
    text = booster(table(100), rounds=rounds, min_data_in_leaf=90).model_to_string()
    assert send_unseen_missing_to_worse(text) == text


def test_the_worse_side_is_the_one_with_the_higher_mean():
    _, _, declared = models(num_leaves=2)
    trees = parse(declared).trees
    left, right = trees.value[0::2], trees.value[1::2]
    unseen = trees.feature < 2
    assert (trees.missing_left[unseen] == (left > right)[unseen]).all()
