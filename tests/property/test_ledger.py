"""Whatever the ledger: the order of its records and their repetition change nothing, more records open no more, and the
explanation says what the gate does."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.columns import PURPOSES
from pipeline.engines import Embedded, Engine
from pipeline.gate import openings
from pipeline.ledger.read import rows
from pipeline.ledger.why import Asked, answer
from pipeline.policy import Policy, bounds_for
from pipeline.pseudonyms import Pseudonyms
from tests.ledger_records import artefact, heard, notice

EXAMPLES = int(os.environ.get("SAAKH_EXAMPLES", "100"))
EASY = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
START = datetime(2026, 1, 1, tzinfo=UTC)
PSEUDONYMS = Pseudonyms(bytes(32))


def moments(low: int, high: int) -> st.SearchStrategy[str]:
    """Days about the start, few, so that edges meet."""
    return st.integers(low, high).map(lambda days: (START + timedelta(days=days)).isoformat())


@st.composite
def artefacts(draw: st.DrawFn) -> dict[str, Any]:
    """An artefact of one of two ids, which belong to two people."""
    name = draw(st.sampled_from(["C-1", "C-2"]))
    return artefact(
        name,
        draw(st.sampled_from(["ACTIVE", "ACTIVE", "ACTIVE", "REVOKED", "EXPIRED"])),
        customer=f"u{name}",
        consentStart=draw(moments(0, 3)),
        consentExpiry=draw(moments(4, 7)),
        consentMode=draw(st.sampled_from(["STORE"] * 9 + ["VIEW"])),
        fetchType=draw(st.sampled_from(["ONETIME", "PERIODIC"])),
        fiTypes=draw(st.lists(st.sampled_from(["apps", "credit", "profile"]), min_size=1, unique=True)),
        Purpose={"code": draw(st.sampled_from(PURPOSES[:2]))},
        FIDataRange={"from": draw(moments(-4, 0)), "to": draw(moments(1, 4))},
        DataLife={"unit": draw(st.sampled_from(["DAY", "MONTH", "INF"])), "value": draw(st.integers(0, 40))},
        Frequency={"unit": draw(st.sampled_from(["HOUR", "DAY", "INF"])), "value": draw(st.integers(0, 48))},
    )


@st.composite
def notices(draw: st.DrawFn) -> dict[str, Any]:
    """A notice about one of the ids, or about one nobody has."""
    status = draw(st.sampled_from(["REVOKED", "PAUSED", "EXPIRED", "ACTIVE"]))
    return notice(status, draw(moments(-1, 8)), draw(st.sampled_from(["C-1", "C-2", "C-3"])))


RECORDS = st.lists(st.one_of(artefacts(), artefacts(), notices()), min_size=1, max_size=8)


def opened(records: list[dict[str, Any]]) -> set[tuple[str, str, str, int, int]]:
    """What is open, as cells: artefact, category, purpose, day asked at, day of the event."""
    cells = set()
    for row in rows(heard(*records).artefacts, PSEUDONYMS).to_pylist():
        for asked in range(-5, 10):
            at = (START + timedelta(days=asked)).replace(tzinfo=None)
            ended = at >= row["expires_at"] or (row["revoked_at"] is not None and at >= row["revoked_at"])
            if row["starts_at"] <= at and not ended:
                days = [d for d in range(-5, 10) if row["data_from"] <= at + timedelta(days=d - asked) < row["data_to"]]
                cells |= {(row["artefact_id"], row["category"], row["purpose"], asked, day) for day in days}
    return cells


@EASY
@given(RECORDS, st.randoms(use_true_random=False))
def test_order_and_repetition_of_records_change_nothing(records: list[dict[str, Any]], random: Any) -> None:
    shuffled = records + random.choices(records, k=len(records))
    random.shuffle(shuffled)
    once, again = heard(*records), heard(*shuffled)
    assert rows(once.artefacts, PSEUDONYMS).equals(rows(again.artefacts, PSEUDONYMS))
    counted = dict(again.counts)
    assert counted.pop("records") - counted.pop("duplicates") == once.counts["records"] - once.counts["duplicates"]
    assert counted.items() <= once.counts.items()


@EASY
@given(RECORDS, st.one_of(artefacts(), notices()))
def test_one_more_record_of_an_artefact_never_opens_more_of_it(
    records: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    known = {row["artefact_id"] for row in rows(heard(*records).artefacts, PSEUDONYMS).to_pylist()}
    told = {record.get("consentId") for record in records}
    before, after = opened(records), opened([*records, more])
    if more.get("consentId") in told or "consentId" not in more:
        assert after <= before
    else:
        assert {cell for cell in after if cell[0] in known} == before


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    held = Embedded(threads=1, memory_gb=1)
    yield held
    held.close()


@st.composite
def policies(draw: st.DrawFn) -> tuple[Policy, ...]:
    """None, or one that bounds artefacts of all purposes somehow."""
    said = {
        "life_days_max": st.integers(1, 7),
        "age_days_max": st.integers(0, 4),
        "history_days_max": st.integers(0, 4),
        "data_life_days_max": st.integers(0, 40),
        "fetch_type": st.sampled_from([["onetime"], ["periodic"], ["onetime", "periodic"]]),
        "basis": st.just(["explicit"]),
    }
    bounds = draw(st.fixed_dictionaries({}, optional=said))
    about = {"title": "M", "jurisdiction": "N", "in_force_from": "2026-01-01", "citation": "C"}
    return (Policy.model_validate({"name": "mine", **about, "bounds": {"every": bounds}}),) if bounds else ()


@EASY
@given(RECORDS, st.integers(-1, 8), st.integers(-5, 5), st.sampled_from(PURPOSES[:3]), policies())
def test_the_explanation_and_the_gate_agree(
    engine: Engine,
    records: list[dict[str, Any]],
    asked: int,
    snapshot: int,
    purpose: str,
    within: tuple[Policy, ...],
) -> None:
    table = rows(heard(*records).artefacts, PSEUDONYMS)
    at, before = ((START + timedelta(days=days)).replace(tzinfo=None) for days in (asked, snapshot))
    people = [PSEUDONYMS.one("person", f"uC-{n}") for n in (1, 2)]
    cohort = pa.table(
        {"application_id": ["a1", "a2"], "person_id": people, "asked_at": pa.array([at] * 2, pa.timestamp("us"))}
    )
    opens = openings(
        engine.table(cohort, "cohort"), engine.table(table, "consents"), purpose, bounds_for(within, purpose)
    )
    gate = engine.arrow(opens, ["application_id"]).to_pylist()
    for name, person in zip(("a1", "a2"), people, strict=True):
        held = [row for row in table.to_pylist() if row["person_id"] == person]
        for category in ("apps", "credit", "profile"):
            mine = [row for row in gate if (row["application_id"], row["category"]) == (name, category)]
            reaches = any(row["data_from"] < before for row in mine)
            covers = any(row["data_from"] <= before < row["data_to"] for row in mine)
            assert answer(held, Asked(category, purpose, at), within).is_open is bool(mine)
            assert answer(held, Asked(category, purpose, at, before), within).is_open is reaches
            assert answer(held, Asked(category, purpose, at, event_at=before), within).is_open is covers
