"""Which applications are asked about, and why the others are not."""

from pathlib import Path

import pytest

from features.tables import applications, consents
from pipeline import cohort
from pipeline.engines import read_table, write_table
from pipeline.params import Params
from pipeline.workspace import Workspace, read_json
from saakh.errors import ConsentError, EmptyInputError
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
    params = Params.model_validate(
        {"policy": "explicit-consent", "as_of": "2026-06-01T00:00:00Z", "threads": 1, "cohort": section}
    )
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


def test_those_declined_are_kept_where_they_are_asked_for(tmp_path: Path) -> None:
    kept, verdicts = made(tmp_path, applied_from="2026-01-01T00:00:00Z", declined=True)
    assert kept == ["a1", "a3"]
    assert "not granted" not in verdicts
    assert verdicts["no date of payout"] == 1  # a6 was granted


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
    cohort.run(
        Params.model_validate({"policy": "explicit-consent", "as_of": "2026-06-01T00:00:00Z", "threads": 1}),
        Workspace(folder),
    )
    return read_table(folder / "cohort/cohort.parquet")["application_id"].to_pylist()


def test_the_snapshot_is_the_whole_second_of_the_application(tmp_path: Path) -> None:
    made(tmp_path)
    row = read_table(tmp_path / "cohort/cohort.parquet").to_pylist()[0]
    assert str(row["snapshot_at"]) == "2026-01-05 10:00:07"
    assert str(row["asked_at"]) == "2026-06-01 00:00:00"


def test_consent_beyond_the_policys_bounds_is_told_apart_and_its_artefacts_are_counted(tmp_path: Path) -> None:
    text = """
    | artefact_id | person_id | category | purpose | starts_at  | expires_at | data_from  | data_life_days | basis    |
    | c1          | p1        | credit   | train   | 2026-05-20 | 2026-06-10 | 2025-06-01 | 30             | explicit |
    | c1          | p1        | apps     | train   | 2026-05-20 | 2026-06-10 | 2025-06-01 | 30             | explicit |
    | c2          | p2        | credit   | train   | 2026-05-20 | 2027-06-10 | 2025-06-01 | -              | explicit |
    | c3          | p3        | credit   | train   | 2026-05-20 | 2026-05-30 | 2025-06-01 | 30             | explicit |
    """
    account = under(tmp_path, text, ["in-aa-ct001", "us-ecoa"])
    assert account["policies"] == ["in-aa-ct001", "us-ecoa"]
    assert account["verdicts"] == {
        "applied after as_of": 1,
        "consent beyond the policy's bounds": 1,
        "kept": 1,
        "no consent to train": 1,
        "no date of payout": 1,
        "not granted": 1,
    }
    assert account["artefacts"] == {
        "in_force": 2,
        "beyond": 1,
        "life_days_max": 1,
        "age_days_max": 0,
        "history_days_max": 0,
        "data_life_days_max": 1,
        "basis": 0,
    }


def test_a_policy_whose_bounds_every_artefact_breaks_is_one_clear_error_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConsentError) as error:
        under(tmp_path, CONSENTS, ["in-aa-ct001"])
    assert str(error.value) == (
        "all artefacts in force to train are beyond the bounds of in-aa-ct001, and open nothing (days from its start "
        "to its expiry: 2 of 2 beyond 31; days from its start to the moment asked: 2 of 2 beyond 31; days from the "
        "oldest event it covers to its start: 2 of 2 beyond 428; days for which data may be kept: 2 of 2 beyond 31); "
        "ask for consent within the bounds, or name another policy"
    )
    assert not list((tmp_path / "cohort").glob("*"))


def test_without_bounds_no_artefact_is_beyond_them(tmp_path: Path) -> None:
    assert under(tmp_path, CONSENTS, ["explicit-consent"])["artefacts"] == {"in_force": 2, "beyond": 0}


def under(folder: Path, agreed: str, policies: list[str]) -> dict:
    """The account of the cohort under these policies."""
    write_table(folder / "ingest/applications.parquet", rows(applications, APPLICATIONS))
    write_table(folder / "ingest/consents.parquet", rows(consents, agreed))
    params = Params.model_validate({"policy": policies, "as_of": "2026-06-01T00:00:00Z", "threads": 1})
    cohort.run(params, Workspace(folder))
    return read_json(folder / "cohort/cohort.json")


def test_an_empty_cohort_stops_the_run_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(EmptyInputError, match="no application is left"):
        made(tmp_path, applied_from="2027-01-01T00:00:00Z")
    assert not list((tmp_path / "cohort").glob("*"))
