"""Tables in tests as people draw them: an ASCII table in, a canonical Arrow table out."""

from datetime import datetime

import pyarrow as pa

from features.columns import Kind, Table
from pipeline.canonical import TYPES, schema


def rows(table: Table, text: str) -> pa.Table:
    """Rows of a canonical table; columns not drawn are null, `event_at` alone also fills the other two times.

    A cell is what it says: `-` is null, `yes`/`no` are flags, times are `2026-01-02 03:04` or `2026-01-02`.
    """
    lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.strip().splitlines()]
    drawn = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    columns = {}
    for column in table.columns:
        name = column.name
        fallback = "event_at" if name in ("available_at", "local_at") else name
        cells = [r.get(name, r.get(fallback, "-")) for r in drawn]
        columns[name] = pa.array([_value(cell, column.kind) for cell in cells], TYPES[column.kind])
    return pa.table(columns, schema=schema(table))


def _value(cell: str, kind: Kind) -> object:
    if cell == "-":
        return None
    if kind is Kind.TIMESTAMP:
        return datetime.fromisoformat(cell)
    if kind is Kind.FLAG:
        return {"yes": True, "no": False}[cell]
    return {Kind.INTEGER: int, Kind.NUMBER: float}.get(kind, str)(cell)
