"""What consent opens, artefact by artefact, edge by edge."""

from datetime import datetime

import pyarrow as pa
import pytest

from features.tables import consents
from pipeline.engines import Embedded
from pipeline.gate import openings
from tests.ascii import rows

ASKED = datetime(2026, 6, 1)
COHORT = pa.table({"application_id": ["a"], "person_id": ["p"], "asked_at": pa.array([ASKED], pa.timestamp("us"))})


def opened(text: str, purpose: str = "train") -> list[tuple[str, str, str]]:
    """Category and range of what is open, dates only."""
    engine = Embedded(threads=1, memory_gb=1)
    table = engine.table(rows(consents, text))
    found = engine.arrow(openings(engine.table(COHORT), table, purpose), ["category", "data_from"]).to_pylist()
    engine.close()
    return [(r["category"], str(r["data_from"].date()), str(r["data_to"].date())) for r in found]


def artefact(**changed: str) -> str:
    row = {
        "artefact_id": "c1",
        "person_id": "p",
        "category": "location",
        "purpose": "train",
        "starts_at": "2026-01-01",
        "expires_at": "-",
        "revoked_at": "-",
        "data_from": "2025-01-01",
        "data_to": "2026-01-01",
        "basis": "explicit",
    } | changed
    return f"| {' | '.join(row)} |\n| {' | '.join(row.values())} |"


OPEN = [("location", "2025-01-01", "2026-01-01")]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, OPEN),
        ({"purpose": "score"}, []),
        ({"person_id": "q"}, []),
        ({"starts_at": "2026-06-01"}, OPEN),
        ({"starts_at": "2026-06-01 00:01"}, []),
        ({"expires_at": "2026-06-01"}, []),
        ({"expires_at": "2026-06-01 00:01"}, OPEN),
        ({"revoked_at": "2026-06-01"}, []),
        ({"revoked_at": "2026-06-01 00:01"}, OPEN),
        ({"data_from": "-", "data_to": "-"}, [("location", "1900-01-01", "2200-01-01")]),
        ({"data_from": "2026-01-01"}, []),
    ],
)
def test_an_artefact_opens_its_category_when_purpose_and_time_match(changed: dict[str, str], expected: list) -> None:
    assert opened(artefact(**changed)) == expected


def test_overlapping_artefacts_open_one_range_so_that_no_event_counts_twice() -> None:
    text = """
    | artefact_id | person_id | category | purpose | starts_at  | data_from  | data_to    | basis    |
    | c1          | p         | location | train   | 2025-01-01 | 2025-01-01 | 2025-03-01 | explicit |
    | c2          | p         | location | train   | 2025-01-01 | 2025-02-01 | 2025-02-10 | explicit |
    | c3          | p         | location | train   | 2025-01-01 | 2025-03-01 | 2025-04-01 | explicit |
    | c4          | p         | location | train   | 2025-01-01 | 2025-06-01 | 2025-07-01 | explicit |
    | c5          | p         | apps     | train   | 2025-01-01 | 2025-02-01 | 2025-03-01 | explicit |
    """
    assert opened(text) == [
        ("apps", "2025-02-01", "2025-03-01"),
        ("location", "2025-01-01", "2025-04-01"),
        ("location", "2025-06-01", "2025-07-01"),
    ]
