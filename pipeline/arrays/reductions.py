"""Reductions of columns by the kernel: over the slices of blocks, and over stretches of entries."""

from collections.abc import Sequence

import ibis.expr.operations as ops
import numpy as np

from features.reduce import COUNTS
from pipeline.arrays import kernel
from pipeline.arrays.columns import LEAST, MOST, Array, Column, UnfitError

NOTHING = {"min": MOST, "max": LEAST}
"""What the extremes of nothing are."""
OPERATIONS = {ops.Count: "count", ops.CountStar: "count", ops.Sum: "sum", ops.Min: "min", ops.Max: "max"}


def to_reduce(node: ops.Reduction, arg: Column | None, where: Column | None, starts: Array) -> list[kernel.Atom]:
    """What to reduce for a node: its values, and beside a sum the count that says whether it is null."""
    if type(node) not in OPERATIONS:
        raise UnfitError(f"{type(node).__name__} over rows")
    rows, mask = int(starts[-1]), None if where is None else where.truth
    if arg is not None and arg.known is not None:
        mask = arg.known if mask is None else mask & arg.known
    mask = None if mask is None else np.ascontiguousarray(np.broadcast_to(mask, rows))
    operation = OPERATIONS[type(node)]
    if operation == "count" or arg is None:
        return [("count", None, mask)]
    values = np.ascontiguousarray(whole_numbers(arg.full(rows)))
    if operation != "sum":
        if np.any(values == NOTHING[operation]):
            raise UnfitError("a value that stands for none")
        return [(operation, values, mask)]
    within_reach(values, starts)
    return [("sum", values, mask), ("count", None, mask)]


def whole_numbers(column: Column) -> Array:
    """Whole numbers of 64 bits; sums and extremes of others depend on more."""
    if column.words is not None or column.values.dtype.kind not in "iu":
        raise UnfitError("only whole numbers are reduced")
    return column.values.astype(np.int64, copy=False)


def within_reach(values: Array, starts: Array) -> None:
    """Whether the values of each stretch, added up, stay within 64 bits; looked at closely only where they may not."""
    rows = int(np.diff(starts).max(initial=0))
    if rows and max(abs(int(values.min())), abs(int(values.max()))) * rows > MOST:
        begins = starts[:-1][np.diff(starts) > 0]
        if np.add.reduceat(np.abs(values.astype(np.float64)), begins).max() > MOST // 2:
            raise UnfitError("sums beyond 64 bits")


def reduced(node: ops.Reduction, values: Sequence[Array]) -> Column:
    """What a node came to, null over nothing unless it counts."""
    if isinstance(node, COUNTS):
        return Column(values[0])
    if len(values) > 1:
        return Column(values[0], values[1] > 0)
    known = values[0] != NOTHING[OPERATIONS[type(node)]]
    return Column(np.where(known, values[0], 0), known)


def over_segments(node: ops.Reduction, starts: Array, arg: Column | None, where: Column | None) -> Column:
    """A reduction over stretches of entries."""
    if isinstance(node, ops.Median):
        return median(starts, arg, where)
    atoms = to_reduce(node, arg, where, starts)
    return reduced(node, [kernel.reduced(starts, *atom) for atom in atoms])


def median(starts: Array, arg: Column | None, where: Column | None) -> Column:
    """The median of whole numbers over stretches."""
    if arg is None:
        raise UnfitError("a median of nothing")
    rows = int(starts[-1])
    mask = np.ascontiguousarray(np.broadcast_to(arg.certain if where is None else where.truth & arg.certain, rows))
    return Column(*kernel.medians(starts, np.ascontiguousarray(whole_numbers(arg.full(rows))), mask))
