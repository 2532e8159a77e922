"""What each kind of value means: missing, impossible, out of range, unknown."""

from collections import OrderedDict
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from saakh.errors import ContractError
from saakh.inputs import Inputs
from tests.small_scorecard import specs

SHARE, COUNT = (
    replace(s, low=low, high=high) for s, (low, high) in zip(specs(2), [(0.0, 1.0), (0.0, None)], strict=True)
)
A, B = SHARE.name, COUNT.name
INPUTS = Inputs((SHARE, COUNT))


@pytest.mark.parametrize("row", [{}, {A: None}, {A: float("nan"), B: None}, {B: np.nan}, {A: Decimal("NaN")}])
def test_absent_none_and_nan_are_missing_and_no_problem(row):
    x, problems = INPUTS.of(row)
    assert np.isnan(x).all()
    assert problems == {}


@pytest.mark.parametrize(
    "value", [1, 1.0, True, np.float64(1), np.float32(1), np.int64(1), np.bool_(True), Decimal(1), Fraction(1)]
)
def test_numbers_of_any_kind_are_numbers(value):
    x, problems = INPUTS.of({A: value, B: 2})
    assert x.tolist() == [1.0, 2.0]
    assert problems == {}


@pytest.mark.parametrize("value", ["1", "nan", "", b"1", [1], 1j, object(), np.array([1.0]), Decimal("sNaN")])
def test_what_is_no_number_is_missing_and_reported(value):
    x, problems = INPUTS.of({A: 0.5, B: value})
    assert np.isnan(x[1])
    assert problems == {B: "not_a_number"}


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 10**400, np.inf])
def test_infinity_is_missing_and_reported(value):
    x, problems = INPUTS.of({A: 0.5, B: value})
    assert np.isnan(x[1])
    assert problems == {B: "not_finite"}


@pytest.mark.parametrize("value", [-0.001, 1.001, 1e300, -1e300])
def test_a_value_out_of_its_range_is_missing_and_reported(value):
    x, problems = INPUTS.of({A: value, B: 3})
    assert np.isnan(x[0])
    assert problems == {A: "out_of_range"}


@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, 1.0000000000000002, -1e-17])
def test_a_bound_is_in_the_range_and_rounding_beside_it_too(value):
    x, problems = INPUTS.of({A: value, B: 0})
    assert x[0] == value
    assert problems == {}


def test_without_a_bound_any_finite_number_is_in_range():
    assert INPUTS.of({B: 1.7e308})[1] == {}


def test_a_misspelt_key_is_an_error_that_names_it():
    with pytest.raises(ContractError, match="input_0_30"):
        INPUTS.of({"input_0_30": 0.5, B: 1})


@pytest.mark.parametrize("keys", [["x"], ["x", A], ["x", "y"], ["x", A, B], list(range(30))])
def test_an_unknown_key_is_an_error_however_many_keys_there_are(keys):
    with pytest.raises(ContractError, match="no features"):
        INPUTS.of(dict.fromkeys(keys, 1))


@pytest.mark.parametrize("row", [None, [0.5, 1.0], (A, 1), "row", 3])
def test_a_row_that_is_no_mapping_is_an_error(row):
    with pytest.raises(ContractError, match="maps features"):
        INPUTS.of(row)


def test_any_mapping_will_do_and_is_left_as_it_was():
    row = OrderedDict({B: 2.0, A: None})
    assert np.isnan(INPUTS.of(row)[0][0])
    assert list(row) == [B, A]


def test_one_input_alone_is_read_like_many():
    x, problems = Inputs((SHARE,)).of({A: 0.25})
    assert x.tolist() == [0.25]
    assert problems == {}


def test_arrays_are_read_by_the_same_rules():
    rows = np.array([[0.5, 1.0], [np.nan, -1.0], [2.0, np.inf]])
    x, problems = INPUTS.of_many(rows)
    assert x.tolist()[0] == [0.5, 1.0]
    assert np.isnan(x[1:]).all()
    assert problems.sum(axis=1).tolist() == [0, 1, 2]
    assert rows[2, 0] == 2.0  # the caller's array is not touched


def test_rows_and_array_agree():
    x, problems = INPUTS.of_many([{A: 2.0, B: "x"}, {A: 0.5}])
    assert np.isnan(x).tolist() == [[True, True], [False, True]]
    assert problems.tolist() == [[True, True], [False, False]]


@pytest.mark.parametrize(
    "rows", [np.zeros(2), np.zeros((3, 5)), np.array([["a", "b"]]), np.array([[None, 1.0]], object)]
)
def test_arrays_of_another_shape_or_kind_are_errors(rows):
    with pytest.raises(ContractError, match="columns"):
        INPUTS.of_many(rows)


def test_no_rows_are_no_rows():
    assert INPUTS.of_many([])[0].shape == (0, 2)
    assert INPUTS.of_many(np.zeros((0, 2)))[0].shape == (0, 2)
