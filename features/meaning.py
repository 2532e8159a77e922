"""What an expression means: the columns it reads, and its text, free of how it is printed or compiled."""

from functools import cache
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.windows import CALENDAR, Calendar, with_clock, with_gap


@cache
def clocked(calendar: Calendar = CALENDAR) -> ir.Table:
    """The columns that tell time, over rows without data: what each of them means."""
    times = dict.fromkeys(("snapshot_at", "event_at", "local_at"), "timestamp(6)")
    return with_gap(with_clock(ibis.table({"application": "int64"} | times, name="rows"), calendar))


CLOCKED = clocked()


def fields_of(expr: ir.Value) -> frozenset[str]:
    """The names of the columns an expression reads, those that were computed followed to what they come from."""
    return _fields(expr.op())


@cache
def fields_of_clock(name: str) -> frozenset[str]:
    """The names of the columns that a column telling time comes from."""
    return fields_of(CLOCKED[name])


def canonical(expr: ir.Value) -> str:
    """The expression as text that depends on its meaning alone."""
    return _text(expr.op())


@cache
def _fields(node: Any) -> frozenset[str]:
    if isinstance(node, ops.Field):
        computed = _computed(node)
        return frozenset({node.name}) if computed is None else _fields(computed)
    if isinstance(node, ops.Node) and not isinstance(node, ops.Relation):
        return frozenset().union(*map(_fields, node.args))
    return frozenset().union(*map(_fields, node)) if isinstance(node, tuple) else frozenset()


def _text(node: Any) -> str:
    if isinstance(node, ops.Field):
        computed = _computed(node)
        return f"field:{node.name}" if computed is None else _text(computed)
    if isinstance(node, ops.Relation):
        return f"rows:{node.name}" if hasattr(node, "name") else "rows"
    if isinstance(node, ops.Node):
        return f"{type(node).__name__}({','.join(_text(arg) for arg in node.args)})"
    if isinstance(node, tuple):
        return f"[{','.join(_text(item) for item in node)}]"
    return str(node)


def _computed(field: ops.Field) -> ops.Value | None:
    """What a column was computed from, when it was added to its table."""
    return field.rel.values[field.name] if isinstance(field.rel, ops.Project) else None
