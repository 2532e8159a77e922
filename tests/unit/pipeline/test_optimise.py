"""The search of a strategy: exact in its cells, within its bounds, and the same rules as the runtime."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.optimise.book import Book, figures, lend, ratio
from pipeline.optimise.cells import Bounds, group_weight, shared
from pipeline.optimise.frontier import drawing, frontier, swaps
from pipeline.optimise.search import best_flat, falling, flat, optimised
from saakh.decide import decide
from saakh.errors import ContractError
from saakh.terms import Strategy
from tests.lending_terms import RUPEE, asks, lender, strategy, terms

PATIENT = {**lender()["economics"], "profit_bp_least": None}
OWN = terms(lender(economics=PATIENT)).lenders[0]
AMOUNTS, MOST = (5_000 * RUPEE, 20_000 * RUPEE), (10_000 * RUPEE, 100_000 * RUPEE)


def book(rows: int = 3_000, seed: int = 1, groups: bool = False) -> Book:
    draw = np.random.default_rng(seed)
    pd = 1 / (1 + np.exp(-draw.normal(-2.7, 0.9, rows)))
    group = (draw.random(rows) < np.where(pd > 0.08, 0.65, 0.35)).astype(np.int64) if groups else None
    return Book(pd, draw.integers(2, 90, rows) * 500 * RUPEE, draw.choice([3, 6], rows), group)


def test_what_an_array_lends_is_what_the_runtime_offers():
    cutoffs = [{"months": 3, "pd_up_to": [0.04, 0.1, 0.08]}, {"months": 6, "pd_up_to": [0.09, -1.0, 0.2]}]
    limits = [{"pd_up_to": 0.05, "most_minor": MOST[1]}, {"pd_up_to": 0.3, "most_minor": MOST[0]}]
    champion = strategy(amounts=list(AMOUNTS), cutoffs=cutoffs, limits=limits)
    one = lender(economics=PATIENT | {"profit_bp_least": 0})
    under, some = terms(one, champion=champion), book(400)
    lent = lend(some, under.lenders[0], under.champion)
    for row in range(len(some)):
        asked = asks(int(some.asked[row]) // RUPEE, months=int(some.months[row]), income=10**6)
        offers = decide(under, asked, float(some.pd[row]), 600).offers
        assert lent.amount[row] == (offers[0].amount_minor if offers else 0)


def test_the_best_single_cut_off_is_found_by_trying_all():
    some = book()
    found, reached = best_flat(some, OWN)
    assert all(figures(some, lend(some, OWN, flat(OWN, cut))).profit <= reached.profit for cut in (0.05, 0.1, 0.2))
    assert set(found.cutoffs) == {3, 6}


def test_cut_offs_by_term_and_amount_earn_more_at_no_higher_bad_rate():
    some = book()
    _, alone = best_flat(some, OWN)
    _, reached = optimised(some, OWN, AMOUNTS, MOST, Bounds(alone.bad_rate))
    assert reached.profit > 1.02 * alone.profit
    assert reached.bad_rate <= alone.bad_rate


@pytest.mark.parametrize("bound", [0.03, 0.05, 0.07])
def test_the_bad_rate_is_kept(bound):
    assert optimised(book(), OWN, AMOUNTS, MOST, Bounds(bound))[1].bad_rate <= bound


def test_an_approval_rate_that_is_asked_for_costs_profit():
    some = book()
    free = optimised(some, OWN, AMOUNTS, MOST, Bounds(0.1))[1]
    more = optimised(some, OWN, AMOUNTS, MOST, Bounds(0.1, approval_min=free.approval + 0.05))[1]
    assert more.approval >= free.approval + 0.05
    assert more.profit < free.profit


def test_a_ratio_of_groups_is_kept_without_cut_offs_by_group():
    some = book(groups=True)
    free = optimised(some, OWN, AMOUNTS, MOST, Bounds(0.09))[1]
    asked = free.ratio + 0.03
    found, reached = optimised(some, OWN, AMOUNTS, MOST, Bounds(0.09, ratio_min=asked))
    assert reached.ratio >= asked
    blind = replace(some, group=None)
    assert np.array_equal(lend(blind, OWN, found).is_lent, lend(some, OWN, found).is_lent)


def test_bounds_that_exclude_each_other_are_said():
    with pytest.raises(ContractError, match="no cut-offs were found that keep all bounds"):
        optimised(book(), OWN, AMOUNTS, MOST, Bounds(0.02, approval_min=0.9))


def test_limits_fall_where_large_loans_are_riskier():
    steep = optimised(book(), OWN, AMOUNTS, (5_000 * RUPEE, 15_000 * RUPEE, 50_000 * RUPEE), Bounds(0.2), pd_slope=2.0)
    most = [limit for _, limit in steep[0].limits]
    assert most == sorted(most, reverse=True)
    assert most[-1] < most[0]


def test_ratio_is_of_the_lowest_approval_rate_over_the_highest_among_known_groups():
    some = Book(*(np.ones(6) for _ in range(3)), group=np.array([0, 0, 1, 1, 1, -1]))
    assert ratio(some, np.array([True, False, True, True, True, False])) == 0.5
    assert ratio(replace(some, group=None), np.ones(6, bool)) is None


def test_group_weights_are_those_of_the_riskiest_and_the_safest():
    some = Book(np.array([0.1, 0.1, 0.3, 0.3]), *(np.ones(4) for _ in range(2)), group=np.array([0, 0, 1, -1]))
    assert group_weight(some, 0.8).tolist() == [-0.8 * 4 / 2, -0.8 * 4 / 2, 4.0, 0.0]


def test_classes_with_few_applications_share_a_cell():
    assert shared([60, 10, 45, 3]) == [(0,), (1, 2, 3)]
    assert shared([10, 10, 60]) == [(0, 1, 2)]
    assert shared([0, 0, 0]) == [(0, 1, 2)]


@given(st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=4))
def test_falling_finds_the_best_of_all_paths(rows):
    gains = np.array(rows, float)
    found = falling(gains)
    assert found == sorted(found)

    def best(row: int, least: int) -> float:
        return max(gains[row, k] + (best(row + 1, k) if row + 1 < len(gains) else 0) for k in range(least, 3))

    assert sum(gains[r, k] for r, k in enumerate(found)) == best(0, 0)


def test_swap_sets_part_the_book_and_add_up_to_the_change_of_profit():
    some = book(500)
    before, after = (lend(some, OWN, flat(OWN, cut)) for cut in (0.05, 0.08))
    sets = swaps(some, before, after)
    assert sum(s.applications for s in sets) == 500
    assert sum(s.profit for s in sets) == pytest.approx(after.profit.sum() - before.profit.sum())
    assert {s.name: s.applications for s in sets}["swapped out"] == 0


def test_the_frontier_lies_on_or_above_the_single_cut_off():
    points = frontier(book(1_500), OWN, AMOUNTS, MOST)
    assert all(p.optimised.profit >= 0.995 * p.flat.profit for p in points)
    drawn = drawing(points, 100)
    assert drawn.flat.count("L") == drawn.optimised.count("L") == len(points) - 1


def test_a_strategy_without_applications_for_a_term_lends_nothing_over_it():
    some = replace(book(), months=np.full(3_000, 3))
    found, _ = optimised(some, OWN, AMOUNTS, MOST, Bounds(0.08))
    assert isinstance(found, Strategy)
    assert found.cutoffs[6] == (-1.0, -1.0, -1.0)
