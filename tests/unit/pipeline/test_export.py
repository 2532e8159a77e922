"""Export: the same bytes from the same bundle, replayed before they are written, and nothing when anything differs."""

import json
import shutil
from dataclasses import replace
from math import inf, nextafter
from types import SimpleNamespace

import lightgbm as lgb
import numpy as np
import pyarrow as pa
import pytest

import saakh
from models.lightgbm_text import parse
from pipeline import export, verify
from pipeline.bundle import Bundle
from pipeline.engines import read_table, write_table
from pipeline.export.golden_vectors import candidates, inputs
from pipeline.params import Params
from pipeline.workspace import Workspace, write_json
from saakh import archive
from saakh.additive import Additive
from saakh.errors import ArtifactError, MissingInputError
from saakh.linear import Linear
from saakh.trees import Trees
from tests.small_scorecard import booster, bundle, packed, specs, table, write_run


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run that has been evaluated."""
    return write_run(tmp_path_factory.mktemp("run"))


@pytest.fixture
def workspace(finished, tmp_path):
    """A copy of it that a test may change."""
    shutil.copytree(finished.workspace, tmp_path / "run")
    return Workspace(tmp_path / "run")


def written(params, ws):
    return export.write(params, ws, Bundle.from_workspace(ws, params))


def test_as_of_policy_and_purpose_are_those_of_the_training_whatever_is_asked_now(finished, workspace):
    asked = {"as_of": "2031-01-01T00:00:00Z", "policy": "eu-ccd2", "cohort": {"purpose": "score"}}
    manifest = written(Params.model_validate(finished.model_dump() | asked), workspace).scorecard.manifest
    assert manifest.as_of == "2026-06-01T00:00:00+00:00"
    assert (manifest.consent["policy"], manifest.consent["trained_for"]) == ("explicit-consent", "train")


def test_a_run_ends_in_a_scorecard_that_verifies(finished, workspace):
    found = written(finished, workspace)
    path = workspace.root / "export" / "scorecard-0.1.0.saakh"
    assert found.path == path
    assert found.replayed.rows == 400
    assert saakh.load(path).verify().vectors >= 200
    assert verify.run(path).facts["golden vectors"].endswith("reproduced, largest difference 0.0e+00 points")


def test_a_scorecard_scores_as_lightgbm_does_with_the_model_of_the_run(finished, workspace):
    written(finished, workspace)
    card = saakh.load(workspace.root / "export" / "scorecard-0.1.0.saakh")
    model = lgb.Booster(model_file=workspace.root / "train" / "model.txt")
    features = read_table(workspace.root / "derive" / "features.parquet").drop_columns("application_id")
    expected = model.predict(features.to_pandas().to_numpy(), raw_score=True)
    got = [card.score(row).log_odds for row in features.to_pylist()]
    assert got == pytest.approx(expected, abs=1e-9)


def test_two_exports_are_the_same_bytes(finished, workspace):
    path = workspace.root / "export" / "scorecard-0.1.0.saakh"
    written(finished, workspace)
    first = path.read_bytes()
    written(finished, workspace)
    assert path.read_bytes() == first


def test_a_bundle_put_away_and_fetched_builds_the_same_bytes(finished, workspace, tmp_path):
    written(finished, workspace)
    Bundle.from_workspace(workspace, finished).to_folder(tmp_path / "bundle")
    shutil.rmtree(workspace.root / "train")
    rebuilt = export.build(Bundle.from_folder(tmp_path / "bundle"))
    assert rebuilt == (workspace.root / "export" / "scorecard-0.1.0.saakh").read_bytes()


def test_a_bundle_with_a_file_missing_is_named(tmp_path):
    with pytest.raises(MissingInputError, match=r"model\.txt, specs\.json"):
        Bundle.from_folder(tmp_path)


def test_metrics_of_another_model_are_refused(finished, workspace):
    write_json(workspace.root / "evaluate" / "metrics.json", {"model_sha256": "f" * 64})
    with pytest.raises(ArtifactError, match="saakh evaluate"):
        written(finished, workspace)


def test_a_model_changed_after_training_is_refused(finished, workspace):
    path = workspace.root / "train" / "model.txt"
    path.write_text(path.read_text().replace("leaf_value=", "leaf_value=0", 1))
    with pytest.raises(ArtifactError, match="saakh train"):
        written(finished, workspace)


def test_export_before_evaluate_says_what_to_run(finished, workspace):
    shutil.rmtree(workspace.root / "evaluate")
    with pytest.raises(MissingInputError, match="saakh evaluate"):
        written(finished, workspace)


@pytest.mark.parametrize("off_by", [2**-20, 2**-28, -(2**-28)])
def test_a_model_that_the_runtime_does_not_reproduce_is_not_written(finished, workspace, monkeypatch, off_by):
    honest = export.DefaultModel.of_text

    def crooked(text):
        model = honest(text)
        trees = model.additive.trees
        value = trees.value.copy()
        value[0] += off_by
        return replace(model, additive=Additive(replace(trees, value=value), model.additive.linear, len(model.names)))

    monkeypatch.setattr(export, "DefaultModel", SimpleNamespace(of_text=crooked))
    with pytest.raises(ArtifactError, match="does not reproduce"):
        written(finished, workspace)
    assert not list(workspace.root.rglob("*.saakh"))


def test_a_feature_outside_its_declared_range_stops_the_export(finished, workspace):
    path = workspace.root / "derive" / "features.parquet"
    features = read_table(path)
    i = features.column_names.index("input_2_30d")
    write_table(path, features.set_column(i, "input_2_30d", pa.array(np.full(features.num_rows, -8.5))))
    with pytest.raises(ArtifactError, match=r"input_2_30d \(400 of 400\)"):
        written(finished, workspace)


def test_one_value_outside_its_range_is_found_though_its_row_is_not_replayed(finished, workspace):
    path = workspace.root / "derive" / "features.parquet"
    features = read_table(path)
    values = features["input_2_30d"].to_pylist()
    values[100] = -8.5
    i = features.column_names.index("input_2_30d")
    write_table(path, features.set_column(i, "input_2_30d", pa.array(values)))
    few = Params.model_validate(finished.model_dump() | {"export": {"replay_rows": 2}})
    with pytest.raises(ArtifactError, match=r"input_2_30d \(1 of 400\)"):
        written(few, workspace)


def test_features_derived_anew_without_a_column_of_the_model_are_named(finished, workspace):
    path = workspace.root / "derive" / "features.parquet"
    write_table(path, read_table(path).drop_columns("input_3_30d"))
    with pytest.raises(ArtifactError, match=r"no input_3_30d.*saakh train"):
        written(finished, workspace)


def test_model_and_account_that_name_other_features_are_refused():
    given = bundle(booster(table(300)).model_to_string(), 8)
    columns = given.train["columns"][::-1]
    with pytest.raises(ArtifactError, match="same order"):
        export.build(replace(given, train=given.train | {"columns": columns}))


def test_a_feature_without_a_spec_is_refused():
    given = bundle(booster(table(300)).model_to_string(), 8)
    with pytest.raises(ArtifactError, match="input_7_30d"):
        export.build(replace(given, specs=given.specs[:7]))


def test_bands_go_from_a_down():
    assert export.bands([500, 600]) == [
        {"name": "A", "from_points": 600},
        {"name": "B", "from_points": 500},
        {"name": "C", "from_points": None},
    ]


def test_figures_by_month_or_decile_stay_out_of_the_file():
    given = bundle(booster(table()).model_to_string(), 8)
    told = {"auc": {"value": 0.7, "low": 0.6, "high": 0.8}, "by_vintage": [{"month": "2026-01", "rows": 1, "bads": 1}]}
    made = export.build(replace(given, metrics=given.metrics | {"out_of_time": told}))
    manifest = saakh.Scorecard.from_members(archive.unpack(made)).manifest
    assert manifest.metrics["out_of_time"] == {"auc": {"value": 0.7, "low": 0.6, "high": 0.8}}


def test_the_file_holds_no_clock_and_only_what_it_lists():
    members = archive.unpack(packed())
    manifest = json.loads(members["manifest.json"])
    assert set(manifest["members"]) == set(members) - {"manifest.json"}
    assert b"2026-06-01" in members["manifest.json"]


def test_golden_vectors_meet_every_threshold_and_its_neighbours():
    trees = parse(booster(table()).model_to_string()).trees
    vectors = inputs(specs(8), Additive(trees, Linear.none(), 8))
    met = [{repr(v[i]) for v in vectors} for i in range(8)]
    assert len(vectors) >= 200
    for feature, threshold in zip(trees.feature, trees.threshold.tolist(), strict=True):
        wanted = (threshold, nextafter(threshold, -inf), nextafter(threshold, inf))
        assert {repr(w) for w in wanted if abs(w) <= 1e15} <= met[feature]


def test_golden_vectors_try_missing_zero_bounds_and_beyond():
    tried = candidates(specs(1)[0], np.array([0.5, inf]))
    assert tried[0] is None
    assert {repr(v) for v in (0.0, -0.0, 1e-36, -1e-36, -8.0, 8.0, -16.0, 16.0, 0.5)} <= {repr(v) for v in tried}
    grown = parse(booster(table(200)).model_to_string()).trees
    assert inputs(specs(8), Additive(grown, Linear.none(), 8))[0] == [None] * 8


def test_golden_vectors_keep_to_a_thousand_however_many_thresholds():
    count = 500
    halves = {"left": [-1] * count, "right": [-2] * count, "value": [0.1, -0.1] * count, "cover": [1, 1] * count}
    flags = {"missing_left": [0] * count, "zero_is_missing": [0] * count}
    stumps = Trees.of(1, splits=[1] * count, feature=[0] * count, threshold=np.arange(count), **halves, **flags)
    assert len(candidates(specs(1)[0], stumps.threshold)) > 1_500
    assert len(inputs(specs(1), Additive(stumps, Linear.none(), 1))) == 1_024


def test_verify_finds_arrays_that_are_not_the_text(tmp_path):
    members = archive.unpack(packed())
    other = archive.unpack(export.build(bundle(booster(table(), rounds=39).model_to_string(), 8)))
    manifest = json.loads(members["manifest.json"])
    manifest["members"]["model.txt"] = json.loads(other["manifest.json"])["members"]["model.txt"]
    path = tmp_path / "forged.saakh"
    path.write_bytes(
        archive.pack(members | {"model.txt": other["model.txt"], "manifest.json": json.dumps(manifest).encode()})
    )
    with pytest.raises(ArtifactError, match=r"forged\.saakh: model\.txt is another model"):
        verify.run(path)


def test_verify_says_which_file_is_damaged(tmp_path):
    path = tmp_path / "scorecard-0.1.0.saakh"
    path.write_bytes(packed()[:-1])
    with pytest.raises(ArtifactError, match=r"scorecard-0\.1\.0\.saakh"):
        verify.run(path)
