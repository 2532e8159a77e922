"""Expressions drawn at random over columns of a view, or over what its reductions come to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.windows import Axis

Draw = Random
NULL = ibis.null("int64")
NUMBERS = (0, 1, 2, 3, 7, 60, 100, -1, -5, 130, 40_000, 86_400)
AXES = {axis.column for axis in Axis}
FRACTIONS = (0.5, 0.25, 1.5, -2.5, 0.1)


@dataclass(frozen=True)
class Leaves:
    """What an expression may be made of. A text comes with the words it may be compared with."""

    wholes: Sequence[ir.Value]
    reals: Sequence[ir.Value] = ()
    flags: Sequence[ir.Value] = ()
    texts: Sequence[tuple[ir.Value, Sequence[str]]] = ()
    marks: Sequence[ir.Value] = ()
    """Pseudonyms and moments, of which there is only whether they are the same."""


def whole(draw: Draw, leaves: Leaves, depth: int) -> Any:
    """A whole number."""
    if depth <= 0 or draw.randint(0, 4) == 0:
        return draw.choice(leaves.wholes) if draw.randint(0, 2) else _number(draw)
    return draw.choice(WHOLES)(draw, leaves, depth - 1)


def real(draw: Draw, leaves: Leaves, depth: int) -> Any:
    """A fraction."""
    if depth <= 0 or (leaves.reals and draw.randint(0, 2) == 0):
        fraction = ibis.literal(draw.choice(FRACTIONS))
        return draw.choice([*leaves.reals, whole(draw, leaves, 0).cast("float64"), fraction])
    return draw.choice(REALS)(draw, leaves, depth - 1)


def flag(draw: Draw, leaves: Leaves, depth: int) -> Any:
    """A yes or no."""
    if leaves.flags and (depth <= 0 or draw.randint(0, 3) == 0):
        return draw.choice(leaves.flags)
    if leaves.texts and draw.randint(0, 2) == 0:
        return _worded(draw, leaves)
    return draw.choice(FLAGS if depth > 0 else FLAGS[:COMPARISONS])(draw, leaves, depth - 1)


def _number(draw: Draw) -> Any:
    return ibis.literal(draw.choice(NUMBERS), draw.choice([None, None, "int64"])) if draw.randint(0, 3) else NULL


def _worded(draw: Draw, leaves: Leaves) -> Any:
    """What a text says of itself: whether it is a word, one of some, that of another column, or null."""
    text, words = draw.choice(leaves.texts)
    told = [*words, "none_of_them"]
    alike = [other for other, known in leaves.texts if set(known) & set(words)]
    ways: list[Callable[[], Any]] = [
        lambda: text == draw.choice(told),
        lambda: text != draw.choice(told),
        lambda: text.isin(draw.sample(told, draw.randint(1, 3))),
        lambda: text.notin(draw.sample(told, draw.randint(1, 2))),
        lambda: text == draw.choice(alike),
        lambda: text != draw.choice(alike),
        text.isnull,
        lambda: text.nullif(draw.choice(told)).isnull(),
    ]
    return draw.choice(ways)()


def _cases(draw: Draw, leaves: Leaves, depth: int) -> Any:
    other, results = whole(draw, leaves, depth), [whole(draw, leaves, 0) for _ in range(2)]
    if leaves.texts and draw.choice([True, False]):
        base, words = draw.choice(leaves.texts)
        keys: Sequence[Any] = draw.sample(words, 2)
    else:
        base, keys = whole(draw, leaves, depth), draw.sample(NUMBERS, 2)
    return base.cases(*zip(keys, results, strict=False), else_=other)


def _clipped(draw: Draw, leaves: Leaves, value: Any, bound: Callable[[], Any]) -> Any:
    lower, upper = draw.choice([(True, False), (False, True), (True, True)])
    return value.clip(lower=bound() if lower else None, upper=bound() if upper else None)


WHOLES: list[Callable[[Draw, Leaves, int], Any]] = [
    lambda d, x, n: whole(d, x, n) + whole(d, x, n),
    lambda d, x, n: whole(d, x, n) - whole(d, x, n),
    lambda d, x, n: whole(d, x, n) * whole(d, x, 0),
    lambda d, x, n: whole(d, x, n) % whole(d, x, 0).nullif(0),
    lambda d, x, n: whole(d, x, n) // whole(d, x, 0).nullif(0),
    lambda d, x, n: -whole(d, x, n),
    lambda d, x, n: whole(d, x, n).abs(),
    lambda d, x, n: _clipped(d, x, whole(d, x, n), lambda: whole(d, x, 0)),
    lambda d, x, n: whole(d, x, n).nullif(whole(d, x, 0)),
    lambda d, x, n: ibis.coalesce(whole(d, x, n), whole(d, x, 0)),
    lambda d, x, n: whole(d, x, n).fill_null(d.choice(NUMBERS)),
    lambda d, x, n: ibis.ifelse(flag(d, x, n), whole(d, x, n), whole(d, x, 0)),
    lambda d, x, n: flag(d, x, n).cast("int64"),
    lambda d, x, n: real(d, x, n).round().cast("int64"),
    lambda d, x, n: real(d, x, n).cast("int64"),
    _cases,
]
REALS: list[Callable[[Draw, Leaves, int], Any]] = [
    lambda d, x, n: whole(d, x, n).cast("float64"),
    lambda d, x, n: whole(d, x, n) / whole(d, x, 0).nullif(0),
    lambda d, x, n: real(d, x, n) / real(d, x, 0).nullif(0.0),
    lambda d, x, n: real(d, x, n) + real(d, x, n),
    lambda d, x, n: real(d, x, n) - real(d, x, n),
    lambda d, x, n: real(d, x, n) * real(d, x, 0),
    lambda d, x, n: real(d, x, n) * whole(d, x, 0),
    lambda d, x, n: real(d, x, n).abs().sqrt(),
    lambda d, x, n: (whole(d, x, n).abs() + 1).ln(),
    lambda d, x, n: -real(d, x, n),
    lambda d, x, n: _clipped(d, x, real(d, x, n), lambda: real(d, x, 0)),
    lambda d, x, n: ibis.ifelse(flag(d, x, n), real(d, x, n), ibis.null("float64")),
    lambda d, x, n: ibis.ifelse(flag(d, x, n), real(d, x, n), real(d, x, 0)),
    lambda d, x, n: ibis.coalesce(real(d, x, n), whole(d, x, 0)),
    lambda d, x, n: real(d, x, n).nullif(real(d, x, 0)),
    lambda d, x, n: real(d, x, n).round(),
]
FLAGS: list[Callable[[Draw, Leaves, int], Any]] = [
    lambda d, x, n: whole(d, x, n) == whole(d, x, 0),
    lambda d, x, n: whole(d, x, n) != whole(d, x, 0),
    lambda d, x, n: whole(d, x, n) < whole(d, x, 0),
    lambda d, x, n: whole(d, x, n) >= whole(d, x, 0),
    lambda d, x, n: whole(d, x, n).between(whole(d, x, 0), whole(d, x, 0)),
    lambda d, x, n: whole(d, x, n).isin(d.sample(NUMBERS, d.randint(1, 3))),
    lambda d, x, n: whole(d, x, n).isnull(),
    lambda d, x, n: d.choice([*x.marks, *x.wholes]).notnull(),
    lambda d, x, n: flag(d, x, n) & flag(d, x, n),
    lambda d, x, n: flag(d, x, n) | flag(d, x, n),
    lambda d, x, n: ~flag(d, x, n),
    lambda d, x, n: flag(d, x, n) == flag(d, x, 0),
    lambda d, x, n: flag(d, x, n).fill_null(d.choice([True, False])),
    lambda d, x, n: ibis.ifelse(flag(d, x, n), flag(d, x, 0), ibis.null("boolean")),
    lambda d, x, n: real(d, x, n) > real(d, x, 0),
    lambda d, x, n: real(d, x, n) <= whole(d, x, 0),
    lambda d, x, n: whole(d, x, n) < real(d, x, 0),
    lambda d, x, n: whole(d, x, n).cast("boolean"),
    lambda d, x, n: real(d, x, n).between(real(d, x, 0), real(d, x, 0)),
]
COMPARISONS = 8
"""How many of `FLAGS` compare what is no flag."""


ADDED_UP = ("rows", "count", *("sum", "min", "max") * 2)
OF_ROWS = (*ADDED_UP, *["nunique"] * 3, "median", "median", "distinct")
OF_KEYED = (*ADDED_UP * 4, *["nunique"] * 12, "median")
OF_CELLS = (*ADDED_UP * 3, *["median"] * 5, "nunique")
"""What may be asked of rows, of rows by keys, and of cells: what is always left to the engine, seldom."""


def reduction(draw: Draw, view: ir.Table, leaves: Leaves, kinds: Sequence[str]) -> Any:
    """A reduction of a view's rows: of a column or of what is made of several."""
    where = flag(draw, leaves, draw.randint(0, 2)) if draw.randint(0, 2) == 0 else None
    kind = draw.choice(kinds)
    if kind == "rows":
        return view.count(where=where)
    columns = [*leaves.wholes, *leaves.flags, *(text for text, _ in leaves.texts), *leaves.marks]
    if kind == "nunique":  # of an axis no engine can count slices that are cut along it
        kept = [c for c in columns if c.get_name() not in AXES | {"event_at", "local_at", "available_at"}]
        return draw.choice(kept).nunique(where=where)
    value = whole(draw, leaves, draw.randint(0, 2))
    value = value if isinstance(value, ir.Column) else draw.choice(leaves.wholes)
    if kind == "distinct":
        return value.nunique(where=where)
    if kind == "count":
        value = draw.choice([*columns, value])
    return getattr(value, kind)(where=where)


def outcome(draw: Draw, view: ir.Table, leaves: Leaves, kinds: Sequence[str], depth: int) -> Any:
    """A number made of reductions."""
    some = [reduction(draw, view, leaves, kinds) for _ in range(draw.randint(1, 3))]
    if "window_days" in view.columns and draw.randint(0, 9) == 0:
        some.append(view.window_days.max())
    wholes = [r for r in some if r.type().is_integer()] or [view.count()]
    reals = [r for r in some if not r.type().is_integer()]
    found = draw.choice([whole, whole, real])(draw, Leaves(wholes, reals), depth)
    is_constant = not found.op().find(ops.Reduction)
    return some[0] if is_constant and draw.randint(0, 9) else found
