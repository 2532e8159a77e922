"""Why a category is closed: the first condition that no artefact meets, and what was there instead."""

from datetime import datetime
from typing import Any

import pytest

from features.tables import consents
from pipeline.ledger.why import Answer, Asked, answer, bars, status
from pipeline.policy import read_policy
from tests.ascii import rows

AT = datetime(2026, 6, 1)
BARRING = read_policy("in-rbi-2025")


def artefact(name: str = "c1", **changed: str) -> dict[str, Any]:
    row = {
        "artefact_id": name,
        "person_id": "p",
        "category": "apps",
        "purpose": "train",
        "starts_at": "2026-01-01",
        "expires_at": "2027-01-01",
        "revoked_at": "-",
        "data_from": "2025-01-01",
        "data_to": "-",
        "basis": "explicit",
    } | changed
    return rows(consents, f"| {' | '.join(row)} |\n| {' | '.join(row.values())} |").to_pylist()[0]


def ask(*held: dict[str, Any], category: str = "apps", **more: Any) -> Answer:
    return answer(held, Asked(category, "train", AT, before=datetime(2026, 3, 1), **more))


@pytest.mark.parametrize(
    ("held", "failed", "reason"),
    [
        ([], 1, "no artefact names apps"),
        ([artefact(category="payments")], 1, "no artefact names apps"),
        ([artefact(purpose="score"), artefact(purpose="monitor")], 2, "for monitor, score, not for train"),
        ([artefact(starts_at="2026-06-01 00:00:01")], 3, "starts only at 2026-06-01 00:00:01"),
        ([artefact(expires_at="2026-06-01"), artefact(expires_at="2026-05-01")], 4, "expired at 2026-06-01 00:00:00"),
        ([artefact(revoked_at="2026-06-01")], 5, "withdrawn at 2026-06-01 00:00:00"),
        ([artefact(data_from="2026-03-01")], 6, "covers 2026-03-01 00:00:00 to any time only"),
        ([artefact(data_to="2025-01-01")], 6, "covers 2025-01-01 00:00:00 to 2025-01-01 00:00:00 only"),
        ([artefact(purpose="score"), artefact(expires_at="2026-02-01")], 4, "expired at 2026-02-01 00:00:00"),
    ],
)
def test_the_first_condition_that_no_artefact_meets_is_named(held: list[Any], failed: int, reason: str) -> None:
    found = ask(*held)
    assert not found.is_open
    assert len(found.steps) == failed
    assert [step.holds for step in found.steps] == [True] * (failed - 1) + [False]
    assert found.reason == reason


def test_open_says_by_which_artefacts_and_until_when() -> None:
    found = ask(artefact("c2"), artefact("c1", expires_at="2028-01-01"), artefact("c3", expires_at="2026-02-01"))
    assert found.is_open
    assert found.reason == ""
    assert [row["artefact_id"] for row in found.artefacts] == ["c1", "c2"]
    assert found.until == datetime(2028, 1, 1)
    assert [step.left for step in found.steps] == [3, 3, 3, 2, 2, 2]
    assert ask(artefact(), artefact(expires_at="-")).until is None


@pytest.mark.parametrize(
    ("event_at", "is_open"),
    [("2024-12-31 23:59", False), ("2025-01-01", True), ("2025-12-31", True), ("2026-01-01", False)],
)
def test_the_lenders_own_record_must_cover_the_application_itself(event_at: str, is_open: bool) -> None:
    held = artefact(category="credit", data_to="2026-01-01")
    found = ask(held, category="credit", event_at=datetime.fromisoformat(event_at))
    assert found.is_open is is_open


def test_bounds_and_policies_are_asked_last() -> None:
    asked, vouched = Asked("apps", "train", AT), artefact(basis="asserted_by_source")
    beyond = answer([vouched], asked, [read_policy("explicit-consent"), BARRING])
    assert beyond.steps[-1].condition == "it is within the bounds of in-rbi-2025"
    assert beyond.reason == "basis: beyond explicit"
    barred = answer([vouched, artefact()], asked, [read_policy("explicit-consent"), BARRING])
    assert [step.left for step in barred.steps[-2:]] == [1, 0]
    assert barred.reason == f"barred by in-rbi-2025 ({BARRING.citation})"
    assert answer([artefact()], asked, [read_policy("explicit-consent")]).is_open


def test_each_bound_that_is_broken_is_named() -> None:
    found = answer([artefact()], Asked("apps", "train", AT), [read_policy("in-aa-ct001")])
    assert found.reason == (
        "days from its start to its expiry: beyond 31; days from its start to the moment asked: beyond 31; "
        "days for which data may be kept: beyond 31"
    )


def test_a_category_is_barred_when_all_its_tables_are() -> None:
    barred = {c for c in ("apps", "communication", "location", "browsing", "device", "payments") if bars(BARRING, c)}
    assert barred == {"apps", "communication", "location", "browsing"}


def test_status_tells_of_every_category_and_purpose_that_an_artefact_names() -> None:
    held = [artefact(), artefact(category="credit"), artefact(purpose="score", revoked_at="2026-02-01")]
    told = [(a.asked.category, a.asked.purpose, a.reason) for a in status(held, AT)]
    assert told == [
        ("credit", "train", ""),
        ("apps", "score", "withdrawn at 2026-02-01 00:00:00"),
        ("apps", "train", ""),
    ]
    assert status([], AT) == []
