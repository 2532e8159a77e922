"""What Ibis says wrongly in a dialect, said rightly before it is asked."""

from collections.abc import Mapping
from typing import Any

import ibis.expr.operations as ops
import ibis.expr.types as ir


def spoken(expr: ir.Table, dialect: str) -> ir.Table:
    """The expression as it can be said in a dialect.

    For `pyspark`, medians are quantiles: Ibis 12 puts a median's condition around the 0.5 too, which Spark refuses.
    """
    needs = dialect == "pyspark" and expr.op().find(ops.Median)
    return expr.op().replace(_quantile).to_expr() if needs else expr


def _quantile(node: ops.Node, changed: Mapping[str, Any] | None) -> ops.Node:
    said = dict(zip(node.argnames, node.args, strict=True)) | dict(changed or {})
    if isinstance(node, ops.Median):
        return ops.Quantile(said["arg"], 0.5, where=said["where"])
    return node if changed is None else type(node)(**said)
