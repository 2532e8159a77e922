"""A stage run by hand on a file that lacks a column says which, whatever the check would have said before it."""

from pathlib import Path

import pytest

from features.tables import applications, calls, consents
from pipeline.canonical import schema
from pipeline.engines import read_table, write_table
from pipeline.params import Params
from pipeline.run import run_stage
from pipeline.workspace import Workspace
from saakh.errors import ContractError
from tests.ascii import rows

APPLICATIONS = """
| application_id | person_id | applied_at          | is_accepted | disbursed_at |
| a1             | p1        | 2026-01-05 10:00:07 | yes         | 2026-01-06   |
"""
CONSENTS = """
| artefact_id | person_id | category | purpose | starts_at  | basis    |
| c1          | p1        | credit   | train   | 2025-01-01 | explicit |
"""
PARAMS = Params.model_validate({"policy": "explicit-consent", "as_of": "2026-06-01T00:00:00Z", "threads": 1})


@pytest.mark.parametrize(
    ("stage", "file", "column"),
    [
        ("cohort", "ingest/applications", "is_accepted"),
        ("cohort", "ingest/consents", "purpose"),
        ("label", "ingest/applications", "outcome"),
        ("label", "cohort/cohort", "disbursed_at"),
        ("derive", "cohort/cohort", "snapshot_at"),
        ("derive", "ingest/consents", "starts_at"),
        ("derive", "ingest/calls", "duration_s"),
    ],
)
def test_a_missing_column_is_named_with_its_file(tmp_path: Path, stage: str, file: str, column: str) -> None:
    write_table(tmp_path / "ingest/applications.parquet", rows(applications, APPLICATIONS))
    write_table(tmp_path / "ingest/consents.parquet", rows(consents, CONSENTS))
    write_table(tmp_path / "ingest/calls.parquet", schema(calls).empty_table())
    run_stage("cohort", PARAMS, Workspace(tmp_path))
    path = tmp_path / f"{file}.parquet"
    write_table(path, read_table(path).drop_columns([column]))
    writer = file.split("/", maxsplit=1)[0]
    with pytest.raises(ContractError, match=rf"{file}\.parquet has no column {column}; rerun `saakh {writer}`"):
        run_stage(stage, PARAMS, Workspace(tmp_path))
