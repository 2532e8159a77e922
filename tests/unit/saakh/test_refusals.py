"""Refusing neither costs nor gains a point: what was refused contributes exactly 0, and the rest adds up."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import saakh
from saakh.additive import Additive
from saakh.linear import Linear
from saakh.lookup import SETS_KEPT, Lookup
from saakh.trees import Trees
from tests.small_scorecard import scorecard, table

CATEGORIES = ("airtime", "payments")


def rows(count):
    card = scorecard()
    return [dict(zip(card.features, row, strict=True)) for row in np.clip(table(count, seed=9), -8, 8).tolist()]


@pytest.mark.parametrize("refused", [(), ("airtime",), ("payments",), CATEGORIES])
def test_what_was_refused_contributes_exactly_nothing_and_the_rest_adds_up(refused):
    card = scorecard()
    withheld = {s.name for s in card.manifest.features if s.category in refused}
    for row in rows(60):
        score = card.score(row, refused)
        assert {score.contributions[name] for name in withheld} <= {0.0}
        assert score.points == pytest.approx(score.baseline + sum(score.contributions.values()), abs=1e-9)
        assert not withheld & {f for reason in score.reasons for f in reason.features}
        assert score.refused == tuple(sorted(refused))


def test_who_refuses_everything_has_the_baseline():
    card = scorecard()
    score = card.score(rows(1)[0], CATEGORIES)
    assert score.points == pytest.approx(card.baseline, abs=1e-9)
    assert (score.missing, score.problems, score.reasons) == (0, {}, ())


def test_what_a_row_holds_of_a_refused_category_is_not_looked_at():
    card = scorecard()
    row, withheld = rows(1)[0], [s.name for s in card.manifest.features if s.category == "payments"]
    odd = row | dict.fromkeys(withheld, "text")
    assert card.score(odd, {"payments"}) == card.score(row, {"payments"})
    assert card.score({k: v for k, v in row.items() if k not in withheld}, {"payments"}) == card.score(
        row, {"payments"}
    )


def test_many_are_scored_and_explained_as_one_by_one():
    card, given_rows = scorecard(), rows(90)
    refused = [CATEGORIES[: i % 3] for i in range(90)]
    many, explained = card.score_many(given_rows, refused), card.explain_many(given_rows, refused)
    for i, (row, some) in enumerate(zip(given_rows, refused, strict=True)):
        one = card.score(row, some)
        assert many.points[i] == pytest.approx(one.points, abs=1e-9)
        assert explained[i].tolist() == pytest.approx(list(one.contributions.values()), abs=1e-9)
        assert (many.missing[i], many.problems[i]) == (one.missing, len(one.problems))


def test_explain_puts_a_refused_input_at_nothing():
    card = scorecard()
    told = {c.feature: (c.value, c.points) for c in card.explain(rows(1)[0], ("payments",))}
    assert {told[s.name] for s in card.manifest.features if s.category == "payments"} == {(None, 0.0)}


@pytest.mark.parametrize("refused", [("calls",), {"airtime", "x"}, "airtime", 7])
def test_a_category_the_scorecard_does_not_read_is_an_error(refused):
    with pytest.raises(saakh.ContractError, match="refused"):
        scorecard().score({}, refused)


@pytest.mark.parametrize("refused", [[()], "airtime", [("x",), ()]])
def test_many_need_one_set_for_each_row(refused):
    with pytest.raises(saakh.ContractError):
        scorecard().score_many(rows(2), refused)


def test_tables_of_refusals_are_made_once_and_not_without_bound():
    lookup = Lookup(Trees.joined([scorecard().model.trees]), 8)
    assert lookup.answers(frozenset({1})) is lookup.answers(frozenset({1}))
    for some in itertools.chain(itertools.combinations(range(8), 2), itertools.combinations(range(8), 3)):
        lookup.answers(frozenset(some))
    assert len(lookup._with_refusals) <= SETS_KEPT


def test_a_refusal_that_no_tree_reads_changes_nothing():
    trees = Trees.of(2, splits=[1], feature=[0], threshold=[1.0], missing_left=[1], zero_is_missing=[0], left=[-1],
                     right=[-2], value=[0.1, -0.3], cover=[3, 1])  # fmt: skip
    lookup = Lookup(trees, 2)
    assert lookup.answers(frozenset({1})) is lookup.answers()
    assert lookup.answers(frozenset({0})).values.tolist() == [pytest.approx(0.0, abs=2**-44)] * 2


@st.composite
def small_trees(draw):
    """A tree of up to three splits on three inputs; the second and third split hang below the first."""
    number = st.floats(-2, 2).map(lambda v: round(v, 3))
    count = draw(st.integers(1, 3))
    left, right = {1: ([-1], [-2]), 2: ([1, -1], [-3, -2]), 3: ([1, -1, -3], [2, -2, -4])}[count]
    return Trees.of(
        3,
        splits=[count],
        feature=draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)),
        threshold=draw(st.lists(number, min_size=count, max_size=count)),
        missing_left=draw(st.lists(st.integers(0, 1), min_size=count, max_size=count)),
        zero_is_missing=[0] * count,
        left=left,
        right=right,
        value=draw(st.lists(number, min_size=count + 1, max_size=count + 1)),
        cover=draw(st.lists(st.integers(1, 50), min_size=count + 1, max_size=count + 1)),
    )


def expected(trees, x, known, node=0):
    """A tree's expectation when only the inputs in `known` are: rows go both ways at a split on another."""
    splits = int(trees.splits[0])
    if node < 0:
        return float(trees.value[~node]), int(trees.cover[~node])
    (a, on_left), (b, on_right) = (expected(trees, x, known, int(side[node])) for side in (trees.left, trees.right))
    total = on_left + on_right
    feature = int(trees.feature[node])
    if splits and feature not in known:
        return (on_left * a + on_right * b) / total, total
    value = x[feature]
    goes_left = bool(trees.missing_left[node]) if math.isnan(value) else value <= trees.threshold[node]
    return (a if goes_left else b), total


def bent(z):
    """The transform as docs/artifact.md writes it: near arcsinh, within 4 of zero."""
    u = min(abs(z), 32.0)
    v = (u + math.sqrt(u * u + 1)) ** 0.25
    y = (v - 1) / (v + 1)
    return math.copysign(min(8 * (y + y**3 / 3 + y**5 / 5), 4.0), z)


@given(
    small_trees(),
    st.lists(st.one_of(st.just(math.nan), st.floats(-3, 3)), min_size=3, max_size=3),
    st.sets(st.integers(0, 2)),
)
def test_shapley_values_are_those_of_the_game_among_the_inputs_that_are_left(trees, values, refused):
    linear = Linear.of(3, -1.0, feature=[1], center=[0.2], scale=[2.0], coefficient=[0.7], mean=[0.1])
    x = np.array([math.nan if i in refused else v for i, v in enumerate(values)])
    total, effects, *_ = Additive(trees, linear, 3).both(x, frozenset(refused))
    players = sorted(set(range(3)) - refused)
    shapley = np.zeros(3)
    for order in itertools.permutations(players):
        for place, player in enumerate(order):
            before, after = set(order[:place]), set(order[: place + 1])
            shapley[player] += expected(trees, x, after)[0] - expected(trees, x, before)[0]
    shapley /= math.factorial(len(players))
    if 1 in players and not math.isnan(x[1]):
        shapley[1] += 0.7 * (bent((x[1] - 0.2) / 2.0) - 0.1)
    assert effects == pytest.approx(shapley, abs=1e-12)
    assert [effects[i] for i in refused] == [0.0] * len(refused)
    assert float(total) == pytest.approx(Additive(trees, linear, 3).mean + effects.sum(), abs=1e-12)
