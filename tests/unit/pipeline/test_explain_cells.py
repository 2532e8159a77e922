"""Which sums may be told: no part of a few, no gap that margins fill, and no bounds that tell a few of the others."""

import numpy as np

from pipeline.explain.cells import Table, axes, merged, single, tables, whole

EVERYBODY = (whole(1),)


def shapes(found: tuple[Table, ...]) -> list[tuple[int, ...]]:
    return [tuple(map(len, table.parts)) for table in found]


def test_places_with_few_are_joined_to_their_smaller_neighbour() -> None:
    assert merged(np.array([[40], [3], [20], [30]])) == ((0,), (1, 2), (3,))
    assert merged(np.array([[40], [0], [20]])) == ((0,), (1,), (2,))  # nobody is nobody to tell of
    assert merged(np.array([[9], [40], [11], [8]])) == ((0, 1), (2, 3))
    assert merged(np.array([[40], [3]])) is None


def test_a_band_is_joined_where_those_who_came_again_are_few() -> None:
    counts, returning = np.full((3, 2), 30), np.array([[20, 20], [2, 3], [40, 0]])
    assert axes(counts, returning) == (((0, 1), (2,)), ((0,), (1,)))


def test_every_part_of_what_is_told_holds_nobody_or_ten() -> None:
    draw = np.random.default_rng(3)
    for _ in range(12):
        counts = draw.poisson(draw.choice([2, 8, 40], (4, 3, 3)))
        base = tables(counts.sum(axis=2, keepdims=True), EVERYBODY)
        for table in tables(counts, (single(3), ((0, 1), (2,))), base):
            sums = table.summed(counts)
            assert sums.sum() == counts.sum()
            assert not ((sums > 0) & (sums < 10)).any()


def test_nothing_is_told_of_nine_and_all_of_ten() -> None:
    assert tables(np.array([[[9]]]), EVERYBODY) == ()
    assert shapes(tables(np.array([[[10]]]), EVERYBODY)) == [(1, 1, 1)]


def test_a_table_with_one_small_part_is_not_told_at_all() -> None:
    refused = np.array([[[50, 10], [50, 10]], [[50, 10], [50, 9]]])
    assert shapes(tables(refused, (single(2),))) == [(1, 1, 2), (1, 2, 2), (2, 1, 2)]
    refused[1, 1, 1] = 10
    assert shapes(tables(refused, (single(2),))) == [(1, 1, 2), (1, 2, 2), (2, 1, 2), (2, 2, 2)]


PINNED = np.array([[[9, 9], [1, 95]], [[50, 1], [50, 50]]])
"""Bands by months by seen and refused. No margin of two axes is small, and yet the nine refused of the first band and
month are eight to ten: in that month there are ten, and in that band all but ten, and all but one of another month."""


def test_what_margins_would_pin_down_together_is_not_told() -> None:
    base = tables(PINNED.sum(axis=2, keepdims=True), EVERYBODY)
    assert shapes(base) == [(1, 1, 1), (1, 2, 1), (2, 1, 1), (2, 2, 1)]
    assert (PINNED.sum(axis=0) >= 10).all()
    assert (PINNED.sum(axis=1) >= 10).all()
    assert possible(PINNED) == {8, 9, 10}
    assert shapes(tables(PINNED, (single(2),), base)) == [(1, 1, 2), (1, 2, 2)]


def possible(counts: np.ndarray) -> set[int]:
    """What the first cell refused may be, by trial, when all margins of two axes are known."""
    found = set()
    for change in range(-100, 101):
        turned = change * np.array([[[-1, 1], [1, -1]], [[1, -1], [-1, 1]]])
        if (counts + turned >= 0).all():
            found.add(int((counts + turned)[0, 0, 1]))
    return found


def test_what_another_view_tells_of_the_unknown_counts_too() -> None:
    """Left, right and unknown in two bands. With the unknown by band as well, eight of the first are left or right."""
    counts = np.array([[[4, 4, 95]], [[60, 60, 60]]])
    base = tables(counts.sum(axis=2, keepdims=True), EVERYBODY)
    assert shapes(tables(counts, (single(3),), base)) == [(1, 1, 3)]
    by_band = Table((single(2), whole(1), single(2)))
    assert tables(counts, (single(3),), base, [by_band]) == ()
