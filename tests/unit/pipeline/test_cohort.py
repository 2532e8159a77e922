"""Which applications are asked about, and why the others are not."""

from pathlib import Path

import pytest

from features.tables import applications, consents
from pipeline import cohort
from pipeline.engines import read_table, write_table
from pipeline.params import Params
from pipeline.workspace import Workspace, read_json
from saakh.errors import EmptyInputError
from tests.ascii import rows

APPLICATIONS = """
| application_id | person_id | applied_at          | is_accepted | disbursed_at |
| a1             | p1        | 2026-01-05 10:00:07 | yes         | 2026-01-06   |
| a2             | p2        | 2026-01-05          | yes         | 2026-01-06   |
| a3             | p1        | 2026-02-05          | no          | -            |
| a4             | p1        | 2026-06-01          | yes         | 2026-06-02   |
| a5             | p3        | 2025-01-05          | yes         | 2025-01-06   |
| a6             | p1        | 2026-02-06          | yes         | -            |
"""
CONSENTS = """
| artefact_id | person_id | category | purpose | starts_at  | expires_at | basis    |
| c1          | p1        | credit   | train   | 2025-01-01 | -          | explicit |
| c2          | p2        | credit   | score   | 2025-01-01 | -          | explicit |
| c3          | p3        | credit   | train   | 2025-01-01 | -          | explicit |
| c4          | p1        | credit   | score   | 2025-01-01 | 2026-02-01 | explicit |
"""


def made(folder: Path, **section: object) -> tuple[list[str], dict[str, int]]:
    ws = Workspace(folder)
    write_table(folder / "ingest/applications.parquet", rows(applications, APPLICATIONS))
    write_table(folder / "ingest/consents.parquet", rows(consents, CONSENTS))
    params = Params.model_validate({"as_of": "2026-06-01T00:00:00Z", "threads": 1, "cohort": section})
    cohort.run(params, ws)
    kept = read_table(folder / "cohort/cohort.parquet")
    return kept["application_id"].to_pylist(), read_json(folder / "cohort/cohort.json")["verdicts"]


def test_every_application_is_kept_or_counted_with_a_reason(tmp_path: Path) -> None:
    kept, verdicts = made(tmp_path, applied_from="2026-01-01T00:00:00Z")
    assert kept == ["a1"]
    assert verdicts == {
        "applied after as_of": 1,
        "kept": 1,
        "no consent to train": 1,
        "no date of payout": 1,
        "not granted": 1,
        "outside the period asked for": 1,
    }


def test_consent_to_score_is_asked_at_the_snapshot(tmp_path: Path) -> None:
    kept, verdicts = made(tmp_path, purpose="score")
    assert kept == ["a1", "a2"]  # a3 came after c4 had expired; whether a loan was granted does not matter
    assert verdicts["no consent to score"] == 3


def test_consent_must_cover_the_time_of_the_application(tmp_path: Path) -> None:
    later, earlier, reaching = ("data_from", "2026-01-06"), ("data_to", "2026-01-05"), ("data_to", "2026-01-06")
    assert covered_by(tmp_path / "a", later) == ["a2"]
    assert covered_by(tmp_path / "b", earlier) == ["a2"]
    assert covered_by(tmp_path / "c", reaching) == ["a1", "a2"]


def covered_by(folder: Path, bound: tuple[str, str]) -> list[str]:
    """The applications kept when p1's consent to train has this bound; p2's has none."""
    text = f"""
    | artefact_id | person_id | category | purpose | starts_at  | {bound[0]}  | basis    |
    | c1          | p1        | credit   | train   | 2025-01-01 | {bound[1]} | explicit |
    | c2          | p2        | credit   | train   | 2025-01-01 | -          | explicit |
    """
    write_table(folder / "ingest/applications.parquet", rows(applications, APPLICATIONS))
    write_table(folder / "ingest/consents.parquet", rows(consents, text))
    cohort.run(Params.model_validate({"as_of": "2026-06-01T00:00:00Z", "threads": 1}), Workspace(folder))
    return read_table(folder / "cohort/cohort.parquet")["application_id"].to_pylist()


def test_the_snapshot_is_the_whole_second_of_the_application(tmp_path: Path) -> None:
    made(tmp_path)
    row = read_table(tmp_path / "cohort/cohort.parquet").to_pylist()[0]
    assert str(row["snapshot_at"]) == "2026-01-05 10:00:07"
    assert str(row["asked_at"]) == "2026-06-01 00:00:00"


def test_an_empty_cohort_stops_the_run_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(EmptyInputError, match="no application is left"):
        made(tmp_path, applied_from="2027-01-01T00:00:00Z")
    assert not list((tmp_path / "cohort").glob("*"))
