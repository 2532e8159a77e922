"""Loops over rows: arrays that do not fit each other are refused, compiled and in numpy, and lead nowhere."""

import numpy as np
import pytest

from pipeline.arrays import kernel
from tests.dealt_rows import AMOUNT, DEALT, EVEN, LEAST, MOST, needs_compiled, whole


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize(
    "changed",
    [
        {"starts": whole()}, {"starts": whole(1, 5, 5, 7)}, {"starts": whole(0, 6, 5, 7)},
        {"starts": whole(0, 5, 5, 8)}, {"starts": whole(0, -1, 5, 7)}, {"starts": whole(0, 5, 7)},
        {"starts": whole(0, 2**62, 5, 7)},
        {"codes": whole(0, 1, 0, 0, 2, 0, 0)}, {"codes": whole(0, 1, -1, 0, 1, 0, 0)}, {"codes": whole(0)},
        {"codes": whole(0, 1, 0, 0, MOST, 0, 0)}, {"codes": None}, {"counts": None}, {"counts": whole(2, 0)},
        {"counts": whole(2, -1, 1)}, {"counts": whole(2, 0, 0)}, {"band": whole(0)}, {"windows": 0}, {"windows": 2**40},
        {"band": whole(0, 1, 1, -1, 0, 1, 1)}, {"band": whole(LEAST, 1, 1, 2, 0, 1, 1)}, {"part": whole(0)},
        {"part": whole(0, 0, 8, 0, 1, 1, 1)}, {"part": whole(0, 0, -1, 0, 1, 1, 1)}, {"patterns": []},
        {"patterns": [(8,)]}, {"patterns": [(-1,)]}, {"patterns": [(0,)] * 33}, {"atoms": [("sum", None, None)]},
        {"atoms": [("mean", AMOUNT, None)]}, {"atoms": [("sum", AMOUNT[1:], None)]},
        {"atoms": [("sum", AMOUNT, EVEN[1:])]}, {"atoms": [("sum", AMOUNT, AMOUNT)]},
        {"band": np.frombuffer(bytes(57), np.int64, offset=1)},
        {"atoms": [("sum", AMOUNT.astype(float), None)]}, {"atoms": [("sum", np.repeat(AMOUNT, 2)[::2], None)]},
    ],
)  # fmt: skip
def test_what_cannot_be_sliced_is_refused(changed):
    with pytest.raises(ValueError, match=r"."):
        kernel.sliced(**DEALT | {"atoms": [("sum", AMOUNT, EVEN)]} | changed)


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize(
    "starts", [whole(), whole(1, 2), whole(0, 3, 2), whole(0, 3), whole(0, 2**62, 2), whole(-1, 2)]
)
def test_segments_that_do_not_fit_their_rows_are_refused(starts):
    starts, values = whole(*starts), whole(1, 2)
    for call in (
        lambda: kernel.factorise(starts, values),
        lambda: kernel.ordered(starts, [values]),
        lambda: kernel.reduced(starts, "sum", values),
        lambda: kernel.medians(starts, values),
    ):
        with pytest.raises(ValueError, match=r"."):
            call()


@pytest.mark.usefixtures("either")
def test_no_columns_are_refused():
    with pytest.raises(ValueError, match="no columns"):
        kernel.ordered(whole(0, 2), [])


@needs_compiled
def test_compiled_code_looks_at_every_array_itself():
    starts, values, one, two, mask = whole(0, 2), whole(1, 2), whole(0), whole(0, 0), np.array([True, False])
    members, real, plenty = whole(1), np.zeros(1), lambda length: np.empty(length + 1, np.int64)
    slices = (starts, None, None, two, 1, None, members, ((0, None, None),), two)
    fits = kernel.compiled
    for call in (
        lambda: fits.factorise(starts, values, one, one, two),
        lambda: fits.factorise(starts, values, two, two, two),
        lambda: fits.factorise(starts, values, two, one, one),
        lambda: fits.factorise(starts, mask, two, one, two),
        lambda: fits.ordered(starts, (), two),
        lambda: fits.ordered(starts, (one,), two),
        lambda: fits.ordered(starts, (values,), one),
        lambda: fits.ordered(starts, [values], two),
        lambda: fits.reduced(starts, 4, values, None, one),
        lambda: fits.reduced(starts, -1, values, None, one),
        lambda: fits.reduced(starts, 1, None, None, one),
        lambda: fits.reduced(starts, 1, values, mask[:1], one),
        lambda: fits.reduced(starts, 1, values, mask, two),
        lambda: fits.reduced(starts, 1, values, mask, np.broadcast_to(0, 1)),
        lambda: fits.medians(starts, values, None, real, values),
        lambda: fits.medians(starts, values, None, one, mask[:1]),
        lambda: fits.medians(starts, values.reshape(2, 1), None, real, mask[:1]),
        lambda: fits.sliced(*slices, plenty),
        lambda: fits.sliced(*slices, np.empty),
        lambda: fits.sliced(*slices, lambda length: None),
        lambda: fits.sliced(*slices[:6], whole(256), *slices[7:], plenty),
        lambda: fits.sliced(*slices[:7], ((0, None),), two, plenty),
        lambda: fits.sliced(*slices[:7], (None,), two, plenty),
        lambda: fits.sliced(*slices[:8], one, plenty),
        lambda: fits.sliced(starts, two, None, *slices[3:], plenty),
        lambda: fits.sliced(starts, None, one, *slices[3:], plenty),
        lambda: fits.sliced(starts, two, two, *slices[3:], plenty),
        lambda: fits.sliced(starts, two, whole(2**31), *slices[3:], plenty),
        lambda: fits.sliced(*slices[:4], 0, *slices[5:], plenty),
    ):
        with pytest.raises((ValueError, TypeError, BufferError)):
            call()


@needs_compiled
def test_an_error_while_arrays_are_made_is_passed_on():
    def fails(length: int) -> np.ndarray:
        raise RuntimeError("there is no space")

    with pytest.raises(RuntimeError, match="no space"):
        kernel.compiled.sliced(whole(0, 1), None, None, whole(0), 1, None, whole(1), (), whole(0, 0), fails)


@needs_compiled
def test_more_keys_than_memory_holds_are_an_error_and_no_crash():
    dealt = DEALT | {"counts": whole(2**31 - 2, 0, 1)}
    with pytest.raises(MemoryError):
        kernel.sliced(**dealt | {"windows": kernel.WINDOWS_MAX}, atoms=[])
