import ast
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.engines import write_table
from pipeline.judge import calibration, expected_auc, intervals, judge, matched_truth, ranking, run
from pipeline.params import Ingest, Params, Simulate
from pipeline.pseudonyms import Pseudonyms
from pipeline.workspace import Workspace, read_json, write_json
from saakh.errors import ContractError

MAY_READ_THE_TRUTH = {"simulate.py", "judge.py", "params.py"}
MONTHS = np.array(["2026-01-05", "2026-01-20", "2026-02-03", "2026-02-09"], "datetime64[s]")


def words(path: Path) -> set[str]:
    """Names, attributes, imports and texts of a module, docstrings aside."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(None)
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(a.name for a in node.names)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


def test_no_stage_but_judge_names_the_oracle_or_the_generator() -> None:
    modules = [p for folder in ("pipeline", "features", "models", "saakh") for p in Path(folder).glob("*.py")]
    assert len(modules) > 20
    for path in modules:
        if path.name not in MAY_READ_THE_TRUTH:
            said = {
                w for w in words(path) if "oracle.parquet" in w or w == "oracle_path" or w.startswith("pipeline.world")
            }
            assert not said or path.name == "cli.py", path
            assert not {"oracle", "true_pd", "true_log_odds"} & words(path), path


def test_expected_auc_is_the_auc_when_outcomes_are_certain() -> None:
    assert expected_auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0.0, 0.0, 1.0, 1.0])) == pytest.approx(0.75)


def test_ties_count_half() -> None:
    assert expected_auc(np.array([1.0, 1.0, 1.0]), np.array([0.2, 0.9, 0.4])) == pytest.approx(0.5)
    assert expected_auc(np.array([1.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0])) == pytest.approx(0.75)


def test_expected_auc_is_the_mean_over_outcomes() -> None:
    rng = np.random.default_rng(1)
    pd, score = rng.beta(1, 8, 400), rng.normal(size=400)
    drawn = [expected_auc(score + 4 * pd, (rng.random(400) < pd).astype(float)) for _ in range(400)]
    assert expected_auc(score + 4 * pd, pd) == pytest.approx(np.mean(drawn), abs=0.006)


def test_the_truth_itself_reaches_all_of_the_lift_and_noise_none() -> None:
    rng = np.random.default_rng(2)
    pd = rng.beta(1, 8, 20_000)
    bad = rng.random(20_000) < pd
    assert ranking(np.log(pd / (1 - pd)), bad, pd)["reachable_lift_share"] == pytest.approx(1.0)
    assert abs(ranking(rng.normal(size=20_000), bad, pd)["reachable_lift_share"]) < 0.03


def test_true_scores_are_calibrated_and_doubled_ones_have_half_the_slope() -> None:
    truth = np.random.default_rng(3).normal(-3, 1, 5_000)
    pd = 1 / (1 + np.exp(-truth))
    right = calibration(truth, pd)
    assert right["expected_over_true"] == pytest.approx(1.0)
    assert right["error_rms"] == pytest.approx(0.0, abs=1e-12)
    assert calibration(2 * truth, pd)["slope"] == pytest.approx(0.5)
    assert [d["true"] for d in right["by_decile"]] == sorted((d["true"] for d in right["by_decile"]), reverse=True)


def reported(low: float, high: float) -> dict[str, float]:
    return {"value": (low + high) / 2, "low": low, "high": high}


def test_intervals_are_counted_when_they_cover_the_truth() -> None:
    score = np.zeros(4)
    pd = np.array([0.5, 0.5, 0.25, 0.25])
    metrics = {
        "auc": reported(0.4, 0.6),
        "observed_expected": reported(0.8, 1.2),
        "by_vintage": [
            {"month": "2026-01", "observed_expected": reported(0.9, 1.1)},
            {"month": "2026-02", "observed_expected": reported(0.45, 0.55)},
        ],
    }
    assert intervals(score, pd, MONTHS, metrics) == {"reported": 4, "covering": 3, "auc_covers": True}


def test_scores_of_another_sample_are_refused() -> None:
    oracle = pa.table({"application": ["A00000001-1"], "true_pd": [0.1]})
    with pytest.raises(ContractError, match="1 of 1 scored applications are not in the oracle"):
        matched_truth(pa.table({"application_id": ["0" * 32]}), oracle, Pseudonyms(bytes(32)))


def test_judge_joins_by_pseudonym_and_writes_its_verdict(tmp_path: Path) -> None:
    key = tmp_path / "key.txt"
    key.write_text("00" * 32 + "\n")
    key.chmod(0o600)
    params = Params(
        policy="explicit-consent",
        as_of=datetime(2026, 6, 1, tzinfo=UTC),
        workspace=tmp_path / "w",
        simulate=Simulate(out=tmp_path / "raw", oracle=tmp_path / "oracle"),
        ingest=Ingest(key_file=key),
    )
    names = [f"A0000000{i}-1" for i in range(1, 5)]
    truth = {"application": names, "true_pd": [0.1, 0.2, 0.3, 0.4], "applied_at": MONTHS}
    write_table(tmp_path / "oracle" / "raw" / "oracle.parquet", pa.table(truth))
    scores = {
        "application_id": [Pseudonyms(bytes(32)).one("application", name) for name in names[::-1]],
        "split": ["out_of_time"] * 4,
        "is_bad": [True, False, True, False],
        "log_odds": [-0.4, -0.8, -1.4, -2.2],
    }
    ws = Workspace(tmp_path / "w")
    write_table(ws.stage("train") / "scores.parquet", pa.table(scores))
    nothing = {"value": None, "low": None, "high": None}
    metrics = {"auc": nothing, "observed_expected": reported(0.5, 1.5), "by_vintage": []}
    write_json(ws.stage("evaluate") / "metrics.json", {"out_of_time": metrics})
    summary = run(params, ws)
    verdict = read_json(tmp_path / "w" / "judge" / "judge.json")
    assert verdict["ranking"]["reachable_lift_share"] == pytest.approx(1.0)
    assert verdict["ranking"]["model_auc"] == pytest.approx(0.75)
    assert verdict["intervals"] == {"reported": 1, "covering": 1, "auc_covers": True}
    assert summary.facts["intervals that cover the truth"] == "1 of 1"


def test_the_verdict_is_plain_json_values() -> None:
    pd = np.array([0.1, 0.2, 0.3, 0.4])
    metrics = {"auc": reported(0.4, 0.9), "observed_expected": reported(0.5, 2), "by_vintage": []}
    verdict = judge(np.log(pd / (1 - pd)), pd > 0.15, pd, MONTHS, metrics)
    assert set(verdict) == {"rows", "ranking", "calibration", "intervals"}
