"""What is asked: which values of a table somebody might know of a person, and which columns make a record of one."""

from collections.abc import Callable
from dataclasses import dataclass

import ibis.expr.types as ir

from features import tables
from features.columns import Table

Values = Callable[[ir.Table], dict[str, ir.Value]]


@dataclass(frozen=True)
class Trace:
    """Points that a person leaves in a table: `values` makes the parts of one of `columns`; `point` says what it is."""

    name: str
    table: Table
    columns: tuple[str, ...]
    point: str
    values: Values


@dataclass(frozen=True)
class Record:
    """What is on record of a person in a state table, and might be known from elsewhere."""

    name: str
    table: Table
    columns: tuple[str, ...]


def _day(row: ir.Table) -> ir.Value:
    return row.local_at.truncate("D")


def _amount(row: ir.Table) -> dict[str, ir.Value]:
    return {"amount": row.amount_minor, "day": _day(row)}


def _contact(row: ir.Table) -> dict[str, ir.Value]:
    return {"contact": row.contact_id}


def _site(row: ir.Table) -> dict[str, ir.Value]:
    return {"kind": row.domain_category, "day": _day(row)}


def _visit(row: ir.Table) -> dict[str, ir.Value]:
    return {"cell": row.cell_id, "hour": row.local_at.truncate("h")}


TRACES = (
    Trace("places", tables.locations, ("cell_id",), "a cell", lambda row: {"cell": row.cell_id}),
    Trace("places and times", tables.locations, ("cell_id", "local_at"), "a cell and an hour", _visit),
    Trace("apps", tables.app_sessions, ("app_id",), "an app", lambda row: {"app": row.app_id}),
    Trace("contacts", tables.calls, ("contact_id",), "somebody called or calling", _contact),
    Trace("sites", tables.web_visits, ("domain_category", "local_at"), "a kind of site and a day", _site),
    Trace("payments", tables.payments, ("amount_minor", "local_at"), "an amount and a day", _amount),
    Trace("top-ups", tables.topups, ("amount_minor", "local_at"), "an amount and a day", _amount),
)
RECORDS = (
    Record("what people declare", tables.people, ("education", "occupation", "household_size", "dependants")),
    Record("handsets", tables.devices, ("brand", "os", "price_tier", "operator_id")),
)
