"""Trees as nested questions come to what the runtime's tables come to, whatever is refused."""

import numpy as np
import pytest

from models.decisions import Node, Refused, decisions
from models.lightgbm_text import on_grid, parse
from saakh.lookup import ZERO, Lookup
from saakh.trees import Trees
from tests.small_scorecard import booster, table

CATEGORY = (0, 1, 2, 0, 1, 2, 0, 1)


def said(node: Node, row: np.ndarray, closed: set[int]) -> float:
    """What a node comes to for one applicant."""
    if isinstance(node, float):
        return node
    if isinstance(node, Refused):
        return said(node.closed if node.category in closed else node.open, row, closed)
    value = row[node.feature]
    is_missing = np.isnan(value) or (node.zero_is_missing and abs(value) <= ZERO)
    return said(
        node.left if (node.missing_left if is_missing else value <= node.threshold) else node.right, row, closed
    )


@pytest.mark.parametrize("closed", [set(), {0}, {1, 2}, {0, 1, 2}])
@pytest.mark.parametrize("params", [{}, {"zero_as_missing": True}])
def test_questions_come_to_what_the_tables_come_to_bit_for_bit(closed, params):
    trees = parse(on_grid(booster(table(), 25, **params).model_to_string())).trees
    nodes, lookup, x = decisions(trees, CATEGORY), Lookup(trees, 8), table(40, seed=9)
    refused = frozenset(i for i, category in enumerate(CATEGORY) if category in closed)
    own = lookup.answers(refused).log_odds(lookup.patterns(x))
    assert [sum(said(node, row, closed) for node in nodes) for row in x] == own.tolist()


def test_where_all_is_refused_only_a_number_is_left():
    trees = Trees.of(
        1,
        splits=[1],
        feature=[0],
        threshold=[0.5],
        missing_left=[1],
        zero_is_missing=[0],
        left=[-1],
        right=[-2],
        value=[1.0, -1.0],
        cover=[3, 1],
    )
    (node,) = decisions(trees, (4,))
    assert node == Refused(4, 0.5, node.open)
