"""The tables against the definition of the Shapley value, worked out coalition by coalition."""

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saakh.lookup import Lookup
from saakh.trees import Trees


def trees(inputs: int, **arrays: list) -> Trees:
    splits = sum(arrays["splits"])
    flags = {"missing_left": [0] * splits, "zero_is_missing": [0] * splits}
    return Trees.of(inputs, **(flags | arrays))


def brute_force(t: Trees, x: np.ndarray) -> tuple[float, np.ndarray]:
    """Value and Shapley values of one tree: a feature outside the coalition sends rows both ways, as training did."""
    splits = int(t.splits[0])
    rows = {~leaf: float(c) for leaf, c in enumerate(t.cover)}
    for node in reversed(range(splits)):
        rows[node] = rows[int(t.left[node])] + rows[int(t.right[node])]

    def expected(node: int, known: frozenset) -> float:
        if node < 0:
            return float(t.value[~node])
        left, right, feature = int(t.left[node]), int(t.right[node]), int(t.feature[node])
        if feature in known:
            goes_left = bool(t.missing_left[node]) if np.isnan(x[feature]) else x[feature] <= t.threshold[node]
            return expected(left if goes_left else right, known)
        return (rows[left] * expected(left, known) + rows[right] * expected(right, known)) / rows[node]

    players, n = range(len(x)), len(x)
    effects = np.zeros(n)
    for i in players:
        others = [p for p in players if p != i]
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for team in combinations(others, size):
                effects[i] += weight * (expected(0, frozenset((*team, i))) - expected(0, frozenset(team)))
    return expected(0, frozenset(players)), effects


def test_one_split_moves_from_the_mean_to_the_leaf():
    stump = trees(1, splits=[1], feature=[0], threshold=[2.0], left=[-1], right=[-2], value=[1.0, -1.0], cover=[30, 10])
    lookup = Lookup(stump, 1)
    patterns = lookup.patterns(np.array([[2.0], [2.1]]))
    assert lookup.mean == 0.5
    assert lookup.answers().log_odds(patterns).tolist() == [1.0, -1.0]
    assert lookup.answers().effects_of(patterns).ravel().tolist() == pytest.approx([0.5, -1.5], abs=1e-15)


def test_two_features_of_an_and_share_its_effect():
    both = trees(
        2,
        splits=[2],
        feature=[0, 1],
        threshold=[0.5, 0.5],
        left=[-1, -2],
        right=[1, -3],
        value=[0, 0, 1],
        cover=[2, 1, 1],
    )
    lookup = Lookup(both, 2)
    patterns = lookup.patterns(np.array([1.0, 1.0]))
    # f({})=1/4, f({0})=1/2, f({1})=1/2, f({0,1})=1
    assert lookup.answers().effects_of(patterns).tolist() == pytest.approx([0.375, 0.375], abs=1e-15)


def test_a_feature_split_twice_is_one_player():
    twice = trees(
        1,
        splits=[2],
        feature=[0, 0],
        threshold=[0.0, 1.0],
        left=[-1, -2],
        right=[1, -3],
        value=[0, 3, 9],
        cover=[1, 1, 2],
    )
    lookup = Lookup(twice, 1)
    assert lookup.mean == 5.25
    assert lookup.answers().effects_of(lookup.patterns(np.array([0.5]))).tolist() == pytest.approx([-2.25], abs=1e-14)


def test_constant_trees_shift_the_mean_and_explain_nothing():
    constant = trees(2, splits=[0, 0], feature=[], threshold=[], left=[], right=[], value=[-1.5, 0.25], cover=[1, 7])
    lookup = Lookup(constant, 2)
    patterns = lookup.patterns(np.array([[1.0, np.nan]]))
    assert lookup.mean == -1.25
    assert lookup.answers().log_odds(patterns).tolist() == [-1.25]
    assert lookup.answers().effects_of(patterns).tolist() == [[0.0, 0.0]]


def test_no_trees_at_all_score_zero():
    lookup = Lookup(trees(2, splits=[], feature=[], threshold=[], left=[], right=[], value=[], cover=[]), 2)
    patterns = lookup.patterns(np.zeros((3, 2)))
    assert lookup.mean == 0.0
    assert lookup.answers().log_odds(patterns).tolist() == [0.0] * 3
    assert lookup.answers().effects_of(patterns).tolist() == [[0.0, 0.0]] * 3


@st.composite
def random_tree(draw):
    """A tree of 1 to 7 splits over 4 features, any shape, any covers, thresholds among few so that they repeat."""
    splits = draw(st.integers(1, 7))
    left, right, ends = [0] * splits, [0] * splits, [None]
    for node in range(splits):
        place = draw(st.integers(0, len(ends) - 1))
        parent = ends.pop(place)
        if parent is not None:
            (left if parent[1] == 0 else right)[parent[0]] = node
        ends += [(node, 0), (node, 1)]
    for leaf, (node, side) in enumerate(ends):
        (left if side == 0 else right)[node] = ~leaf
    count = splits + 1
    value = draw(st.lists(st.floats(-3, 3), min_size=count, max_size=count))
    cover = draw(st.lists(st.integers(1, 1000), min_size=count, max_size=count))
    pick = {
        "feature": st.integers(0, 3),
        "threshold": st.sampled_from([-1.0, 0.0, 1.0]),
        "missing_left": st.integers(0, 1),
    }
    arrays = {name: draw(st.lists(kind, min_size=splits, max_size=splits)) for name, kind in pick.items()}
    return trees(4, splits=[splits], left=left, right=right, value=value, cover=cover, **arrays)


VALUES = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, float("nan")])


@settings(max_examples=60, deadline=None)
@given(random_tree(), st.lists(VALUES, min_size=4, max_size=4))
def test_tables_hold_the_shapley_values_of_any_tree(tree, values):
    x = np.array(values)
    value, effects = brute_force(tree, x)
    lookup = Lookup(tree, 4)
    patterns = lookup.patterns(x)
    assert float(lookup.answers().log_odds(patterns)) == pytest.approx(value, abs=1e-12)
    assert lookup.answers().effects_of(patterns) == pytest.approx(effects, abs=1e-12)
    assert lookup.mean + effects.sum() == pytest.approx(value, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.lists(random_tree(), min_size=2, max_size=5), st.lists(VALUES, min_size=4, max_size=4))
def test_trees_of_different_sizes_add_up(several, values):
    x = np.array(values)
    together = Trees.of(4, **{f: np.concatenate([getattr(t, f) for t in several]) for f in Trees.__dataclass_fields__})
    lookup, alone = Lookup(together, 4), [Lookup(t, 4) for t in several]
    effects = sum(one.answers().effects_of(one.patterns(x)) for one in alone)
    assert lookup.answers().effects_of(lookup.patterns(x)) == pytest.approx(effects, abs=1e-12)
    assert float(lookup.answers().log_odds(lookup.patterns(x))) == pytest.approx(
        sum(float(one.answers().log_odds(one.patterns(x))) for one in alone), abs=1e-12
    )
