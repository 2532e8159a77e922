"""Tables made of others before the gate: calls and messages as one stream, and what happened with this lender's loans.

A joined table holds events of one consent category, each with its own time, so that the as-of join sees to the rest.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import ibis
import ibis.expr.types as ir

from features.columns import EVENT_TIME, PERSON, Category, Table, flag, one_of, pseudonym, whole

Tables = Mapping[str, ir.Table]

interactions = Table(
    "interactions",
    "one row per call or message",
    Category.COMMUNICATION,
    ("person_id", "event_at"),
    (
        PERSON,
        *EVENT_TIME,
        one_of("kind", "Which it was.", "call", "message"),
        pseudonym("contact_id", "contact", "The other side."),
        one_of("direction", "Who called or wrote.", "in", "out"),
        whole("duration_s", "seconds", "Seconds talked; missing for a message.", required=False),
        flag("is_answered", "Whether the call was answered; missing for a message.", required=False),
    ),
    sources=("calls", "messages"),
)
loan_events = Table(
    "loan_events",
    "one row per event of a loan from this lender: asked for, paid out, instalment due, instalment paid",
    Category.CREDIT,
    ("loan_id", "event_type", "instalment"),
    (
        PERSON,
        *EVENT_TIME,
        pseudonym("loan_id", "application", "The application the loan was asked for in."),
        one_of("event_type", "What happened.", "applied", "disbursed", "due", "paid"),
        whole("instalment", "number", "Which instalment, from 1; 0 when none.", required=False),
        whole("amount_minor", "minor units", "Amount asked for, paid out, due or paid.", required=False),
        whole("days_late", "days", "Days from due to paid, 0 when in time; for what was paid.", required=False),
    ),
    sources=("applications", "repayments"),
)


def _interactions(tables: Tables) -> ir.Table:
    calls, messages, said = tables["calls"], tables["messages"], STACKED["interactions"]
    shared = [c for c in calls.columns if c in messages.columns and c != "sender_class"]
    called = [calls[c] for c in ("duration_s", "is_answered") if c in calls.columns]
    nothing = {"duration_s": ibis.null("int64"), "is_answered": ibis.null("boolean")}
    written = {column.get_name(): nothing[column.get_name()] for column in called}
    return calls.select(*shared, *called, kind=ibis.literal(said["calls"]["kind"])).union(
        messages.select(*shared, **written, kind=ibis.literal(said["messages"]["kind"]))
    )


def _loan_events(tables: Tables) -> ir.Table:
    asked, owed = tables["applications"], tables["repayments"]
    late_s = owed.paid_at.truncate("s").epoch_seconds() - owed.due_at.truncate("s").epoch_seconds()
    late = ((late_s.cast("int64").clip(lower=0) + 86_399) // 86_400).cast("int64")
    parts = [
        _happened(asked, asked.applied_at, "applied", asked.amount_minor),
        _happened(asked, asked.disbursed_at, "disbursed", asked.amount_minor),
        _happened(owed, owed.due_at, "due", owed.due_minor, owed.instalment),
        _happened(owed, owed.paid_at, "paid", owed.due_minor, owed.instalment, late),
    ]
    return ibis.union(*parts)


def _happened(
    rows: ir.Table,
    at: ir.Value,
    event_type: str,
    amount: ir.Value,
    instalment: ir.Value | None = None,
    late: ir.Value | None = None,
) -> ir.Table:
    said = rows.select(
        "person_id",
        event_at=at,
        available_at=at,
        local_at=at,
        loan_id=rows.application_id,
        event_type=ibis.literal(event_type),
        instalment=(ibis.literal(0) if instalment is None else instalment).cast("int64"),
        amount_minor=amount,
        days_late=ibis.null("int64") if late is None else late,
    )
    return said.filter(said.event_at.notnull())


STACKED: Mapping[str, Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {"interactions": {"calls": {"kind": "call"}, "messages": {"kind": "message"}}}
)
"""Joined tables whose rows are those of their sources, which may be stacked after the as-of join as well as before; and
what is said of all rows of a source."""
BUILD: Mapping[str, Callable[[Tables], ir.Table]] = MappingProxyType(
    {"interactions": _interactions, "loan_events": _loan_events}
)
JOINED: tuple[Table, ...] = (interactions, loan_events)
