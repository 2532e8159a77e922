"""What a feature can be measured on: a table's rows, some of them, rows linked to the one before, or cells of rows.

A source shows its body a *view*: an Ibis table without data. Columns every view of events has are in
`features.windows`.
"""

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.columns import Kind, Table
from features.meaning import canonical
from features.windows import CLOCK
from saakh.errors import DeclarationError

TYPES = {
    Kind.PSEUDONYM: "string",
    Kind.TIMESTAMP: "timestamp(6)",
    Kind.CATEGORY: "string",
    Kind.INTEGER: "int64",
    Kind.NUMBER: "float64",
    Kind.FLAG: "boolean",
}
Body = Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of a table, or rows told about their neighbours.

    `where` is a condition over the table's view (None: all rows). With a key in `by`, the view also has, of the row
    before with the same key: `since_s`, seconds since then, and `last_<column>` of each column in `carried`; and of
    the row after: `until_s` and `next_<column>`. `gap_s` counts from the row before among these rows, whatever its
    key.
    """

    table: Table
    name: str
    where: ir.BooleanValue | None = None
    by: str = ""
    carried: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Cells:
    """Rows reduced to one row per applicant, key and slice: what entropies and top shares are taken of.

    `measures` maps a column name to its expression over the view of `rows`. For each measure `m` in `ranked` the view
    also has `rank_m` (1 for the largest), `before_m` (the sum of the larger ones) and `whole_m` (the sum of all); for
    each number of days in `apart` and each measure, `m_<days>`: the measure of the cell whose key `day` is that many
    days older.
    """

    rows: Table | Rows
    keys: tuple[str, ...]
    measures: Mapping[str, ir.Value]
    ranked: tuple[str, ...] = ()
    ties: tuple[str, ...] = ()
    apart: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The cells' name: rows, keys, and what is beside them."""
        beside = ["", *(f"ranked_{m}" for m in self.ranked), *(f"apart_{days}" for days in self.apart)]
        beside += ["tied", *self.ties] if self.ties else []  # or ties would be in the order of another
        return f"{self.rows.name}_per_{'_'.join(self.keys)}{'_'.join(beside)}"


Source = Table | Rows | Cells


def rows_of(source: Source) -> Table | Rows:
    """The rows a source is measured on."""
    return source.rows if isinstance(source, Cells) else source


def table_of(source: Source) -> Table:
    """The canonical or joined table a source reads."""
    rows = rows_of(source)
    return rows if isinstance(rows, Table) else rows.table


@cache
def view_of(source: Source) -> ir.Table:
    """The source's columns as an Ibis table without data, as a body sees it; the same object each time."""
    if isinstance(source, Cells):
        inner = view_of(source.rows).schema()
        measures = {name: str(measure.type()) for name, measure in source.measures.items()}
        beside = {f"{kind}_{m}": "int64" for m in source.ranked for kind in ("rank", "before", "whole")}
        beside |= {f"{m}_{days}": "int64" for m in measures for days in source.apart}
        return ibis.table(
            {k: str(inner[k]) for k in source.keys} | measures | beside | {"window_days": "int64"}, name=source.name
        )
    table = table_of(source)
    schema = {c.name: TYPES[c.kind] for c in table.columns}
    if isinstance(source, Rows) and source.by:
        schema |= {"since_s": "int64", "until_s": "int64"}
        schema |= {f"{side}_{c}": schema[c] for c in source.carried for side in ("last", "next")}
    return ibis.table(schema | (CLOCK if table.time == "event_at" else {}), name=source.name)


def only(table: Table, name: str, where: Body) -> Rows:
    """The rows of a table that meet a condition: `only(payments, "salary", is_salary)`; gaps are between these rows."""
    return Rows(table, f"{table.name}_{name}", _condition(name, where, table))


def linked(table: Table, by: str, *carried: str, where: Body | None = None) -> Rows:
    """Rows told about the rows before and after with the same key: `linked(messages, "contact_id", "direction")`."""
    view = view_of(table)
    for column in (by, *carried):
        if column not in view.columns:
            raise DeclarationError(f"the view of '{table.name}' has no column '{column}'; it has: {_list(view)}")
    name = "_".join([table.name, "by", by, *carried])
    if where is None:
        return Rows(table, name, None, by, carried)
    condition = _condition(name, where, table)
    told_apart = hashlib.sha256(canonical(condition).encode()).hexdigest()[:6]
    return Rows(table, f"{name}_where_{told_apart}", condition, by, carried)


def per(
    rows: Table | Rows,
    *keys: str,
    ranked: tuple[str, ...] = (),
    ties: tuple[str, ...] = (),
    apart: tuple[int, ...] = (),
    **measures: Body,
) -> Cells:
    """Cells of rows: `per(calls, "contact_id", events=lambda call: call.count())`.

    An unknown key or column, or a measure that is no aggregate, is a `DeclarationError`. `ranked` names measures,
    `ties` those that put cells of one rank in order (all, if not said), `apart` numbers of days (by the one key `day`).
    """
    have = view_of(rows)
    for key in keys:
        if key not in have.columns:
            raise DeclarationError(f"the view of '{rows.name}' has no key '{key}'; it has: {_list(have)}")
    measured = {name: evaluated(f"measure '{name}'", measure, rows) for name, measure in measures.items()}
    if unknown := [name for name in (*ranked, *ties) if name not in measured]:
        raise DeclarationError(f"cells are ranked by a measure; '{unknown[0]}' is not among {', '.join(measured)}")
    if apart and keys != ("day",):
        raise DeclarationError("cells lie a number of days apart when their one key is 'day'")
    return Cells(rows, keys, MappingProxyType(measured), ranked, ties or tuple(measured) if ranked else (), apart)


def evaluated(who: str, body: Body, source: Source) -> ir.Value:
    """The expression a body gives over its source's view; what is wrong with it is a `DeclarationError`."""
    value = _expression(who, body, source)
    is_one_row = isinstance(source, Table) and source.state
    if not is_one_row and not isinstance(value, ir.Scalar):
        raise DeclarationError(f"{who} has a value for each row of '{source.name}'; end in an aggregate, as `.sum()`")
    return value


def _condition(name: str, body: Body, table: Table) -> ir.BooleanValue:
    value = _expression(f"condition '{name}'", body, table)
    if not isinstance(value, ir.BooleanColumn):
        raise DeclarationError(f"condition '{name}' must say yes or no for each row of '{table.name}'")
    return value


def _expression(who: str, body: Body, source: Source) -> ir.Value:
    view = view_of(source)
    if len(inspect.signature(body).parameters) != 1:
        raise DeclarationError(f"{who} must take one argument: the view of '{source.name}'")
    try:
        value = body(view)
    except (AttributeError, ibis.IbisError) as error:
        detail = str(error).splitlines()[0]
        raise DeclarationError(f"{who}: {detail}. The view of '{source.name}' has: {_list(view)}") from None
    if not isinstance(value, ir.Value):
        raise DeclarationError(f"{who} must return one Ibis expression, not {type(value).__name__}")
    if any(relation != view.op() for relation in value.op().find(ops.Relation)):
        raise DeclarationError(
            f"{who} reads other rows than those of '{source.name}'; leave the view whole, and choose rows inside an "
            "aggregate, as in `.count(where=...)`"
        )
    return value


def _list(view: ir.Table) -> str:
    return ", ".join(view.columns)
