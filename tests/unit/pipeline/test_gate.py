"""What consent opens, artefact by artefact, edge by edge, and what a policy's bounds take away."""

from collections.abc import Iterator
from datetime import datetime
from random import Random

import pyarrow as pa
import pytest
from pydantic import ValidationError

from features.tables import consents
from pipeline.engines import Embedded, Engine
from pipeline.gate import NO_BOUNDS, Bounds, openings
from saakh.errors import ConsentError
from tests.ascii import rows

ASKED = datetime(2026, 6, 1)
COHORT = pa.table({"application_id": ["a"], "person_id": ["p"]})


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    held = Embedded(threads=1, memory_gb=1)
    yield held
    held.close()


def opened(
    engine: Engine, text: str, purpose: str = "train", bounds: Bounds = NO_BOUNDS, asked: datetime = ASKED
) -> list[tuple[str, str, str]]:
    """Category and range of what is open at a moment, dates only."""
    cohort = COHORT.append_column("asked_at", pa.array([asked], pa.timestamp("us")))
    ranges = openings(engine.table(cohort, "cohort"), engine.table(rows(consents, text), "consents"), purpose, bounds)
    found = engine.arrow(ranges, ["category", "data_from"]).to_pylist()
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
        ({"expires_at": "2026-05-01"}, []),
        ({"expires_at": "2026-06-01 00:01"}, OPEN),
        ({"revoked_at": "2026-06-01"}, []),
        ({"revoked_at": "2026-05-01"}, []),
        ({"revoked_at": "2026-06-01 00:01"}, OPEN),
        ({"data_from": "-", "data_to": "-"}, [("location", "1900-01-01", "2200-01-01")]),
        ({"data_from": "2026-01-01"}, []),
        ({"data_from": "2026-02-01"}, []),
    ],
)
def test_an_artefact_opens_its_category_when_purpose_and_time_match(
    engine: Engine, changed: dict[str, str], expected: list
) -> None:
    assert opened(engine, artefact(**changed)) == expected


@pytest.mark.parametrize(("agreed", "wanted"), [("score", "train"), ("train", "score")])
def test_consent_to_one_purpose_opens_nothing_for_another(engine: Engine, agreed: str, wanted: str) -> None:
    assert opened(engine, artefact(purpose=agreed), agreed) == OPEN
    assert opened(engine, artefact(purpose=agreed), wanted) == []


def test_a_purpose_nobody_can_agree_to_is_an_error(engine: Engine) -> None:
    with pytest.raises(ConsentError, match="nobody can agree to the purpose 'marketing'; there are score, train"):
        opened(engine, artefact(purpose="marketing"), "marketing")


@pytest.mark.parametrize(
    ("bound", "within", "beyond"),
    [
        ({"life_days_max": 30}, {"expires_at": "2026-01-31"}, {"expires_at": "2026-01-31 00:00:01"}),
        ({"life_days_max": 30}, {"expires_at": "2026-01-31"}, {"expires_at": "-"}),
        ({"age_days_max": 30}, {"starts_at": "2026-05-02"}, {"starts_at": "2026-05-01 23:59:59"}),
        ({"history_days_max": 365}, {"data_from": "2025-01-01"}, {"data_from": "2024-12-31 23:59:59"}),
        ({"history_days_max": 365}, {"data_from": "2025-01-01"}, {"data_from": "-"}),
        ({"age_days_max": 30}, {"starts_at": "2026-05-20"}, {"starts_at": "2026-01-01"}),
        ({"history_days_max": 365}, {"data_from": "2025-06-01"}, {"data_from": "2024-06-01"}),
        ({"data_life_days_max": 30}, {"data_life_days": "30"}, {"data_life_days": "31"}),
        ({"data_life_days_max": 30}, {"data_life_days": "0"}, {"data_life_days": "-"}),
        ({"fetch_type": ["onetime"]}, {"fetch_type": "onetime"}, {"fetch_type": "periodic"}),
        ({"fetch_type": ["onetime", "periodic"]}, {"fetch_type": "periodic"}, {"fetch_type": "-"}),
        ({"basis": ["explicit"]}, {"basis": "explicit"}, {"basis": "asserted_by_source"}),
    ],
    ids=str,
)
def test_an_artefact_beyond_a_bound_opens_nothing(engine: Engine, bound: dict, within: dict, beyond: dict) -> None:
    """At the bound itself it is within; a second or a day further it is beyond, and so when it leaves it open."""
    bounds, long = Bounds.model_validate(bound), {"starts_at": "2026-01-01"}
    asked = {} if "expires_at" not in within else {"asked": datetime(2026, 1, 15)}
    assert opened(engine, artefact(**long | within), bounds=bounds, **asked) != []
    assert opened(engine, artefact(**long | beyond), bounds=bounds, **asked) == []
    assert opened(engine, artefact(**long | beyond), **asked) != []


def test_every_bound_must_be_kept(engine: Engine) -> None:
    both = Bounds(life_days_max=200, basis=("explicit",))
    assert opened(engine, artefact(expires_at="2026-07-01"), bounds=both) == OPEN
    assert opened(engine, artefact(expires_at="2026-07-01", basis="asserted_by_source"), bounds=both) == []
    assert opened(engine, artefact(expires_at="2026-09-01"), bounds=both) == []


def test_a_bound_that_allows_nothing_opens_nothing(engine: Engine) -> None:
    assert opened(engine, artefact(), bounds=Bounds(basis=())) == []


def test_an_artefact_within_bounds_opens_its_own_range_beside_one_beyond(engine: Engine) -> None:
    text = """
    | artefact_id | person_id | category | purpose | starts_at  | expires_at | data_from  | data_to    | basis    |
    | c1          | p         | location | train   | 2026-05-20 | 2026-06-10 | 2025-01-01 | 2025-03-01 | explicit |
    | c2          | p         | location | train   | 2026-05-20 | 2027-06-10 | 2025-02-01 | 2025-09-01 | explicit |
    """
    assert opened(engine, text) == [("location", "2025-01-01", "2025-09-01")]
    assert opened(engine, text, bounds=Bounds(life_days_max=31)) == [("location", "2025-01-01", "2025-03-01")]


def test_overlapping_artefacts_open_one_range_so_that_no_event_counts_twice(engine: Engine) -> None:
    text = """
    | artefact_id | person_id | category | purpose | starts_at  | data_from  | data_to    | basis    |
    | c1          | p         | location | train   | 2025-01-01 | 2025-01-01 | 2025-03-01 | explicit |
    | c2          | p         | location | train   | 2025-01-01 | 2025-02-01 | 2025-02-10 | explicit |
    | c3          | p         | location | train   | 2025-01-01 | 2025-03-01 | 2025-04-01 | explicit |
    | c4          | p         | location | train   | 2025-01-01 | 2025-06-01 | 2025-07-01 | explicit |
    | c5          | p         | apps     | train   | 2025-01-01 | 2025-02-01 | 2025-03-01 | explicit |
    """
    assert opened(engine, text) == [
        ("apps", "2025-02-01", "2025-03-01"),
        ("location", "2025-01-01", "2025-04-01"),
        ("location", "2025-06-01", "2025-07-01"),
    ]


def test_artefacts_of_equal_ranges_open_each_range_once(engine: Engine) -> None:
    """Equal ranges have no order of their own: of many, some would be put into two orders, and be opened twice."""
    draw, people = Random(0), 200
    drawn = [
        f"| c{n} | p{n % people} | apps | train | 2025-01-01 | {draw.choice(['-', '2025-02-01'])} | explicit |"
        for n in range(3 * people)
    ]
    heading = "| artefact_id | person_id | category | purpose | starts_at | data_from | basis |"
    names = {"application_id": [f"a{n}" for n in range(people)], "person_id": [f"p{n}" for n in range(people)]}
    cohort = pa.table(names | {"asked_at": pa.array([ASKED] * people, pa.timestamp("us"))})
    held = engine.table(rows(consents, "\n".join([heading, *drawn])))
    found = engine.arrow(openings(engine.table(cohort), held, "train", NO_BOUNDS), ["application_id"])
    assert found["application_id"].to_pylist() == sorted(names["application_id"])


def test_a_bound_may_be_no_days_at_all_and_not_fewer() -> None:
    assert Bounds(age_days_max=0).age_days_max == 0
    with pytest.raises(ValidationError):
        Bounds(age_days_max=-1)
