import numpy as np

from models.refusals import Refusals, filled, keys, withheld

CATEGORY = np.array([0, 0, 1])


def world(rows=400):
    rng = np.random.default_rng(1)
    closed = rng.random((rows, 2)) < 0.2
    x = rng.normal(size=(rows, 3))
    x[closed[:, CATEGORY]] = np.nan
    return x, Refusals(closed, CATEGORY), np.arange(rows) % 4, keys([str(i) for i in range(rows)], "shard")


def test_refused_columns_come_together_from_one_open_row_of_the_same_part():
    x, refusals, part, key = world()
    full = filled(x, refusals, part, key)
    assert not np.isnan(full).any()
    assert (full[~np.isnan(x)] == x[~np.isnan(x)]).all()
    for row in np.flatnonzero(refusals.closed[:, 0]):
        (donor,) = np.flatnonzero((x[:, 0] == full[row, 0]) & (x[:, 1] == full[row, 1]))
        assert part[donor] == part[row]
        assert not refusals.closed[donor, 0]


def test_open_and_silent_stays_missing():
    x, refusals, part, key = world()
    row = np.flatnonzero(~refusals.closed[:, 1])[0]
    x[row, 2] = np.nan
    assert np.isnan(filled(x, refusals, part, key)[row, 2])


def test_donors_do_not_depend_on_the_order_of_rows():
    x, refusals, part, key = world()
    order = np.random.default_rng(9).permutation(len(x))
    shuffled = filled(x[order], refusals.rows(order), part[order], key[order])
    assert (shuffled == filled(x, refusals, part, key)[order]).all()


def test_taking_one_row_out_changes_only_those_it_gave_to():
    x, refusals, part, key = world()
    full = filled(x, refusals, part, key)
    donor = next(i for i in range(len(x)) if not refusals.closed[i].any() and (full[:, 0] == x[i, 0]).sum() > 1)
    kept = np.arange(len(x)) != donor
    after = filled(x[kept], refusals.rows(kept), part[kept], key[kept])
    took = (full == x[donor]).any(axis=1)[kept]
    assert (after[~took] == full[kept][~took]).all()
    assert not (after[took] == full[kept][took]).all()


def test_where_all_refused_values_stay_missing():
    closed = np.array([[True], [True]])
    x = np.array([[np.nan], [np.nan]])
    refusals = Refusals(closed, np.array([0]))
    assert np.isnan(filled(x, refusals, np.zeros(2, int), keys(["a", "b"], "shard"))).all()


def test_rows_that_withhold_the_same_are_grouped():
    closed = np.array([[False, True], [False, False], [False, True], [True, True]])
    found = {withheld: rows.tolist() for rows, withheld in Refusals(closed, CATEGORY).groups()}
    assert found == {frozenset(): [1], frozenset({2}): [0, 2], frozenset({0, 1, 2}): [3]}


def test_withheld_values_are_not_looked_at():
    refusals = Refusals(np.array([[True, False]]), CATEGORY)
    assert np.isnan(withheld(np.ones((1, 3)), refusals)).tolist() == [[True, True, False]]


def test_withholding_copies_nothing_where_nothing_is_left_to_hide():
    x, refusals, _, _ = world()
    assert withheld(x, refusals) is x
    x[refusals.closed[:, 1], 2] = 1.0
    hidden = withheld(x, refusals)
    assert np.isnan(hidden[refusals.closed[:, 1], 2]).all()
    assert (x[refusals.closed[:, 1], 2] == 1.0).all()
