"""What compiled code offers kernel.py; arrays are contiguous, of 64-bit whole numbers unless they are masks."""

from collections.abc import Callable

from saakh.trees import Array

LAYOUT: int

def factorise(starts: Array, values: Array, codes: Array, counts: Array, firsts: Array, /) -> int: ...
def ordered(starts: Array, columns: tuple[Array, ...], order: Array, /) -> None: ...
def sliced(
    starts: Array,
    codes: Array | None,
    counts: Array | None,
    band: Array,
    windows: int,
    part: Array | None,
    members: Array,
    atoms: tuple[tuple[int, Array | None, Array | None], ...],
    starts_out: Array,
    empty: Callable[[int], Array],
    /,
) -> tuple[Array, list[Array]]: ...
def reduced(starts: Array, op: int, values: Array | None, mask: Array | None, out: Array, /) -> None: ...
def medians(starts: Array, values: Array, mask: Array | None, out: Array, found: Array, /) -> None: ...
