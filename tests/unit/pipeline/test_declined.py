import numpy as np
import pyarrow as pa
import pytest

from pipeline import declined
from pipeline.engines import read_table, write_table
from pipeline.evaluate import of_declined
from pipeline.run import run_stage
from pipeline.workspace import Workspace, read_json
from tests.labelled_run import write_labelled


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run whose cohort also has those the lender declined: every third application, without a label."""
    root = tmp_path_factory.mktemp("run")
    params = write_labelled(root)
    few = {"evaluate": {"resamples": 100}, "train": {"rounds_max": 12}}
    params = params.model_copy(update={k: getattr(params, k).model_copy(update=v) for k, v in few.items()})
    ws = Workspace(root)
    cohort = read_table(ws.need("cohort", "cohort.parquet"))
    rows = np.arange(len(cohort))
    out, explored = rows % 3 == 0, rows % 10 == 1
    paid = pa.array(cohort["applied_at"].to_numpy(), mask=out)
    cohort = cohort.append_column("disbursed_at", paid)
    cohort = cohort.append_column("propensity", pa.array(np.where(out | explored, 0.2, 1.0)))
    write_table(ws.stage("cohort") / "cohort.parquet", cohort)
    granted = cohort.filter(pa.array(~out))["application_id"].combine_chunks()
    labels = read_table(ws.need("label", "labels.parquet"))
    write_table(
        ws.stage("label") / "labels.parquet",
        labels.filter(pa.compute.is_in(labels["application_id"], granted)),
    )
    run_stage("train", params, ws)
    run_stage("evaluate", params, ws)
    return params, ws


def test_those_declined_are_counted_scored_and_told_of_beside_later_loans(run):
    _, ws = run
    found = read_json(ws.need("evaluate", "metrics.json"))["all_who_applied"]
    door = read_json(ws.need("evaluate", "metrics.json"))["through_the_door"]
    assert found["applications"] - found["declined"] == door["rows"]
    assert 0.2 < found["declined"] / found["applications"] < 0.45
    assert found["explored"] > 5
    assert found["granted"]["auc"]["value"] == pytest.approx(door["auc"]["value"], abs=1e-9)
    assert found["granted"]["bad_rate"]["value"] == pytest.approx(door["bad_rate"]["value"])
    for figure in ("auc", "bad_rate"):
        ends = found["bounds"][figure]
        assert ends["low"] < found["expected"][figure]["value"] < ends["high"]
        assert found["inverse_propensity"][figure]["low"] < found["inverse_propensity"][figure]["high"]


def test_where_nobody_is_explored_only_bounds_are_told(run):
    params, ws = run
    cohort = read_table(ws.need("cohort", "cohort.parquet"))
    place = cohort.column_names.index("propensity")
    unknown = cohort.set_column(place, "propensity", pa.nulls(len(cohort), pa.float64()))
    scores = read_table(ws.need("train", "scores.parquet")).select(["application_id", "is_bad", "log_odds"])
    found = declined.declined(params, ws, unknown, scores.slice(0, 50))
    assert set(found) & {"granted", "expected", "inverse_propensity", "bounds"} == {"granted", "bounds"}
    assert "between" in declined.facts(found)["bad rate of all who applied"]


def test_a_cohort_without_anybody_declined_tells_nothing_of_them(tmp_path):
    params = write_labelled(tmp_path)
    assert of_declined(params, Workspace(tmp_path)) is None
    assert declined.facts(None) == {}
