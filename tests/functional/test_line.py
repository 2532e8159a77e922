"""The whole line: raw drops to a verified scorecard, the same bytes every time, rebuilt from MLflow alone."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lightgbm as lgb
import pytest

import saakh
from models.model_text import rest_of
from models.plain import linear_effects
from pipeline.engines import read_table
from pipeline.export import rebuild
from pipeline.run import STAGES, run_stage
from pipeline.sample import refusals, refused
from pipeline.workspace import Workspace, digest, read_json
from tests.conftest import Claim
from tests.functional.conftest import Run, small_params

UNREPEATABLE = ("mlflow", "audit")  # run names and times; who did what when


def digests(ws: Workspace) -> dict[str, str]:
    """Every file a run left, with its digest."""
    files = sorted(p for p in ws.root.rglob("*") if p.is_file())
    named = {str(p.relative_to(ws.root)): p for p in files}
    return {name: digest(p) for name, p in named.items() if not any(part in name for part in UNREPEATABLE)}


@pytest.fixture
def busy_core() -> Iterator[None]:
    """Another process that keeps a core busy."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        yield
        process.kill()


def test_contributions_sum_to_the_score_and_the_runtime_equals_lightgbm(small_run: Run, claim: Claim) -> None:
    card = saakh.load(small_run.ws.root / "export/scorecard-0.1.0.saakh")
    derived = read_table(small_run.ws.root / "derive/features.parquet")
    rows, specs = derived.select(card.features), card.manifest.features
    lacking = refusals(small_run.ws, derived["application_id"].combine_chunks(), specs)
    scores = [card.score(row, r) for row, r in zip(rows.to_pylist(), refused(lacking, specs), strict=True)]
    sums = max(abs(s.baseline + sum(s.contributions.values()) - s.points) for s in scores)
    text = (small_run.ws.root / "train/model.txt").read_text()
    x, withheld = rows.to_pandas().to_numpy(float), lacking.closed[:, lacking.category]
    linear, calibration = rest_of(text, len(specs))
    expected = lgb.Booster(model_str=text).predict(x, raw_score=True) + linear.intercept
    expected += linear_effects(linear, x, withheld).sum(axis=1)
    expected = expected * calibration.slope + calibration.intercept
    asked_nothing_less = ~withheld.any(axis=1)  # LightGBM knows of no refusals
    apart = max(abs(s.log_odds - e) for s, e, p in zip(scores, expected, asked_nothing_less, strict=True) if p)
    claim("applicants scored by the runtime", "1,000", f"{len(scores):,}")
    claim("largest gap between summed contributions and score, points", "1e-9", f"{sums:.1e}")
    claim("largest gap between runtime and LightGBM, log-odds", "1e-9", f"{apart:.1e}")
    assert max(sums, apart) <= 1e-9
    assert card.verify().largest_difference <= 1e-9


def test_every_application_is_kept_or_counted_with_a_reason(small_run: Run) -> None:
    cohort = read_json(small_run.ws.root / "cohort/cohort.json")
    labels = read_json(small_run.ws.root / "label/label.json")
    assert sum(cohort["verdicts"].values()) == cohort["rows_in"]
    assert sum(labels["verdicts"].values()) == labels["rows_in"] == cohort["rows_out"]
    ingested = read_json(small_run.ws.root / "ingest/ingest.json")
    assert ingested["rows_in"] == ingested["rows_kept"] + ingested["rows_rejected"]


def test_two_runs_give_the_same_bytes_with_other_threads_and_beside_a_busy_process(
    small_run: Run, tmp_path: Path, busy_core: None, claim: Claim
) -> None:
    again = small_params(tmp_path, threads=1 if small_run.params.threads > 1 else 2)
    for stage in ("simulate", *STAGES):
        run_stage(stage, again, Workspace(again.workspace))
    first, second = digests(small_run.ws), digests(Workspace(again.workspace))
    assert second == first
    claim("files the same to the byte, 1 or 2 threads, beside a busy process", "all", f"{len(first)} of {len(second)}")


def test_a_registered_run_alone_rebuilds_the_scorecard_byte_for_byte(
    small_run: Run, tmp_path: Path, claim: Claim
) -> None:
    rebuild(small_run.ws, tmp_path / "again.saakh")
    assert (tmp_path / "again.saakh").read_bytes() == (small_run.ws.root / "export/scorecard-0.1.0.saakh").read_bytes()
    claim("scorecard rebuilt from its MLflow run alone", "same bytes", "same bytes")


def test_no_shareable_output_names_a_person(small_run: Run) -> None:
    ids = set()
    for table in ("applications", "people", "calls"):
        stored = read_table(small_run.ws.root / f"ingest/{table}.parquet")
        for column in ("application_id", "person_id", "contact_id"):
            if column in stored.column_names:
                ids |= set(stored[column].to_pylist()[:500])
    shareable = ["check/check.html", "check/check.json", "explain/report.html", "evaluate/metrics.json"]
    shareable += ["train/train.json", "train/model.txt", "explain/importance.json", "derive/derive.json"]
    for name in shareable:
        text = (small_run.ws.root / name).read_text()
        assert not [i for i in ids if i in text], name
