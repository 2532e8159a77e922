"""The loops over rows that measuring on arrays spends its time in: compiled where it was built, numpy elsewhere.

`_kernel` is optional: a machine without a compiler does without, and plain.py gives the same bits, more slowly. Arrays
are flat, contiguous and of int64 unless said; `starts` [segments + 1] ascends from 0 to the number of rows, and segment
s is rows `starts[s]:starts[s + 1]`. What does not fit raises a ValueError.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.arrays import plain
from pipeline.arrays.plain import Atom
from saakh.trees import Array

LAYOUT = 1
"""Which calls this module makes; a kernel that was built for others is left alone."""
try:
    from pipeline.arrays import _kernel as compiled
except ImportError:
    IS_THERE = False
else:
    IS_THERE = getattr(compiled, "LAYOUT", 0) == LAYOUT

PARTS, PATTERNS_MAX, WINDOWS_MAX = 8, 32, 65536
"""How many parts rows may be in, and how many unions of them and windows may be asked for."""
OPS = ("count", "sum", "min", "max")
"""What may be made of rows; over none, `count` and `sum` are 0, `min` the largest whole number and `max` the least."""


def factorise(starts: Array, values: Array) -> tuple[Array, Array, Array]:
    """Number the distinct values of each segment from 0, in the order in which they first appear.

    `values` is int64 or uint64. Gives the codes [rows], how many there are [segments], and the row that was first to
    have each, segment after segment.
    """
    rows = _rows(starts)
    values = values.view(np.int64) if values.dtype == np.uint64 else values
    _fits(values, np.int64, rows, "values")
    if not IS_THERE:
        return plain.factorise(starts, values)
    codes, counts, firsts = _empty(rows), _empty(len(starts) - 1), _empty(rows)
    found = compiled.factorise(starts, values, codes, counts, firsts)
    return codes, counts, firsts[:found].copy()


def ordered(starts: Array, columns: Sequence[Array]) -> Array:
    """Row numbers [rows] that sort each segment by the first column, then the next; equal rows stay as they were."""
    rows = _rows(starts)
    if not columns:
        raise ValueError("there are no columns")
    for column in columns:
        _fits(column, np.int64, rows, "columns")
    if not IS_THERE:
        return plain.ordered(starts, columns)
    order = _empty(rows)
    compiled.ordered(starts, tuple(columns), order)
    return order


def sliced(
    starts: Array,
    codes: Array | None,
    counts: Array | None,
    band: Array,
    windows: int,
    part: Array | None,
    patterns: Sequence[Sequence[int]],
    atoms: Sequence[Atom],
) -> tuple[Array, Array, list[Array]]:
    """What the rows of each application come to in each slice, by key.

    `codes` [rows] and `counts` [applications] are those of `factorise`; both None is one key for each application.
    `band` [rows] is the first of the windows that holds a row, which all later ones hold too; rows of later bands are
    in none. `part` [rows] is 0 where it is None; a pattern is the parts that it is the union of. Slice p * windows + w
    is pattern p in window w. An atom is an operation of `OPS`, its values [rows] (None for `count`) and the rows it is
    about, a bool array or None for all. Sums are exact modulo 2^64.

    An entry is an application, slice and key with a row, whatever the masks (without codes, every application and
    slice), in this order. Gives where the entries of each application and slice start, [applications * slices + 1];
    their keys, numbered through all applications; and what each atom comes to in them.
    """
    rows, applications = _rows(starts), len(starts) - 1
    if (codes is None) != (counts is None):
        raise ValueError("'codes' and 'counts' belong together")
    for array, length, name in ((codes, rows, "codes"), (counts, applications, "counts"), (part, rows, "part")):
        _fits_if_any(array, np.int64, length, name)
    _fits(band, np.int64, rows, "band")
    for atom in atoms:
        _fits_atom(*atom, rows)
    members = _members(patterns, windows)
    if not IS_THERE:
        return plain.sliced(starts, codes, counts, band, windows, part, members, atoms)
    starts_out = _empty(applications * len(members) * windows + 1)
    numbered = tuple((OPS.index(op), values, mask) for op, values, mask in atoms)
    arguments = (starts, codes, counts, band, windows, part, members, numbered, starts_out, _empty)
    keys, values = compiled.sliced(*arguments)
    return starts_out, keys, values


def reduced(starts: Array, op: str, values: Array | None = None, mask: Array | None = None) -> Array:
    """What the rows of each segment come to [segments]: an atom, as for `sliced`."""
    _fits_atom(op, values, mask, _rows(starts))
    if not IS_THERE:
        return plain.reduced(starts, op, values, mask)
    out = _empty(len(starts) - 1)
    compiled.reduced(starts, OPS.index(op), values, mask, out)
    return out


def medians(starts: Array, values: Array, mask: Array | None = None) -> tuple[Array, Array]:
    """The median of each segment's values [segments], 0 where there is none, and whether there is one."""
    rows = _rows(starts)
    _fits(values, np.int64, rows, "values")
    _fits_if_any(mask, np.bool_, rows, "mask")
    if not IS_THERE:
        return plain.medians(starts, values, mask)
    out, found = np.empty(len(starts) - 1), np.empty(len(starts) - 1, bool)
    compiled.medians(starts, values, mask, out, found)
    return out, found


def _empty(length: int) -> Array:
    return np.empty(length, np.int64)


def _rows(starts: Array) -> int:
    """How many rows there are; compiled code and plain.py look whether all starts ascend."""
    _fits(starts, np.int64, None, "starts")
    if len(starts) == 0 or starts[-1] < 0:
        raise ValueError("'starts' does not ascend from 0")
    return int(starts[-1])


def _fits(array: Array, dtype: type[np.generic], length: int | None, name: str) -> None:
    if array.dtype != dtype or array.ndim != 1 or not (array.flags.c_contiguous and array.flags.aligned):
        raise ValueError(f"'{name}' is not a flat, contiguous array of {dtype.__name__}")
    if length is not None and len(array) != length:
        raise ValueError(f"'{name}' has {len(array)} elements, and {length} are needed")


def _fits_if_any(array: Array | None, dtype: type[np.generic], length: int, name: str) -> None:
    if array is not None:
        _fits(array, dtype, length, name)


def _fits_atom(op: str, values: Array | None, mask: Array | None, rows: int) -> None:
    if op not in OPS or (values is None and op != "count"):
        raise ValueError(f"'{op}' is not one of {', '.join(OPS)}, or has no values")
    _fits_if_any(values, np.int64, rows, "values")
    _fits_if_any(mask, np.bool_, rows, "mask")


def _members(patterns: Sequence[Sequence[int]], windows: int) -> Array:
    """A bit for each part of each pattern."""
    if not 1 <= len(patterns) <= PATTERNS_MAX or not 1 <= windows <= WINDOWS_MAX:
        raise ValueError(f"there are 1 to {PATTERNS_MAX} patterns and 1 to {WINDOWS_MAX} windows")
    if any(not 0 <= part < PARTS for pattern in patterns for part in pattern):
        raise ValueError(f"parts are numbered from 0 to {PARTS - 1}")
    return np.array([sum(1 << part for part in set(pattern)) for pattern in patterns], np.int64)
