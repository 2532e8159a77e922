"""The runtime against LightGBM's own scores and contributions: values missing, near zero, on and beside a split."""

from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest

from models.lightgbm_text import parse
from saakh.lookup import Lookup
from tests.small_scorecard import ZERO, booster, table

AROUND_ZERO = [0.0, -0.0, 1e-36, -1e-36, 1e-35, -1e-35, ZERO, -ZERO, np.nextafter(ZERO, 1), np.nextafter(-ZERO, -1)]


def differences(text: str, x: np.ndarray) -> tuple[float, float, float]:
    """The largest in log-odds, contributions and mean."""
    ours, theirs = Lookup(parse(text).trees, x.shape[1]), lgb.Booster(model_str=text)
    patterns = ours.patterns(x)
    effects = theirs.predict(x, pred_contrib=True)
    return (
        float(np.abs(ours.answers().log_odds(patterns) - theirs.predict(x, raw_score=True)).max()),
        float(np.abs(ours.answers().effects_of(patterns) - effects[:, :-1]).max()),
        float(abs(ours.mean - effects[0, -1])),
    )


def on_and_beside_thresholds(text: str, x: np.ndarray) -> np.ndarray:
    """Each row of `x` with one input put on a threshold of its own, just below, just above, or made missing."""
    trees = parse(text).trees
    out = np.tile(x, (len(trees.feature) * 4 // len(x) + 1, 1))
    tries = [(f, v) for f, t in zip(trees.feature, trees.threshold, strict=True) for v in _beside(t)]
    for row, (feature, value) in zip(out, tries, strict=False):
        row[feature] = value
    return out


def _beside(threshold: float) -> list[float]:
    return [threshold, np.nextafter(threshold, -np.inf), np.nextafter(threshold, np.inf), np.nan]


@pytest.mark.parametrize("leaves", [2, 4, 8])
@pytest.mark.parametrize("missing", ["nan", "zero", "none"])
def test_scores_and_contributions_equal_lightgbms(leaves, missing):
    how = {"nan": {}, "zero": {"zero_as_missing": True}, "none": {"use_missing": False}}[missing]
    x = table()
    text = booster(x, num_leaves=leaves, **how).model_to_string()
    assert max(differences(text, x)) < 1e-9


@pytest.mark.parametrize("missing", [{}, {"zero_as_missing": True}, {"use_missing": False}])
def test_values_on_and_beside_thresholds_go_lightgbms_way(missing):
    x = table(300)
    text = booster(table(), **missing).model_to_string()
    assert max(differences(text, on_and_beside_thresholds(text, x))) < 1e-9


@pytest.mark.parametrize("missing", [{}, {"zero_as_missing": True}, {"use_missing": False}])
@pytest.mark.parametrize("value", AROUND_ZERO)
def test_values_around_zero_are_zero_where_lightgbm_says_so(missing, value):
    x = table(300)
    text = booster(table(), **missing).model_to_string()
    assert f"{ZERO!r}" in text  # there are splits at zero
    x[:, 1] = x[:, 5] = value
    assert max(differences(text, x)) < 1e-9


def test_an_input_missing_for_the_first_time_goes_lightgbms_way():
    x = table()
    text = booster(x).model_to_string()
    x[:, :2] = np.nan  # never missing in training
    assert max(differences(text, x)) < 1e-9


def test_splits_on_missing_alone_are_kept():
    x = table()
    x[:, 7] = np.where(np.isnan(x[:, 7]), np.nan, 1.0)
    text = booster(x).model_to_string()
    assert "inf" in "".join(line for line in text.splitlines() if line.startswith("threshold="))
    assert max(differences(text, x)) < 1e-9


def test_monotone_and_regularised_trees_are_trees_like_others():
    x = table()
    text = booster(
        x, monotone_constraints=[-1, -1, 0, 0, 0, 0, 1, 1], lambda_l2=20.0, path_smooth=2.0
    ).model_to_string()
    assert max(differences(text, x)) < 1e-9


def test_a_model_that_learned_nothing_is_a_constant():
    x = table(100)
    text = booster(x, rounds=3, min_data_in_leaf=90).model_to_string()
    assert max(differences(text, x)) < 1e-9


def test_rows_one_by_one_equal_rows_together():
    x = table(200)
    lookup = Lookup(parse(booster(table()).model_to_string()).trees, 8)
    together = lookup.patterns(x)
    for i, row in enumerate(x):
        alone = lookup.patterns(row)
        assert lookup.answers().log_odds(alone) == lookup.answers().log_odds(together)[i]
        assert (lookup.answers().effects_of(alone) == lookup.answers().effects_of(together)[i]).all()


def test_the_real_thing_is_read_from_a_file_too(tmp_path: Path):
    x = table()
    booster(x).save_model(tmp_path / "model.txt")
    assert max(differences((tmp_path / "model.txt").read_text(), x)) < 1e-9
