"""Batch scores: each row is what the runtime says of it, refusals cost nothing, and other purposes are refused."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import score
from pipeline.engines import write_table
from pipeline.workspace import Workspace, write_json
from saakh.errors import ArtifactError, ConfigError, ConsentError, ContractError, MissingInputError
from tests.small_scorecard import names, packed, scorecard, specs

ROWS = {
    "a": [0.5, 0.0, -2.0, 1.0, 0.1, 0.0, 1.0, 0.3],
    "b": [None, 9.5, 1.0, None, -0.4, 0.0, None, 2.0],
    "c": [0.5, 0.0, -2.0, 1.0, 0.1, 0.0, 1.0, 0.3],
    "d": [1.5, -9.5, 3.0, 0.0, None, 4.0, 2.0, -1.0],
}
STATUS = {
    "a": {"topups": "present", "payments": "present"},
    "b": {"topups": "silent", "payments": "absent"},
    "c": {"topups": "present", "payments": "closed"},
    "d": {"topups": "closed", "payments": "closed"},
}
REFUSED = {"a": (), "b": (), "c": ("payments",), "d": ("airtime", "payments")}


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """Four applications; the third refused one category of the inputs, the last both."""
    ws = Workspace(tmp_path / "work")
    columns = {name: [row[i] for row in ROWS.values()] for i, name in enumerate(names(8))}
    write_table(ws.stage("derive") / "features.parquet", pa.table({"application_id": list(ROWS)} | columns))
    told = [(key, source, said) for key, of in STATUS.items() for source, said in of.items()]
    coverage = dict(zip(("application_id", "source", "status"), zip(*told, strict=True), strict=True))
    write_table(ws.stage("derive") / "coverage.parquet", pa.table(coverage))
    write_json(ws.stage("derive") / "specs.json", [spec.as_dict() for spec in specs(8)])
    write_json(ws.stage("cohort") / "cohort.json", {"purpose": "score"})
    return ws


@pytest.fixture
def card(tmp_path: Path) -> Path:
    path = tmp_path / "scorecard.saakh"
    path.write_bytes(packed())
    return path


def written(ws: Workspace) -> list[dict]:
    return pq.read_table(ws.root / "score" / "scores.parquet").to_pylist()


def test_each_row_is_what_the_runtime_says_of_it(ws: Workspace, card: Path) -> None:
    summary = score.run(ws.root, card)
    for row in written(ws):
        key = row["application_id"]
        one = scorecard().score(dict(zip(names(8), ROWS[key], strict=True)), REFUSED[key])
        assert row["points"] == pytest.approx(one.points, abs=1e-9)
        assert row["pd"] == pytest.approx(one.pd, abs=1e-12)
        assert [(r["code"], r["text"]) for r in row["reasons"]] == [(r.code, r.text) for r in one.reasons]
        assert [r["points"] for r in row["reasons"]] == pytest.approx([r.points for r in one.reasons], abs=1e-9)
        assert (row["band"], row["missing"], dict(row["problems"])) == (one.band, one.missing, one.problems)
        assert tuple(row["refused"]) == one.refused == REFUSED[key]
    assert (summary.counts["refused airtime"], summary.counts["refused payments"]) == (1, 2)
    assert summary.counts["missing inputs"] == 3
    assert summary.counts["problems"] == 1


def test_who_refused_everything_stands_at_the_baseline_without_reasons(ws: Workspace, card: Path) -> None:
    score.run(ws.root, card)
    _, b, c, d = written(ws)
    assert d["points"] == pytest.approx(scorecard().baseline, abs=1e-9)
    assert (d["reasons"], d["missing"], d["problems"]) == ([], 0, [])
    assert c["points"] != d["points"]
    assert b["problems"] == [("input_1_30d", "out_of_range")]


def test_the_account_counts_and_names_nobody(ws: Workspace, card: Path) -> None:
    score.run(ws.root, card)
    said = json.loads((ws.root / "score" / "scores.json").read_text())
    assert said["applications"] == sum(said["bands"].values()) == 4
    assert said["refused"] == {"airtime": 1, "payments": 2}
    assert said["problems"] == {"input_1_30d": 1}
    assert said["signature"] == "unsigned"


def test_again_gives_the_same_bytes_also_from_the_file_and_elsewhere(
    ws: Workspace, card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score.run(ws.root, card)
    monkeypatch.setattr(score, "ROWS", 3)
    score.run(ws.root / "derive" / "features.parquet", card, out=tmp_path / "mine.parquet")
    assert (tmp_path / "mine.parquet").read_bytes() == (ws.root / "score" / "scores.parquet").read_bytes()
    assert (tmp_path / "mine.json").read_bytes() == (ws.root / "score" / "scores.json").read_bytes()


def test_data_asked_for_to_train_are_not_scored(ws: Workspace, card: Path) -> None:
    write_json(ws.root / "cohort" / "cohort.json", {"purpose": "train"})
    with pytest.raises(ConsentError, match="asked for to train"):
        score.run(ws.root, card)
    assert not (ws.root / "score").exists()


def test_an_input_of_another_definition_is_refused(ws: Workspace, card: Path) -> None:
    other = [spec.as_dict() for spec in specs(8)]
    other[2]["fingerprint"] = "0" * 64
    write_json(ws.root / "derive" / "specs.json", other[:7])
    with pytest.raises(ContractError, match=r"2 inputs .* \(1 not at all\): input_2_30d, input_7_30d"):
        score.run(ws.root, card)


def test_a_failure_leaves_the_scores_there_were(ws: Workspace, card: Path) -> None:
    score.run(ws.root, card)
    before = written(ws)
    whole = ws.root / "derive" / "features.parquet"
    write_table(whole, pq.read_table(whole).drop_columns("input_3_30d"))
    with pytest.raises(ContractError, match="no column input_3_30d"):
        score.run(ws.root, card)
    assert written(ws) == before
    assert sorted(p.name for p in (ws.root / "score").iterdir()) == ["scores.json", "scores.parquet"]


def test_features_apart_from_their_coverage_are_refused(ws: Workspace, card: Path, tmp_path: Path) -> None:
    shutil.copy(ws.root / "derive" / "features.parquet", tmp_path / "features.parquet")
    with pytest.raises(MissingInputError, match="who refused what"):
        score.run(tmp_path / "features.parquet", card)
    (ws.root / "derive" / "coverage.parquet").unlink()
    with pytest.raises(MissingInputError, match=r"coverage\.parquet"):
        score.run(ws.root, card)


def test_a_key_to_trust_and_a_name_that_is_no_parquet_are_heeded(ws: Workspace, card: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="not signed"):
        score.run(ws.root, card, trust="0" * 64)
    with pytest.raises(ConfigError, match="Parquet"):
        score.run(ws.root, card, out=tmp_path / "scores.csv")
