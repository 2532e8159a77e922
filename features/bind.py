"""From an expression over a view to one over real rows: what it reads, what it reduces, how parts are replaced."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import ibis.expr.operations as ops
import ibis.expr.types as ir


def bound(expr: ir.Value, view: ir.Table, rows: ir.Table) -> ir.Value:
    """The expression over rows that have the view's columns."""
    seen, there = view.op(), rows.op()
    if seen == there:
        return expr

    def rewrite(node: ops.Node, changed: Mapping[str, Any] | None) -> ops.Node:
        if node == seen:
            return there
        if isinstance(node, ops.Field) and node.rel == seen:
            return ops.Field(there, node.name)
        return node if changed is None else type(node)(**changed)

    return expr.op().replace(rewrite).to_expr()


def reductions(expr: ir.Value) -> tuple[ops.Reduction, ...]:
    """The outermost reductions of an expression, each once, in its order."""
    found: dict[ops.Reduction, None] = {}

    def walk(node: Any) -> None:
        if isinstance(node, ops.Reduction):
            found[node] = None
        elif isinstance(node, ops.Node) and not isinstance(node, ops.Relation):
            for arg in node.args:
                walk(arg)
        elif isinstance(node, tuple):
            for item in node:
                walk(item)

    walk(expr.op())
    return tuple(found)


def replaced(expr: ir.Value, values: Mapping[ops.Reduction, ir.Value]) -> ir.Value:
    """The expression with each of these reductions replaced by a value."""

    def rewrite(node: Any) -> Any:
        if isinstance(node, ops.Reduction) and node in values:
            return values[node].op()
        if isinstance(node, ops.Node) and not isinstance(node, ops.Relation):
            arguments = {name: rewrite(arg) for name, arg in zip(node.argnames, node.args, strict=True)}
            return (
                node
                if all(arguments[n] is a for n, a in zip(node.argnames, node.args, strict=True))
                else type(node)(**arguments)
            )
        return tuple(rewrite(item) for item in node) if isinstance(node, tuple) else node

    return rewrite(expr.op()).to_expr()


@cache
def fields_under(node: ops.Node) -> frozenset[str]:
    """The names of the columns a node reads directly."""
    return frozenset(field.name for field in node.find(ops.Field))
