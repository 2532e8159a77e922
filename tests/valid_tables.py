"""Canonical tables that keep every rule, of any size, drawn from the declarations with one seed."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.columns import Column, Kind, Table
from features.tables import TABLES
from pipeline.canonical import schema

AS_OF_DAY = np.datetime64("2026-06-01", "us")
DAY_US = 86_400_000_000
# Shares of all rows, about those of a real drop; applications and people are few, calls and messages many.
BUSY = {"calls": 6, "messages": 6, "app_sessions": 6, "payments": 4, "locations": 4, "web_visits": 3, "data_usage": 2}
WEIGHTS = {**BUSY, "repayments": 1.5}


def valid_tables(rows: int, seed: int = 1) -> dict[str, pa.Table]:
    """All canonical tables, together about `rows` rows."""
    rng = np.random.default_rng(seed)
    total = sum(WEIGHTS.get(t.name, 0.5) for t in TABLES)
    sizes = {t.name: max(3, round(rows * WEIGHTS.get(t.name, 0.5) / total)) for t in TABLES}
    tables = {t.name: _draw(t, sizes[t.name], rng) for t in TABLES}
    tables["repayments"] = _repayments(tables["applications"], sizes["repayments"], rng)
    return tables


def changed(table: pa.Table, column: str, at: Mapping[int, object]) -> pa.Table:
    """The table with other values at some positions of a column."""
    place = table.schema.get_field_index(column)
    field = table.schema.field(place)
    there = np.zeros(table.num_rows, bool)
    there[list(at)] = True
    values = pa.array([at[position] for position in sorted(at)], field.type)
    column_now = table.column(place).combine_chunks()
    return table.set_column(place, field, pc.replace_with_mask(column_now, pa.array(there), values))


def _draw(table: Table, n: int, rng: np.random.Generator) -> pa.Table:
    columns = {c.name: _column(c, n, rng) for c in table.columns}
    if "event_at" in columns:
        # A step of its own for each row keeps rows apart.
        at = AS_OF_DAY - (rng.integers(1, 200, n) * DAY_US + np.arange(n) * 1_000 % DAY_US).astype("m8[us]")
        columns["event_at"] = pa.array(at)
        columns["available_at"] = pa.array(at + (rng.integers(0, 3, n) * DAY_US).astype("m8[us]"))
        columns["local_at"] = pa.array(at + np.timedelta64(330, "m").astype("m8[us]"))
    if table.name == "applications":
        accepted = rng.random(n) < 0.8
        applied = AS_OF_DAY - (rng.integers(1, 200, n) * DAY_US).astype("m8[us]")
        columns |= {"is_accepted": pa.array(accepted), "applied_at": pa.array(applied)}
        columns["disbursed_at"] = pa.array(applied + np.timedelta64(DAY_US, "us"), mask=~accepted)
    if table.name == "calls":
        answered = rng.random(n) < 0.7
        columns["is_answered"] = pa.array(answered)
        columns["duration_s"] = pa.array(np.where(answered, rng.integers(0, 3_600, n), 0))
    if table.name == "data_usage":
        columns["bytes_night"] = pa.array(columns["bytes_total"].to_numpy() // 7)
    key = table.key[0]
    if len(table.key) < len(table.columns):
        columns[key] = _ids(np.arange(n))
    return pa.table(columns).select([c.name for c in table.columns]).cast(schema(table))


def _column(column: Column, n: int, rng: np.random.Generator) -> pa.Array:
    if column.kind is Kind.PSEUDONYM:
        values = _ids(rng.integers(0, max(n // 8, 2), n))
    elif column.kind is Kind.CATEGORY:
        choice = np.array(column.values or ("mango", "banyan_2", "neem"))
        values = pa.array(choice[rng.integers(0, len(choice), n)])
    elif column.kind is Kind.INTEGER:
        low = -10_000 if column.low is None else int(column.low)
        values = pa.array(rng.integers(low, int(column.high or 10**6) + 1, n))
    elif column.kind is Kind.NUMBER:
        values = pa.array(rng.random(n))
    elif column.kind is Kind.FLAG:
        values = pa.array(rng.random(n) < 0.5)
    else:
        values = pa.array(AS_OF_DAY - (rng.integers(1, 200, n) * DAY_US).astype("m8[us]"))
    if column.required:
        return values
    return pc.if_else(pa.array(rng.random(n) < 0.2), None, values)


def _ids(numbers: np.ndarray) -> pa.Array:
    different, back = np.unique(numbers, return_inverse=True)
    return pa.array([f"{i * 2654435761 + 7:032x}" for i in different.tolist()]).take(pa.array(back))


def _repayments(applications: pa.Table, n: int, rng: np.random.Generator) -> pa.Table:
    per_loan = max(n // applications.num_rows, 1)
    loan = np.repeat(np.arange(applications.num_rows), per_loan)
    instalment = np.tile(np.arange(1, per_loan + 1), applications.num_rows)
    due_at = AS_OF_DAY - (200 - instalment * 30) * np.timedelta64(DAY_US, "us")
    due = rng.integers(100, 10_000, len(loan))
    is_paid = rng.random(len(loan)) < 0.8
    columns = {
        "application_id": applications.column("application_id").take(pa.array(loan)),
        "person_id": applications.column("person_id").take(pa.array(loan)),
        "instalment": pa.array(instalment),
        "due_at": pa.array(due_at),
        "due_minor": pa.array(due),
        "paid_at": pa.array(due_at + np.timedelta64(DAY_US, "us"), mask=~is_paid),
        "paid_minor": pa.array(np.where(is_paid, due, due // 2)),
    }
    return pa.table(columns)
