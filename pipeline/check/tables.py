"""What is asked of tables as wholes: columns and types as declared, ingest's tallies in balance, few rejects, fresh.

Each is asked of one small frame over all tables, with a row per column or per table, and told table by table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features.columns import Table
from pipeline.canonical import schema
from pipeline.check.expectations import Rule, Tables, always, equal
from pipeline.check.frames import Examiner
from pipeline.check.report import Outcome
from pipeline.engines import Engine
from pipeline.workspace import read_json

SCHEMA_RULES = (
    equal("columns are those declared, each stored as declared", "declared_type", "found_type"),
    equal("columns are in the declared order", "declared_place", "found_place"),
)
BALANCED = "rows in = rows kept + rows rejected"
STORED = "rows stored = rows kept"
LISTED = "rows listed in rejects.parquet = rows rejected"
SHARE = "rejected_share"
NOTHING = "nothing"

Found = dict[str, tuple[Outcome, ...]]


@dataclass(frozen=True)
class Arrival:
    """Rows of a table that came, were kept and were rejected, as ingest counted them; and as found in its files."""

    rows_in: int
    rows_kept: int
    rows_rejected: int
    rows_stored: int
    rows_listed: int


@dataclass(frozen=True)
class Limits:
    """How much may be rejected on arrival, and how old a stream's newest event may be at `as_of`."""

    as_of: datetime
    rejected_share_max: float = 1.0
    freshness_days_max: int | None = None

    @property
    def fresh(self) -> str:
        """The claim about freshness."""
        return f"an event happened and was received in the {self.freshness_days_max} days up to as_of"

    @property
    def rules(self) -> list[Rule]:
        """The rules about an arrival."""
        share = f"at most {self.rejected_share_max:.1%} of rows are rejected on arrival"
        bounds = {"min_value": 0, "max_value": self.rejected_share_max}
        rules = [*map(always, (BALANCED, STORED, LISTED)), Rule(share, "ExpectColumnValuesToBeBetween", SHARE, bounds)]
        return rules + ([always(self.fresh)] if self.freshness_days_max is not None else [])


def schema_outcomes(examiner: Examiner, tables: Tables, declared: Mapping[str, Table]) -> Found:
    """Columns, their types and their order, by table; a fault names its column."""
    columns = [row for name, table in tables.items() for row in _columns(table, schema(declared[name]), name)]
    found = examiner.examine(pa.Table.from_pylist(columns).to_pandas(), SCHEMA_RULES)
    return {name: tuple(o.within(_places(columns, name)) for o in found) for name in tables}


def _columns(table: ir.Table, declared: pa.Schema, name: str) -> list[dict[str, Any]]:
    """Each column that is declared or found: its types, and its places among the columns that are both."""
    found = table.schema().to_pyarrow()
    both = [[c for c in one.names if c in other.names] for one, other in ((declared, found), (found, declared))]
    every = dict.fromkeys([*declared.names, *found.names])
    return [
        {
            "table": name,
            "column": column,
            "declared_type": str(declared.field(column).type) if column in declared.names else NOTHING,
            "found_type": str(found.field(column).type) if column in found.names else NOTHING,
            "declared_place": both[0].index(column) if column in both[0] else -1,
            "found_place": both[1].index(column) if column in both[1] else -1,
        }
        for column in every
    ]


def _places(columns: list[dict[str, Any]], name: str) -> dict[int, str]:
    return {place: row["column"] for place, row in enumerate(columns) if row["table"] == name}


def read_arrivals(engine: Engine, account: Path, rejects: Path, tables: Tables) -> dict[str, Arrival]:
    """Ingest's tally of each table beside the rows its file holds and the rejected rows that are listed."""
    told: dict[str, Any] = read_json(account)["tables"]
    counted = engine.batches(engine.read(rejects).group_by("table").agg(rows=ibis._.count())).read_all()
    listed = {row["table"]: row["rows"] for row in counted.to_pylist()}
    arrivals = {}
    for name, rows in tables.items():
        tally = told.get(name, {"rows_in": 0, "rows_kept": 0, "rejected": {}})
        rejected = sum(tally["rejected"].values())
        arrivals[name] = Arrival(
            tally["rows_in"], tally["rows_kept"], rejected, _value(engine, rows.count()), listed.get(name, 0)
        )
    return arrivals


def arrival_outcomes(
    examiner: Examiner, arrivals: Mapping[str, Arrival], stale: Mapping[str, bool], limits: Limits
) -> Found:
    """Ingest's tallies, share of rejects and freshness, by table."""
    accounts = [
        {
            BALANCED: came.rows_in == came.rows_kept + came.rows_rejected,
            STORED: came.rows_stored == came.rows_kept,
            LISTED: came.rows_listed == came.rows_rejected,
            SHARE: came.rows_rejected / max(came.rows_in, 1),
            limits.fresh: not stale.get(name, False),
        }
        for name, came in arrivals.items()
    ]
    if not accounts:
        return {}
    found = examiner.examine(pa.Table.from_pylist(accounts).to_pandas(), limits.rules)
    return {name: tuple(o.within({place: ""}) for o in found) for place, name in enumerate(arrivals)}


def stale_streams(engine: Engine, tables: Tables, limits: Limits, declared: Mapping[str, Table]) -> dict[str, bool]:
    """Which streams of events, of those that hold rows, have no event received by `as_of` that is new enough."""
    if limits.freshness_days_max is None:
        return {}
    streams = [name for name in tables if "available_at" in declared[name].by_name and not declared[name].state]
    return {name: bool(_value(engine, _is_stale(tables[name], limits))) for name in streams}


def _is_stale(stream: ir.Table, limits: Limits) -> ir.Scalar:
    as_of = limits.as_of.replace(tzinfo=None)
    oldest = ibis.literal(as_of - timedelta(days=limits.freshness_days_max or 0)).cast("timestamp(6)")
    seen = stream.available_at <= ibis.literal(as_of).cast("timestamp(6)")
    return ~(seen & (stream.event_at >= oldest)).any()


def _value(engine: Engine, scalar: ir.Scalar) -> Any:
    return engine.batches(scalar.name("value").as_table()).read_all().column("value")[0].as_py()
