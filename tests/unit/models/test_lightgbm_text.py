"""Reading LightGBM's text: what a scorecard can hold is read, what it cannot is refused by name."""

import re

import lightgbm as lgb
import numpy as np
import pytest

from models.lightgbm_text import parse, plain_thresholds
from saakh.errors import ArtifactError
from tests.small_scorecard import PLAIN, ZERO, booster, table

TEXT = """tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=binary sigmoid:1
feature_names=gap share
feature_infos=[0:9] [0:1]
tree_sizes=1 1

Tree=0
num_leaves=3
num_cat=0
split_feature=0 1
split_gain=2 1
threshold=4.5 0.25
decision_type=10 8
left_child=1 -1
right_child=-2 -3
leaf_value=-1.5 -0.5 -2.5
leaf_weight=1 1 1
leaf_count=40 35 25
internal_value=0 0
internal_weight=0 0
internal_count=100 65
is_linear=0
shrinkage=1


Tree=1
num_leaves=1
num_cat=0
split_feature=
split_gain=
threshold=
decision_type=
left_child=
right_child=
leaf_value=0.125
leaf_weight=
leaf_count=100
internal_value=
internal_weight=
internal_count=
is_linear=0
shrinkage=1


end of trees

feature_importances:
gap=1
"""


def test_a_model_is_read_into_flat_arrays():
    model = parse(TEXT)
    trees = model.trees
    assert model.features == ("gap", "share")
    assert trees.splits.tolist() == [2, 0]
    assert trees.feature.tolist() == [0, 1]
    assert trees.threshold.tolist() == [4.5, 0.25]
    assert trees.missing_left.tolist() == [1, 0]
    assert trees.left.tolist() == [1, -1]
    assert trees.right.tolist() == [-2, -3]
    assert trees.value.tolist() == [-1.5, -0.5, -2.5, 0.125]
    assert trees.cover.tolist() == [40, 35, 25, 1]


@pytest.mark.parametrize(
    "old, new, says",
    [
        ("version=v4", "version=v3", "version"),
        ("num_class=1", "num_class=3", "num_class"),
        ("binary sigmoid:1", "regression", "objective"),
        ("binary sigmoid:1", "binary sigmoid:2", "objective"),
        ("label_index=0", "average_output", "random forest"),
        ("feature_names=gap share\n", "", "features"),
        ("num_cat=0", "num_cat=1", "categorical"),
        ("decision_type=10 8", "decision_type=1 8", "categorical"),
        ("decision_type=10 8", "decision_type=14 8", "missing"),
        ("is_linear=0", "is_linear=1", "linear"),
        ("num_leaves=3", "num_leaves=9", "at most"),
        ("internal_count=100 65", "internal_count=101 65", "add up"),
        ("threshold=4.5 0.25", "threshold=4.5", "threshold"),
        ("threshold=4.5 0.25", "threshold=4.5 many", "damaged"),
        ("split_feature=0 1", "split_feature=0 2", "not declared"),
        ("left_child=1 -1", "left_child=7 -1", "damaged"),
        ("leaf_count=40 35 25\n", "", "damaged"),
        ("end of trees", "", "cut short"),
        ("tree_sizes=1 1", "tree_sizes=1 1 1", "cut short"),
    ],
)
def test_what_a_scorecard_cannot_hold_is_refused_by_name(old, new, says):
    with pytest.raises(ArtifactError, match=says):
        parse(TEXT.replace(old, new, 1))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9, 0.99])
def test_a_text_cut_short_is_refused(share):
    text = booster(table(200), rounds=3).model_to_string()
    trees = text[: text.index("end of trees")]
    with pytest.raises(ArtifactError):
        parse(trees[: int(len(trees) * share)])


def test_categorical_splits_are_refused():
    x = np.column_stack((table()[:, 0], np.random.default_rng(3).integers(0, 5, 1500)))
    data = lgb.Dataset(x, (x[:, 1] > 2).astype(float), categorical_feature=[1])
    text = lgb.train(PLAIN, data, 3).model_to_string()
    assert re.search("num_cat=[1-9]", text)
    with pytest.raises(ArtifactError, match="categorical"):
        parse(text)


def test_a_threshold_at_zero_takes_in_all_that_counts_as_zero():
    below, above = np.nextafter(-ZERO, -1), np.nextafter(ZERO, 1)
    raw = np.array([0.0, 1e-40, ZERO, above, -0.0, -1e-40, -ZERO, below, 3.0, np.inf, -np.inf])
    assert plain_thresholds(raw).tolist() == [ZERO, ZERO, ZERO, above, ZERO, below, below, below, 3.0, np.inf, -np.inf]
