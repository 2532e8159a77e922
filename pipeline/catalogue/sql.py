"""A feature as a script of SQL: the plan's steps as tables in their order, then the SELECT that gives the values."""

import textwrap
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import ibis
import ibis.expr.types as ir
from ibis.config import Config

from features.columns import Table
from features.declare import Feature
from features.plan import plan, told
from features.reduce import KEY
from features.sources import TYPES
from features.steps import Literal, Plan
from features.windows import CALENDAR, Slice
from pipeline.engines.dialect import spoken
from saakh.errors import ConfigError

DIALECTS = {"duckdb": "DuckDB", "pyspark": "Spark"}
"""The engines a feature is computed on, and what people call them."""
SAME = {"spark": "pyspark"}
KEEP = {"pyspark": "CREATE TEMPORARY VIEW"}
"""How a dialect keeps a table by name for a while, where it is not `CREATE TEMP TABLE`."""
WIDTH = 110


class _Spark(Config):
    """What Ibis asks of its Spark backend to write Spark's SQL; the backend itself, and Spark, need not be there."""

    treat_nan_as_null: bool = False


def sql(feature: Feature, dialect: str, column: str = "") -> str:
    """The script that computes a feature from its table's as-of rows; for a column of it, over that column's window."""
    if column in feature.columns:
        window = feature.columns[column].window
        feature = replace(feature, windows=(window,) if window else ())
    return script(feature, plan(feature.table, (feature,)), SAME.get(dialect, dialect))


def shortest(feature: Feature) -> list[tuple[str, str]]:
    """Each engine's script over the shortest window alone, whole: it says all there is to say, and no more."""
    short = replace(feature, windows=tuple(sorted(feature.windows)[:1]), splits=())
    drawn = plan(short.table, (short,))
    return [(engine, script(short, drawn, dialect)) for dialect, engine in DIALECTS.items()]


def script(feature: Feature, drawn: Plan, dialect: str) -> str:
    """All of a feature's plan in one script."""
    [result] = drawn.results
    select = text(result.expr, dialect)
    quote = next((q for q in ('"', "`") if f"{q}{KEY}{q}" in select), "")
    tables = [(drawn.seen, _seen(drawn.table, drawn.reads, dialect))]
    tables += [(drawn.applicants, _applicants(drawn.table, dialect))]
    tables += [(literal.name, _values(literal, quote)) for literal in drawn.literals]
    tables += [(step.name, text(step.expr, dialect)) for step in drawn.steps]
    read = "\n".join([*(body for _, body in tables), select])
    keep = KEEP.get(dialect, "CREATE TEMP TABLE")
    kept = [f"{keep} {quote}{name}{quote} AS\n{body};" for name, body in tables if f"{quote}{name}{quote}" in read]
    return "\n\n".join([_heading(feature, result.slices), *kept, f"{select};"]) + "\n"


def text(expr: ir.Table, dialect: str) -> str:
    """One expression in a dialect; a dialect that is not there is a `ConfigError`."""
    if dialect == "pyspark" and ibis.options.pyspark is None:
        ibis.options.pyspark = _Spark()
    try:
        return str(ibis.to_sql(spoken(expr, dialect), dialect=dialect))
    except (AttributeError, ValueError, ImportError, NotImplementedError):
        raise ConfigError(f"no SQL dialect '{dialect}' here; try {' or '.join(DIALECTS)}") from None


@lru_cache(maxsize=1024)
def _seen(table: Table, reads: tuple[str, ...], dialect: str) -> str:
    """The as-of rows as the plan reads them, with their clock."""
    return text(told(_as_of(table), table, CALENDAR, reads), dialect)


@lru_cache(maxsize=64)
def _applicants(table: Table, dialect: str) -> str:
    """Who has any rows."""
    return text(_as_of(table).select(KEY).distinct(), dialect)


def _as_of(table: Table) -> ir.Table:
    columns = {c.name: TYPES[c.kind] for c in table.columns}
    return ibis.table({KEY: "int64", "snapshot_at": "timestamp(6)"} | columns, name=f"{table.name}_as_of")


def _heading(feature: Feature, cuts: Iterable[Slice]) -> str:
    made = f" ({' and '.join(feature.table.sources)} together)" if feature.table.sources else ""
    says = f"{feature.name}: {feature.description}"
    reads = f"Reads {feature.table.name}_as_of{made}: for each application, the consented rows that happened and were "
    reads += "received before its snapshot, with the number of the application and the snapshot."
    columns = [f"slice {number}: {cut.named(feature.name)}" for number, cut in enumerate(cuts)]
    return "\n".join(f"-- {line}" for said in (says, reads, *columns) for line in textwrap.wrap(said, WIDTH))


def _values(literal: Literal, quote: str) -> str:
    rows = [f"({', '.join(map(_constant, row))})".replace(" ", "\0") for row in literal.rows]
    columns = ", ".join(f"{quote}{name}{quote}" for name in literal.columns)
    lines = textwrap.indent(textwrap.fill(", ".join(rows), WIDTH), "  ").replace("\0", " ")  # no row is broken in two
    return f"SELECT * FROM (VALUES\n{lines}\n) AS t ({columns})"  # noqa: S608 - our own names and numbers, to be read


def _constant(value: int | bool | None) -> str:
    return "CAST(NULL AS BIGINT)" if value is None else str(value).upper()
