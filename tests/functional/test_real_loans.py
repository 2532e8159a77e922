"""Real loans, end to end: locations and cash-in to features, age to the audit, label, model, report, scorecard."""

import os
from pathlib import Path

import pytest
from pyarrow import csv

import saakh
from pipeline.engines import read_table
from pipeline.params import read_params
from pipeline.run import STAGES, run_stage
from pipeline.workspace import Workspace, read_json
from tests.conftest import Claim
from tests.functional.conftest import ROOT, Run

DATA = Path(os.environ.get("SAAKH_REAL_DATA") or ROOT.parent / "shared" / "data") / "kenya_gps"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real loans at {DATA}; SAAKH_REAL_DATA names their place")


@pytest.fixture(scope="module")
def real_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The whole line on the real loans."""
    root = tmp_path_factory.mktemp("real")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAAKH_KEY", "ab" * 32)
        patch.setenv("SAAKH_REAL_DATA", str(DATA.parent))
        patch.chdir(ROOT)
        params = read_params(ROOT / "params.kenya_gps.yaml").model_copy(update={"workspace": root})
        for stage in STAGES:
            run_stage(stage, params, Workspace(root))
    return Run(params, Workspace(root))


def test_no_fix_at_or_after_the_application_is_seen(real_run: Run, claim: Claim) -> None:
    account = read_json(real_run.ws.root / "derive/derive.json")
    kept = read_table(real_run.ws.root / "ingest/locations.parquet").num_rows
    seen = account["events_seen"] - 400  # the people's own rows
    assert account["events_too_late"]["locations"] == 12_373
    assert seen + account["events_too_late"]["locations"] == kept
    claim("real loans: fixes excluded as too late", "47.8 % before duplicates go", f"{12_373 / kept:.1%} of {kept:,}")


def test_the_share_of_late_fixes_in_the_raw_file_is_the_published_one(claim: Claim) -> None:
    fixes = csv.read_csv(DATA / "gps_fixes.csv")
    loans = csv.read_csv(DATA / "loan_outcomes.csv").select(["user_id", "application_at"])
    joined = fixes.join(loans, "user_id")
    share = sum(
        fix >= applied or upload >= applied
        for fix, upload, applied in zip(
            *(
                joined[c].cast("timestamp[us]").to_pylist()
                for c in ("gps_fix_at", "server_upload_at", "application_at")
            ),
            strict=True,
        )
    ) / len(joined)
    claim("real loans: raw fixes at or after the application", "47.8 %", f"{share:.1%}")
    assert round(share, 3) == 0.478


def test_every_loan_is_labelled_and_five_fold_auc_has_an_interval(real_run: Run, claim: Claim) -> None:
    assert read_json(real_run.ws.root / "label/label.json")["verdicts"] == {"bad": 200, "good": 200}
    auc = read_json(real_run.ws.root / "evaluate/metrics.json")["out_of_fold"]["auc"]
    assert auc["low"] < auc["value"] < auc["high"]
    claim("real loans: five-fold AUC", "printed", f"{auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})")


def test_an_exported_scorecard_scores_every_loan(real_run: Run, claim: Claim) -> None:
    card = saakh.load(real_run.ws.root / "export/scorecard-0.1.0.saakh")
    rows = read_table(real_run.ws.root / "derive/features.parquet").to_pylist()
    scores = [card.score({name: row[name] for name in card.features}) for row in rows]
    assert len(scores) == 400
    assert all(0 < score.pd < 1 for score in scores)
    claim("real loans: scored by the exported scorecard", "400", len(scores))


def test_age_stays_in_the_audit(real_run: Run) -> None:
    assert "age_years" in read_table(real_run.ws.root / "ingest/people.parquet").column_names
    assert not [c for c in read_table(real_run.ws.root / "derive/features.parquet").column_names if "age_years" in c]
    assert "asserted by the source" in (real_run.ws.root / "explain/report.html").read_text()
