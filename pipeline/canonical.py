"""The canonical tables as Arrow schemas: what ingest writes and every later stage reads."""

import pyarrow as pa

from features.columns import Kind, Table

TYPES = {
    Kind.PSEUDONYM: pa.string(),
    Kind.TIMESTAMP: pa.timestamp("us"),
    Kind.CATEGORY: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.FLAG: pa.bool_(),
}


def schema(table: Table) -> pa.Schema:
    """The Arrow schema of a canonical table, columns in the declared order; times are UTC without a zone."""
    return pa.schema([pa.field(c.name, TYPES[c.kind]) for c in table.columns])
