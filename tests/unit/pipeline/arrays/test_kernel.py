"""Loops over rows: hand-worked examples, and the same bits compiled and in numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.arrays import kernel, plain
from tests.dealt_rows import AMOUNT, DEALT, EVEN, LEAST, MOST, needs_compiled, whole

# ---- hand-worked examples ----


@pytest.mark.usefixtures("either")
def test_equal_values_get_one_code_in_each_segment_in_order_of_appearance():
    codes, counts, firsts = kernel.factorise(whole(0, 4, 4, 6), whole(7, -1, 7, 7, 7, -1))
    assert codes.tolist() == [0, 1, 0, 0, 0, 1]
    assert counts.tolist() == [2, 0, 2]
    assert firsts.tolist() == [0, 1, 4, 5]


@pytest.mark.usefixtures("either")
def test_unsigned_values_are_told_apart_by_all_their_bits():
    values = np.array([2**64 - 1, 0, 2**63, 2**64 - 1], np.uint64)
    assert kernel.factorise(whole(0, 4), values)[0].tolist() == [0, 1, 2, 0]


@pytest.mark.usefixtures("either")
def test_rows_are_sorted_by_the_first_column_then_the_next_and_stay_in_their_segment():
    first, second = whole(2, 1, 2, MOST, LEAST), whole(5, 0, 4, 0, 0)
    assert kernel.ordered(whole(0, 3, 5), [first, second]).tolist() == [1, 2, 0, 4, 3]


@pytest.mark.usefixtures("either")
def test_equal_rows_stay_as_they_were():
    values = np.tile(whole(3, 1), 200)
    order = kernel.ordered(whole(0, 400), [values])
    assert order.tolist() == [*range(1, 400, 2), *range(0, 400, 2)]


@pytest.mark.usefixtures("either")
def test_segments_come_to_counts_sums_and_extremes_of_what_the_mask_lets_through():
    starts, values, mask = whole(0, 3, 3, 4), whole(5, -2, 9, 4), np.array([True, True, False, False])
    assert kernel.reduced(starts, "count").tolist() == [3, 0, 1]
    assert kernel.reduced(starts, "count", mask=mask).tolist() == [2, 0, 0]
    assert kernel.reduced(starts, "sum", values).tolist() == [12, 0, 4]
    assert kernel.reduced(starts, "sum", values, mask).tolist() == [3, 0, 0]
    assert kernel.reduced(starts, "min", values, mask).tolist() == [-2, MOST, MOST]
    assert kernel.reduced(starts, "max", values, mask).tolist() == [5, LEAST, LEAST]


@pytest.mark.usefixtures("either")
def test_sums_are_exact_modulo_2_to_the_64():
    assert kernel.reduced(whole(0, 2), "sum", whole(MOST, 1)).tolist() == [LEAST]


@pytest.mark.usefixtures("either")
def test_a_median_is_the_middle_value_or_midway_between_two():
    starts, mask = whole(0, 3, 7, 7, 8), np.array([True] * 7 + [False])
    out, found = kernel.medians(starts, whole(9, 1, 4, 8, 1, 3, 2, 5), mask)
    assert (out.tolist(), found.tolist()) == ([4.0, 2.5, 0.0, 0.0], [True, True, False, False])


@pytest.mark.usefixtures("either")
def test_a_median_of_the_extremes_does_not_overflow():
    assert kernel.medians(whole(0, 2), whole(LEAST, MOST))[0].tolist() == [0.0]


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("values", [np.arange(5001), np.arange(5001)[::-1], np.full(5001, 2500), np.arange(5001) ^ 1])
def test_a_median_of_many_is_found_in_any_order(values):
    assert kernel.medians(whole(0, 5001), values.astype(np.int64))[0].tolist() == [2500.0]


@pytest.mark.usefixtures("either")
def test_rows_are_added_up_by_application_slice_and_key():
    atoms = [("count", None, None), ("sum", AMOUNT, None), ("min", AMOUNT, EVEN), ("max", AMOUNT, EVEN)]
    starts, keys, (count, total, least, most) = kernel.sliced(**DEALT, atoms=atoms)
    assert starts.tolist() == [0, 1, 3, 5, 7, 7, 7, 7, 7, 7, 7, 7, 8]
    assert keys.tolist() == [0, 0, 1, 0, 1, 0, 1, 2]
    assert count.tolist() == [1, 1, 1, 1, 1, 2, 2, 2]
    assert total.tolist() == [10, 10, 20, 10, 50, 40, 70, -10]
    assert least.tolist() == [10, 10, MOST, 10, 50, 10, 50, -70]
    assert most.tolist() == [10, 10, LEAST, 10, 50, 30, 50, -70]


@pytest.mark.usefixtures("either")
def test_without_codes_every_application_and_slice_has_an_entry():
    dealt = DEALT | {"codes": None, "counts": None}
    starts, keys, (total,) = kernel.sliced(**dealt, atoms=[("sum", AMOUNT, None)])
    assert starts.tolist() == list(range(13))
    assert keys.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert total.tolist() == [10, 30, 60, 110, 0, 0, 0, 0, 0, 0, 0, -10]


@pytest.mark.usefixtures("either")
def test_without_parts_rows_are_all_in_part_0():
    dealt = DEALT | {"part": None, "patterns": [(0, 0), (1,), ()]}
    starts, keys, _ = kernel.sliced(**dealt, atoms=[])
    assert starts.tolist() == [0, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5]
    assert keys.tolist() == [0, 1, 0, 1, 2]


# ---- compiled code and numpy ----

VALUES = st.sampled_from([LEAST, MOST, 0, 1, -1, 2**32, -(2**56)]) | st.integers(-5, 5) | st.integers(LEAST, MOST)


def drawn(draw: Callable[..., Any], rows: int, elements: st.SearchStrategy[int], kind: type = np.int64) -> np.ndarray:
    """An array that may be long, of few distinct numbers in any order, or short and of any."""
    if rows <= 20:
        return draw(arrays(kind, rows, elements=elements))
    some = draw(arrays(kind, draw(st.integers(1, 30)), elements=elements))
    return some[np.random.default_rng(draw(st.integers(0, 99))).integers(0, len(some), rows)]


@st.composite
def segmented(draw: Callable[..., Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Starts, values, and a mask or none."""
    lengths = draw(st.lists(st.integers(0, 5) | st.sampled_from([17, 64, 150]), max_size=5))
    starts = plain.starts_of(np.array(lengths, np.int64))
    values = drawn(draw, int(starts[-1]), VALUES)
    mask = draw(st.none() | st.just(True)) and drawn(draw, len(values), st.booleans(), np.bool_)
    return starts, values, mask


@st.composite
def dealt(draw: Callable[..., Any]) -> dict[str, Any]:
    """All that `sliced` takes."""
    starts, values, mask = draw(segmented())
    rows, windows, parts = len(values), draw(st.integers(1, 4)), draw(st.integers(1, 8))
    codes, counts, _ = plain.factorise(starts, values)
    if draw(st.booleans()):
        codes = counts = None
    atom = st.tuples(st.sampled_from(kernel.OPS), st.just(values), st.sampled_from([None, mask]))
    return {
        "starts": starts, "codes": codes, "counts": counts, "windows": windows,
        "band": drawn(draw, rows, st.integers(0, windows + 1)),
        "part": draw(st.none() | st.just(True)) and drawn(draw, rows, st.integers(0, parts - 1)),
        "patterns": draw(st.lists(st.lists(st.integers(0, parts - 1)), min_size=1, max_size=9)),
        "atoms": draw(st.lists(atom, max_size=5)),
    }  # fmt: skip


def same(function: Callable[..., Any], *arguments: Any, **named: Any) -> None:
    found = function(*arguments, **named)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "IS_THERE", False)
        expected = function(*arguments, **named)
    for one, other in zip(flat(found), flat(expected), strict=True):
        assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())


def flat(found: Any) -> list[np.ndarray]:
    return [one for part in found for one in flat(part)] if isinstance(found, tuple | list) else [found]


@needs_compiled
@given(segmented(), st.data())
def test_segments_are_the_same_to_the_last_bit(given, data):
    starts, values, mask = given
    others = drawn(data.draw, len(values), VALUES)
    same(kernel.factorise, starts, values)
    for columns in ([values], [values, others], [values // 2**62, np.sort(values)], [np.sort(others), values, others]):
        same(kernel.ordered, starts, columns)
    for op in kernel.OPS:
        same(kernel.reduced, starts, op, values, mask)
    same(kernel.medians, starts, values, mask)


@needs_compiled
@given(dealt())
def test_slices_are_the_same_to_the_last_bit(arguments):
    same(kernel.sliced, **arguments)


@needs_compiled
def test_many_keys_and_values_are_the_same_to_the_last_bit():
    random = np.random.default_rng(5)
    starts, values = whole(0, 3000, 5000, 5000, 9000), random.integers(LEAST, MOST, 9000)
    for some in (values, values // 2**52, values // 2**58, np.repeat(values[::3], 3)):
        same(kernel.factorise, starts, some)
        same(kernel.ordered, starts, [some, values])
        same(kernel.medians, starts, some)
        codes, counts, _ = kernel.factorise(starts, some)
        atoms = [(op, values, None) for op in kernel.OPS]
        same(kernel.sliced, starts, codes, counts, values % 4, 3, values % 5, [(0, 1, 2, 4), (4,)], atoms)
