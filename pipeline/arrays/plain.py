"""The loops over rows in numpy, for where kernel.py finds no compiled code: the same bits, more slowly.

kernel.py says what each function takes and gives, and has checked types and lengths; what rows hold is checked here.
"""

from collections.abc import Sequence

import numpy as np

from saakh.trees import Array

LEAST, MOST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
NOTHING = {"count": 0, "sum": 0, "min": MOST, "max": LEAST}
"""What each operation comes to over no rows."""
TOGETHER = {"count": np.add, "sum": np.add, "min": np.minimum, "max": np.maximum}

Atom = tuple[str, Array | None, Array | None]


def factorise(starts: Array, values: Array) -> tuple[Array, Array, Array]:
    """Codes, how many there are in each segment, and the row that was first to have each."""
    segment = segment_of(starts)
    order = np.lexsort((values, segment))
    is_new = np.ones(len(order), bool)
    is_new[1:] = (np.diff(segment[order]) != 0) | (values[order][1:] != values[order][:-1])
    met = order[is_new]
    by_row = np.argsort(met)
    number = np.empty(len(met), np.int64)
    number[by_row] = np.arange(len(met))
    counts = np.bincount(segment[met], minlength=len(starts) - 1)
    codes = np.empty(len(values), np.int64)
    codes[order] = number[np.cumsum(is_new) - 1] - starts_of(counts)[segment[order]]
    return codes, counts, met[by_row]


def ordered(starts: Array, columns: Sequence[Array]) -> Array:
    """The rows of each segment in ascending order, equal ones as they were."""
    return np.lexsort((*reversed(columns), segment_of(starts)))


def reduced(starts: Array, op: str, values: Array | None, mask: Array | None) -> Array:
    """What the rows of each segment come to."""
    return _totals(op, segment_of(starts), len(starts) - 1, values, mask)


def medians(starts: Array, values: Array, mask: Array | None) -> tuple[Array, Array]:
    """The median of each segment, and whether there is one."""
    segment = segment_of(starts)
    if mask is not None:
        segment, values = segment[mask], values[mask]
    lengths = np.bincount(segment, minlength=len(starts) - 1)
    found, first = lengths > 0, starts_of(lengths)[:-1]
    values = values[np.lexsort((values, segment))].astype(float)
    out = np.zeros(len(lengths))
    low, high = values[(first + (lengths - 1) // 2)[found]], values[(first + lengths // 2)[found]]
    out[found] = low * 0.5 + high * 0.5  # as DuckDB does
    return out, found


def sliced(
    starts: Array,
    codes: Array | None,
    counts: Array | None,
    band: Array,
    windows: int,
    part: Array | None,
    members: Array,
    atoms: Sequence[Atom],
) -> tuple[Array, Array, list[Array]]:
    """Entries of each application and slice, their keys, and what each atom comes to in them."""
    application, slices = segment_of(starts), len(members) * windows
    bases, owner = _keys(starts, counts)
    _check(application, codes, counts, band, part)
    key = application if codes is None else bases[application] + codes
    part = np.zeros(len(band), np.int64) if part is None else part
    is_in = [(members[p] >> part & 1 == 1) & (band < windows) for p in range(len(members))]
    at = np.minimum(band, windows - 1) * len(owner) + key
    rows = np.stack([_running("count", at, len(owner), windows, None, one) for one in is_in])
    p, w, keys = np.nonzero(np.ones_like(rows) if codes is None else rows)
    order = np.argsort(owner[keys].astype(np.min_scalar_type(len(starts))), kind="stable")  # quick for 16 bits
    p, w, keys = p[order], w[order], keys[order]
    values = []
    for op, column, mask in atoms:
        masks = is_in if mask is None else [one & mask for one in is_in]
        found = np.stack([_running(op, at, len(owner), windows, column, one) for one in masks])
        values.append(found[p, w, keys])
    entries = np.bincount(owner[keys] * slices + p * windows + w, minlength=(len(starts) - 1) * slices)
    return starts_of(entries), keys, values


def segment_of(starts: Array) -> Array:
    """The segment of each row; a ValueError when `starts` does not ascend from 0."""
    lengths = np.diff(starts)
    if len(starts) == 0 or starts[0] != 0 or (starts[1:] < starts[:-1]).any():
        raise ValueError("'starts' does not ascend from 0")
    return np.repeat(np.arange(len(lengths)), lengths)


def starts_of(lengths: Array) -> Array:
    """Where segments of these lengths start, and where the last ends."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)))


def _keys(starts: Array, counts: Array | None) -> tuple[Array, Array]:
    """Where the keys of each application start, and whose each key is."""
    if counts is None:
        counts = np.ones(len(starts) - 1, np.int64)
    if (counts < 0).any():
        raise ValueError("there cannot be as many keys as 'counts' says")
    return starts_of(counts), np.repeat(np.arange(len(counts)), counts)


def _check(
    application: Array, codes: Array | None, counts: Array | None, band: Array, part: Array | None, parts: int = 8
) -> None:
    is_wrong = band < 0
    if codes is not None and counts is not None:
        is_wrong = is_wrong | (codes < 0) | (codes >= counts[application])
    if part is not None:
        is_wrong = is_wrong | (part < 0) | (part >= parts)
    if is_wrong.any():
        raise ValueError("a row has a code, a band or a part that cannot be")


def _running(op: str, at: Array, keys: int, windows: int, values: Array | None, mask: Array) -> Array:
    """What rows come to [windows, keys], each window with those before it."""
    bands = _totals(op, at, keys * windows, values, mask).reshape(windows, keys)
    out: Array = TOGETHER[op].accumulate(bands, axis=0)
    return out


def _totals(op: str, at: Array, count: int, values: Array | None, mask: Array | None) -> Array:
    """What the rows at each of so many places come to."""
    if mask is not None:
        at, values = at[mask], None if values is None else values[mask]
    out = np.full(count, NOTHING[op], np.int64)
    if op == "count" or values is None:
        return out + np.bincount(at, minlength=count)
    TOGETHER[op].at(out, at, values)
    return out
