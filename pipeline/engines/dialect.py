"""What Ibis says wrongly in a dialect, said rightly before it is asked."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from threading import RLock
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

_MERGING = RLock()
"""Whether Ibis merges selects is one setting for all threads."""


def spoken(expr: ir.Table, dialect: str) -> ir.Table:
    """The expression as it can be said in a dialect.

    For `pyspark`, medians are quantiles: Ibis 12 puts a median's condition around the 0.5 too, which Spark refuses.
    """
    needs = dialect == "pyspark" and expr.op().find(ops.Median)
    return expr.op().replace(_quantile).to_expr() if needs else expr


def quicker(expr: ir.Table, dialect: str) -> ir.Table:
    """The same expression, said so that it costs less.

    For `duckdb`, whole seconds since 1970 are told by whole numbers, since Ibis goes by fractions, which cost more.
    """
    gains = dialect == "duckdb" and expr.op().find(ops.ExtractEpochSeconds)
    return expr.op().replace(_seconds).to_expr() if gains else expr


@contextmanager
def unmerged() -> Iterator[None]:
    """A block in which Ibis leaves a select from a select as it is: every engine merges them itself, and quicker."""
    with _MERGING:
        before = ibis.options.sql.fuse_selects
        ibis.options.sql.fuse_selects = False
        try:
            yield
        finally:
            ibis.options.sql.fuse_selects = before


def _quantile(node: ops.Node, changed: Mapping[str, Any] | None) -> ops.Node:
    said = dict(zip(node.argnames, node.args, strict=True)) | dict(changed or {})
    if isinstance(node, ops.Median):
        return ops.Quantile(said["arg"], 0.5, where=said["where"])
    return node if changed is None else type(node)(**said)


ERA_S = 864_000_000_000
"""Seconds by which times are moved before a division, so that those before 1970 are rounded down as well."""


@ibis.udf.scalar.builtin
def epoch_us(at: datetime) -> int:
    """Microseconds since 1970."""
    raise NotImplementedError


@ibis.udf.scalar.builtin
def divide(number: int, by: int) -> int:
    """The quotient, towards 0."""
    raise NotImplementedError


def _seconds(node: ops.Node, changed: Mapping[str, Any] | None) -> ops.Node:
    said = dict(zip(node.argnames, node.args, strict=True)) | dict(changed or {})
    at = said.get("arg")
    if isinstance(node, ops.ExtractEpochSeconds) and isinstance(at, ops.TimestampTruncate) and at.unit.short == "s":
        moved = epoch_us(at.arg.to_expr()) + ERA_S * 1_000_000
        return (divide(moved, 1_000_000) - ERA_S).op()
    return node if changed is None else type(node)(**said)
