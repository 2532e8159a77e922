"""A matrix read by its columns: the same numbers, whichever rows and columns are asked for."""

import numpy as np
from threadpoolctl import threadpool_info

from models.arrays import DEEP, WIDE, bands, columns_of
from models.threads import one_thread


def test_columns_are_those_of_the_matrix_side_by_side_in_memory():
    x = np.arange(9_000.0 * (WIDE + 3)).reshape(9_000, -1)
    found = list(columns_of(x))
    assert len(x) > 2 * DEEP
    assert all(column.flags.c_contiguous for column in found)
    assert (np.array(found) == x.T).all()


def test_rows_and_columns_come_in_the_order_they_are_asked_for():
    x = np.array([[0.0, 1.0, 2.0], [10.0, 11.0, 12.0], [20.0, 21.0, 22.0]])
    assert [c.tolist() for c in columns_of(x, np.array([2, 0]), [1, 0])] == [[21.0, 1.0], [20.0, 0.0]]
    assert list(columns_of(x, np.arange(3), [])) == []


def test_a_band_is_a_copy():
    x = np.zeros((4, 2))
    for band in bands(x, np.arange(4), range(2)):
        band[:] = 1.0
    assert not x.any()


def test_products_are_made_by_one_thread():
    with one_thread():
        assert {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"} == {1}
