"""The suites come out of the declarations, whole."""

from dataclasses import replace

import pytest

from features.columns import Kind, Table
from features.tables import TABLES, applications, calls, consents, people, repayments
from pipeline.check.expectations import suite


def claims(table: Table) -> list[str]:
    return [rule.claim for rule in suite(table).rules]


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_every_column_that_declares_something_is_asked_about(table: Table) -> None:
    asked = " ".join(claims(table))
    free = {c.name for c in table.columns if c.kind is Kind.FLAG and not c.required}
    free |= {c.name for c in table.columns if c.kind is Kind.INTEGER and not c.required and c.low is None}
    free |= {"expires_at", "data_from", "data_to"}
    assert [c.name for c in table.columns if c.name not in asked and c.name not in free] == []


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_claims_tell_rules_apart(table: Table) -> None:
    assert len(claims(table)) == len(set(claims(table)))


def test_calls_are_asked_what_their_declaration_says() -> None:
    assert claims(calls) == [
        "person_id is never missing",
        "person_id is a pseudonym of 32 hexadecimal characters",
        "event_at is never missing",
        "available_at is never missing",
        "local_at is never missing",
        "contact_id is never missing",
        "contact_id is a pseudonym of 32 hexadecimal characters",
        "direction is never missing",
        "direction is one of in, out",
        "duration_s is never missing",
        "duration_s is at least 0 and at most 86,400",
        "is_answered is never missing",
        "event_at lies between 2000 and 2100",
        "available_at lies between 2000 and 2100",
        "local_at lies between 2000 and 2100",
        "event_at ≤ available_at",
        "local_at is within 14 hours of event_at",
        "an unanswered call lasts 0 seconds",
        "no two rows are the same",
    ]


def test_a_changed_declaration_changes_the_suite() -> None:
    shorter = replace(calls.column("duration_s"), high=7_200)
    table = replace(calls, columns=(*calls.columns[:6], shorter, calls.columns[7]))
    assert "duration_s is at least 0 and at most 7,200" in claims(table)


def test_an_equation_applies_where_its_columns_are() -> None:
    assert "applied_at ≤ disbursed_at" in claims(applications)
    assert "paid_minor ≤ due_minor" in claims(repayments)
    assert [t.name for t in TABLES if "bytes_night ≤ bytes_total" in claims(t)] == ["data_usage"]


def test_a_key_of_some_columns_is_named() -> None:
    assert "person_id, event_at identifies a row" in claims(people)
    assert "artefact_id, category, purpose identifies a row" in claims(consents)
