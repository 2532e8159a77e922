"""What each operation of a declaration does to columns in memory: what the embedded engine's SQL does, to the bit.

Null where SQL says null. What an engine would stop at or do in more than 64 bits (an overflow, a division by zero) is
an `UnfitError`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ibis.expr.operations as ops
import numpy as np

from features.windows import DAY_S
from pipeline.arrays.columns import LEAST, MOST, Array, Column, UnfitError, known_in, recoded
from pipeline.arrays.logarithms import logarithms

Function = Callable[..., Column]


def literal(node: ops.Literal) -> Column:
    """The one value of a literal."""
    value, kind = node.value, node.dtype
    if value is None:
        zero = np.zeros((), kind.to_numpy() if kind.is_numeric() else bool)  # a flag becomes whatever stands beside it
        return Column(zero, np.False_)
    if isinstance(value, str):
        return Column(np.int64(0), None, (value,))
    if not (kind.is_numeric() or kind.is_boolean()):
        raise UnfitError(f"a literal of {kind}")
    return Column(np.bool_(value) if kind.is_boolean() else np.int64(value) if kind.is_integer() else np.float64(value))


def compared(compare: Any, _: ops.Node, left: Column, right: Column) -> Column:
    """Two columns compared; null where either is."""
    a, b = _alike(left, right, compare in (np.equal, np.not_equal))
    return Column(compare(a, b), known_in(left, right))


def _alike(left: Column, right: Column, is_equality: bool = True) -> tuple[Any, Any]:
    """Values that compare as their columns do: texts by their places among the same words."""
    if left.words == right.words:
        return left.values, right.values
    if left.words is None or right.words is None or not is_equality:
        raise UnfitError("texts are only told apart")
    if len(right.words) == 1 and not np.ndim(right.values):
        return left.values, _place(right.words[0], left.words)
    if len(left.words) == 1 and not np.ndim(left.values):
        return _place(left.words[0], right.words), right.values
    words = tuple(sorted({*left.words, *right.words}))
    return recoded(left, words), recoded(right, words)


def _place(word: str, words: Sequence[str]) -> int:
    return words.index(word) if word in words else -1


def both(_: ops.Node, left: Column, right: Column) -> Column:
    """And, where no is known to be no whatever the other side is."""
    if left.known is None and right.known is None:
        return Column(left.values & right.values)
    a, b = left.certain, right.certain
    known = (a & b) | (a & ~left.values) | (b & ~right.values)
    return Column((left.values | ~a) & (right.values | ~b), known)


def either(_: ops.Node, left: Column, right: Column) -> Column:
    """Or, where yes is known to be yes whatever the other side is."""
    if left.known is None and right.known is None:
        return Column(left.values | right.values)
    a, b = left.certain, right.certain
    return Column(left.truth | right.truth, (a & b) | left.truth | right.truth)


def reckoned(calculate: Any, _: ops.Node, left: Column, right: Column) -> Column:
    """Addition and the like: what leaves 64 bits is unfit, for an engine would stop or take more."""
    a, b = _number(left), _number(right)
    if a.dtype.kind == b.dtype.kind == "i":
        reach = _reach(a) * _reach(b) if calculate is np.multiply else _reach(a) + _reach(b)
        if reach > MOST:
            raise UnfitError("whole numbers beyond 64 bits")
    return Column(calculate(a, b), known_in(left, right))


def signed(calculate: Any, _: ops.Node, arg: Column) -> Column:
    """The opposite, or the size: the least whole number has neither."""
    values = _number(arg)
    if values.dtype.kind == "i" and np.any(values == LEAST):
        raise UnfitError("whole numbers beyond 64 bits")
    return Column(calculate(values), arg.known)


def _number(column: Column) -> Any:
    """Values to reckon with; a flag or a text is none."""
    if column.words is not None or column.values.dtype == bool:
        raise UnfitError("reckoning with what is no number")
    return column.values


def _reach(values: Any) -> int:
    """The largest value there is, without its sign."""
    if not np.size(values):
        return 0
    return max(abs(int(np.min(values))), abs(int(np.max(values))))


def _finite(values: Any, known: Any) -> Column:
    """Numbers that must be there wherever they are known."""
    is_there = np.isfinite(values)
    if not np.all(is_there if known is None else is_there | ~known):
        raise UnfitError("a division by zero, or a root or logarithm that there is none of")
    return Column(values, known)


def divided(_: ops.Node, left: Column, right: Column) -> Column:
    """A quotient, a fraction even of whole numbers."""
    known = known_in(left, right)
    return _finite(np.divide(_number(left), _number(right)), known)


def floored(_: ops.Node, left: Column, right: Column) -> Column:
    """A whole quotient, rounded down; by way of a fraction, as SQL has it."""
    quotient = divided(_, left, right)
    return Column(_whole(np.floor(quotient.values), quotient.known), quotient.known)


def left_over(node: ops.Node, left: Column, right: Column) -> Column:
    """What is left of a division, with the sign of what was divided."""
    known = known_in(left, right)
    if np.any((right.values == 0) & right.certain) or np.any(left.values == LEAST):
        raise UnfitError("a division by zero, or one of the least whole number, which may be by -1")
    if not node.dtype.is_integer():
        raise UnfitError("what is left of fractions")
    return Column(np.fmod(_number(left), _number(right)), known)


def real(calculate: Any, _: ops.Node, arg: Column) -> Column:
    """A root or a logarithm."""
    return _finite(calculate(_number(arg).astype(np.float64)), arg.known)


def rounded(node: ops.Round, arg: Column, *digits: Column) -> Column:
    """The nearest whole number, halves away from zero."""
    if any(np.any(d.values != 0) for d in digits):
        raise UnfitError("rounding to digits")
    if arg.values.dtype.kind == "i":
        return arg
    whole = np.trunc(arg.values)
    nearest = whole + np.copysign(np.abs(arg.values - whole) >= 0.5, arg.values)
    return Column(_whole(nearest, arg.known) if node.dtype.is_integer() else nearest, arg.known)


def _whole(values: Array, known: Any) -> Array:
    """Fractions as whole numbers of 64 bits."""
    fits = np.abs(values) < 2.0**63
    if not np.all(fits if known is None else fits | ~known):
        raise UnfitError("whole numbers beyond 64 bits")
    return np.where(fits, values, 0).astype(np.int64)


def cast(node: ops.Cast, arg: Column) -> Column:
    """Another kind of number; a fraction goes to the nearest whole number, halves to the even one."""
    to, have = node.to, np.asarray(arg.values).dtype
    if to == node.arg.dtype:
        return arg
    if arg.words is not None:
        raise UnfitError(f"from {node.arg.dtype} to {to}")
    if to.is_floating():
        return Column(arg.values.astype(np.float64), arg.known)
    if to.is_integer():
        whole = _whole(np.rint(arg.values), arg.known) if have.kind == "f" else arg.values.astype(np.int64)
        return Column(whole, arg.known)
    return Column(arg.values != 0, arg.known)


def branched(_: ops.IfElse, condition: Column, yes: Column, no: Column) -> Column:
    """One column where the condition says yes, else the other."""
    if yes.words is not None or no.words is not None:
        raise UnfitError("a choice of texts")
    is_yes = condition.truth
    known = None
    if yes.known is not None or no.known is not None:
        known = np.where(is_yes, yes.certain, no.certain)
    return Column(np.where(is_yes, yes.values, no.values), known)


def first_known(node: ops.Node, *args: Column) -> Column:
    """The first that is not null."""
    found = args[-1]
    for arg in reversed(args[:-1]):
        found = branched(node, Column(arg.certain), arg, found)
    return found


def nulled(_: ops.NullIf, arg: Column, other: Column) -> Column:
    """Null where it equals the other."""
    a, b = _alike(arg, other)
    same = Column(a == b, known_in(arg, other)).truth
    return Column(arg.values, arg.certain & ~same, arg.words)


def clipped(_: ops.Clip, arg: Column, lower: Column | None, upper: Column | None) -> Column:
    """No larger than the upper bound, then no smaller than the lower; an unknown bound is none, null stays null."""
    values = _number(arg)
    for beyond, bound in ((np.greater_equal, upper), (np.less_equal, lower)):
        if bound is not None:
            values = np.where(beyond(values, bound.values) & bound.certain, _number(bound), values)
    return Column(values, arg.known)


def between(_: ops.Between, arg: Column, low: Column, high: Column) -> Column:
    """Whether it lies between two, both included."""
    _number(arg)
    return both(_, compared(np.greater_equal, _, arg, low), compared(np.less_equal, _, arg, high))


def among(_: ops.InValues, arg: Column, *options: Column) -> Column:
    """Whether it is one of these."""
    if any(o.known is not None for o in options):
        raise UnfitError("null among options")
    found: Any = np.zeros(np.shape(arg.values), bool)
    for option in options:
        found = found | np.equal(*_alike(arg, option))
    return Column(found, arg.known)


def cased(node: ops.SimpleCase, base: Column, *rest: Column) -> Column:
    """The result of the first case that it equals, else the default."""
    *pairs, found = rest
    cases, results = pairs[: len(node.cases)], pairs[len(node.cases) :]
    for case, result in reversed(list(zip(cases, results, strict=True))):
        found = branched(node, Column(np.equal(*_alike(base, case)), known_in(base, case)), result, found)
    return found


def moment_part(part: Callable[[Any], Any], _: ops.Node, arg: Column, *__: Column) -> Column:
    """A part of a moment, which is in seconds here."""
    return Column(part(arg.values), arg.known)


def _month_day(seconds: Array) -> Array:
    """The day of the month, from 1: looked up by days, of which there are few."""
    days = seconds // DAY_S
    if not len(days):
        return days
    first = days.min()
    listed = np.arange(first, days.max() + 1).astype("M8[D]")
    return ((listed - listed.astype("M8[M]")).astype(np.int64) + 1)[days - first]


FUNCTIONS: dict[type, Function] = {
    ops.Equals: partial(compared, np.equal),
    ops.NotEquals: partial(compared, np.not_equal),
    ops.Less: partial(compared, np.less),
    ops.LessEqual: partial(compared, np.less_equal),
    ops.Greater: partial(compared, np.greater),
    ops.GreaterEqual: partial(compared, np.greater_equal),
    ops.And: both,
    ops.Or: either,
    ops.Not: lambda _, arg: Column(~arg.values, arg.known),
    ops.Add: partial(reckoned, np.add),
    ops.Subtract: partial(reckoned, np.subtract),
    ops.Multiply: partial(reckoned, np.multiply),
    ops.Divide: divided,
    ops.FloorDivide: floored,
    ops.Modulus: left_over,
    ops.Negate: partial(signed, np.negative),
    ops.Abs: partial(signed, np.abs),
    ops.Sqrt: partial(real, np.sqrt),
    ops.Ln: partial(real, logarithms),
    ops.Round: rounded,
    ops.Cast: cast,
    ops.IfElse: branched,
    ops.Coalesce: first_known,
    ops.NullIf: nulled,
    ops.Clip: clipped,
    ops.Between: between,
    ops.InValues: among,
    ops.SimpleCase: cased,
    ops.IsNull: lambda _, arg: Column(np.logical_not(arg.certain)),
    ops.NotNull: lambda _, arg: Column(arg.certain),
    ops.TimestampTruncate: partial(moment_part, lambda seconds: seconds),
    ops.ExtractEpochSeconds: partial(moment_part, lambda seconds: seconds),
    ops.ExtractHour: partial(moment_part, lambda seconds: seconds // 3_600 % 24),
    ops.ExtractMinute: partial(moment_part, lambda seconds: seconds // 60 % 60),
    ops.ExtractDay: partial(moment_part, _month_day),
    ops.DayOfWeekIndex: partial(moment_part, lambda seconds: (seconds // DAY_S + 3) % 7),
}
"""1970 began on a Thursday, the fourth day of the week."""
