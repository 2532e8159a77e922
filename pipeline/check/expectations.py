"""What every canonical table must satisfy, derived from its declaration: no suite is written by hand.

A rule is a Great Expectations expectation on a frame made for it. What an expectation cannot say about one column (a
comparison of two columns, a key over all batches, a foreign key) is computed by the engine as a yes-or-no column named
after the claim, and the expectation is that it is always yes; so everything ends in one result.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from features.columns import Column, Kind, Table

PSEUDONYM = r"^[0-9a-f]{32}\Z"
SLUG = r"^[a-z0-9_]{1,24}\Z"
# Phones did not report before 2000; a later bound catches milliseconds read as seconds.
PLAUSIBLE = (datetime(2000, 1, 1), datetime(2100, 1, 1))
# The bounds of a consent may lie anywhere: some sources write a year far away for "no bound".
UNBOUNDED = ("expires_at", "data_from", "data_to")
CLOCK_HOURS_MAX = 14

Tables = Mapping[str, ir.Table]


@dataclass(frozen=True)
class Rule:
    """One claim about a table: the expectation's class in Great Expectations, its column and its arguments."""

    claim: str
    expectation: str
    column: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Equation:
    """A claim about each row, for every table that has these columns; where a part is missing it does not apply."""

    claim: str
    columns: tuple[str, ...]
    holds: Callable[[ir.Table], ir.Value]


@dataclass(frozen=True)
class Relation:
    """A claim about rows together: `broken` gives the rows that break it, from the tables with a column `position`."""

    claim: str
    columns: tuple[str, ...]
    broken: Callable[[Tables], ir.Table]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suite:
    """All that is asked of the rows of one table, and what the engine computes for it."""

    table: Table
    rules: tuple[Rule, ...]
    equations: tuple[Equation, ...]
    relations: tuple[Relation, ...]


def suite(table: Table) -> Suite:
    """The suite of a table, from its declaration and from the equations its columns call for."""
    columns = set(table.by_name)
    equations = [e for c in table.columns for e in _clock(c)]
    equations += [e for e in EQUATIONS if columns.issuperset(e.columns)]
    relations = [_key(table), *(r for r in RELATIONS if columns.issuperset(r.columns) and table.name not in r.needs)]
    rules = [rule for c in table.columns for rule in _column_rules(c)]
    rules += [always(claim) for claim in [*(e.claim for e in equations), *(r.claim for r in relations)]]
    return Suite(table, tuple(rules), tuple(equations), tuple(relations))


def always(claim: str) -> Rule:
    """The expectation on a computed column: yes in every row."""
    return Rule(claim, "ExpectColumnValuesToBeInSet", claim, {"value_set": [True]})


def equal(claim: str, one: str, other: str) -> Rule:
    """The expectation that two columns agree in every row."""
    return Rule(claim, "ExpectColumnPairValuesToBeEqual", "", {"column_A": one, "column_B": other})


def numbered(rows: ir.Table) -> ir.Table:
    """The rows with their `position`, counted from 0 in the order in which the engine streams them."""
    return rows.mutate(position=ibis.row_number())


def number_claim(column: str) -> str:
    """What is asked of a floating column besides its range: NaN is no number, and missing is null."""
    return f"{column} is a number or missing, never NaN"


def _column_rules(column: Column) -> list[Rule]:
    rules = []
    if column.required:
        rules.append(Rule(f"{column.name} is never missing", "ExpectColumnValuesToNotBeNull", column.name))
    if column.kind is Kind.PSEUDONYM:
        rules.append(_matches(column.name, PSEUDONYM, "is a pseudonym of 32 hexadecimal characters"))
    if column.kind is Kind.CATEGORY:
        slug = _matches(column.name, SLUG, "is a slug of at most 24 characters")
        rules.append(_one_of(column.name, column.values) if column.values else slug)
    if column.kind is Kind.NUMBER:
        rules.append(always(number_claim(column.name)))
    if column.low is not None or column.high is not None:
        rules.append(_between(column.name, column.low, column.high))
    return rules


def _one_of(column: str, values: tuple[str, ...]) -> Rule:
    claim = f"{column} is one of {', '.join(values)}"
    return Rule(claim, "ExpectColumnValuesToBeInSet", column, {"value_set": list(values)})


def _matches(column: str, pattern: str, claim: str) -> Rule:
    return Rule(f"{column} {claim}", "ExpectColumnValuesToMatchRegex", column, {"regex": pattern})


def _between(column: str, low: float | None, high: float | None) -> Rule:
    bounds = {"min_value": low, "max_value": high}
    said = [f"{how} {bound:,}" for how, bound in (("at least", low), ("at most", high)) if bound is not None]
    return Rule(f"{column} is {' and '.join(said)}", "ExpectColumnValuesToBeBetween", column, bounds)


def _clock(column: Column) -> list[Equation]:
    if column.kind is not Kind.TIMESTAMP or column.name in UNBOUNDED:
        return []
    low, high = (ibis.timestamp(bound) for bound in PLAUSIBLE)
    claim = f"{column.name} lies between {PLAUSIBLE[0]:%Y} and {PLAUSIBLE[1]:%Y}"
    return [Equation(claim, (column.name,), lambda t: t[column.name].between(low, high))]


def _key(table: Table) -> Relation:
    whole = len(table.key) == len(table.columns)
    return Relation(
        "no two rows are the same" if whole else f"{', '.join(table.key)} identifies a row",
        table.key,
        lambda tables: _repeated(tables[table.name], table.key),
    )


def _repeated(rows: ir.Table, key: tuple[str, ...]) -> ir.Table:
    same = ibis.window(group_by=list(key))
    return rows.mutate(alike=ibis._.count().over(same)).filter(ibis._.alike > 1)


def _near(t: ir.Table) -> ir.Value:
    apart = ibis.interval(hours=CLOCK_HOURS_MAX)
    return t.local_at.between(t.event_at - apart, t.event_at + apart)


def _gaps(tables: Tables) -> ir.Table:
    loan = ibis.window(group_by="application_id")
    seen = tables["repayments"].mutate(
        first=ibis._.instalment.min().over(loan),
        last=ibis._.instalment.max().over(loan),
        instalments=ibis._.instalment.nunique().over(loan),
    )
    return seen.filter((ibis._.first != 1) | (ibis._.last != ibis._.instalments))


def _orphans(tables: Tables) -> ir.Table:
    return tables["repayments"].anti_join(tables["applications"], ["application_id", "person_id"])


EQUATIONS: tuple[Equation, ...] = (
    Equation("event_at ≤ available_at", ("event_at", "available_at"), lambda t: t.event_at <= t.available_at),
    Equation(f"local_at is within {CLOCK_HOURS_MAX} hours of event_at", ("local_at", "event_at"), _near),
    Equation("applied_at ≤ disbursed_at", ("applied_at", "disbursed_at"), lambda t: t.applied_at <= t.disbursed_at),
    Equation(
        "only an accepted loan is paid out",
        ("is_accepted", "disbursed_at"),
        lambda t: t.is_accepted | t.disbursed_at.isnull(),
    ),
    Equation("paid_minor ≤ due_minor", ("paid_minor", "due_minor"), lambda t: t.paid_minor <= t.due_minor),
    Equation(
        "paid_at is there when, and only when, all that was due is paid",
        ("paid_at", "paid_minor", "due_minor"),
        lambda t: (t.paid_at.notnull() == (t.paid_minor >= t.due_minor)) | (t.due_minor == 0),
    ),
    Equation(
        "an unanswered call lasts 0 seconds",
        ("is_answered", "duration_s"),
        lambda t: t.is_answered | (t.duration_s == 0),
    ),
    Equation("bytes_night ≤ bytes_total", ("bytes_night", "bytes_total"), lambda t: t.bytes_night <= t.bytes_total),
)
RELATIONS: tuple[Relation, ...] = (
    Relation("instalments are numbered from 1 without a gap", ("application_id", "instalment"), _gaps),
    Relation(
        "the application is known and the same person's",
        ("application_id", "person_id", "instalment"),
        _orphans,
        needs=("applications",),
    ),
)
