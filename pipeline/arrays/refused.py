"""Operations on types that arrays do not have as SQL has them: moments to the microsecond, decimals, narrow numbers."""

from collections.abc import Iterable

import ibis.expr.operations as ops

from features.groups import Group
from features.reduce import COUNTS
from features.sources import Rows
from pipeline.arrays.columns import UnfitError

OF_MOMENTS = (
    *(ops.TimestampTruncate, ops.ExtractEpochSeconds, ops.ExtractHour, ops.ExtractMinute, ops.ExtractDay),
    *(ops.DayOfWeekIndex, ops.IsNull, ops.NotNull),
)
"""What whole seconds tell as well as microseconds do."""
REDUCTIONS = (*COUNTS, ops.Sum, ops.Min, ops.Max, ops.Median)
REAL = (ops.Field, ops.Reduction, ops.Cast, ops.Divide, ops.Sqrt, ops.Ln)
"""Fractions that SQL has in binary, whatever they are made of."""
DIFFERS = (ops.Add, ops.Subtract, ops.Multiply, ops.Round, ops.Cast)
"""What comes to something else in decimals."""


def refuse(node: ops.Node) -> None:
    """An `UnfitError` for an operation that would come to something else in SQL, or stop there."""
    args = _operands(node)
    if any(arg.dtype.is_temporal() for arg in args) and not isinstance(node, OF_MOMENTS):
        raise UnfitError(f"{type(node).__name__} of moments, which have whole seconds here")
    if isinstance(node, ops.TimestampTruncate) and node.unit.short != "s":
        raise UnfitError(f"moments cut to '{node.unit.short}'")
    if isinstance(node, ops.ExtractEpochSeconds) and not isinstance(node.arg, ops.TimestampTruncate):
        raise UnfitError("seconds of a moment that was not cut to them")
    if isinstance(node, ops.Cast) and not _is_fit(node):
        raise UnfitError(f"from {node.arg.dtype} to {node.to}")
    fractions = [arg for arg in args if arg.dtype.is_floating()]
    if isinstance(node, DIFFERS) and not _is_to_real(node) and fractions and all(map(_is_decimal, fractions)):
        raise UnfitError("reckoning in decimals")


def refuse_reductions(nodes: Iterable[ops.Reduction]) -> None:
    """An `UnfitError` for one that is not known, is of fractions, or tells moments of one second apart."""
    for node in nodes:
        if not isinstance(node, REDUCTIONS):
            raise UnfitError(f"{type(node).__name__} is not known in arrays")
        if not isinstance(node, COUNTS) and not node.arg.dtype.is_integer():
            raise UnfitError(f"{type(node).__name__} of what is no whole number")
        if isinstance(node, ops.CountDistinct) and node.arg.dtype.is_temporal():
            raise UnfitError("moments told apart, which have whole seconds here")


def refuse_keys(group: Group) -> None:
    """An `UnfitError` for cells by a moment."""
    linked_by = group.rows.by if isinstance(group.rows, Rows) else ""
    for key in (*group.keys, linked_by):
        if key and group.rows_view[key].type().is_temporal():
            raise UnfitError("cells by a moment, which has whole seconds here")


def _is_fit(node: ops.Cast) -> bool:
    """Whether a cast is to a number of 64 bits, to a flag, or to what there is already."""
    to = node.to
    return to.is_int64() or to.is_float64() or to.is_boolean() or to == node.arg.dtype


def _is_to_real(node: ops.Node) -> bool:
    return isinstance(node, ops.Cast) and not node.to.is_integer()


def _is_decimal(node: ops.Value) -> bool:
    """Whether SQL has a fraction in decimals, as it has those that are written out until they meet a binary one."""
    if isinstance(node, ops.Literal):
        return True
    fractions = [arg for arg in _operands(node) if arg.dtype.is_floating()]
    return not isinstance(node, REAL) and all(map(_is_decimal, fractions))


def _operands(node: ops.Node) -> list[ops.Value]:
    """The values that it is made of."""
    flat = (item for arg in node.args for item in (arg if isinstance(arg, tuple) else (arg,)))
    return [item for item in flat if isinstance(item, ops.Value)]
