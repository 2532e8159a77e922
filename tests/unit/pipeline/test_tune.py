import json
import shutil

import numpy as np
import pytest
import yaml

from pipeline import tracking, tune
from pipeline.columns import columns, drift
from pipeline.params import read_params
from pipeline.run import run_stage
from pipeline.sample import read_sample, read_specs
from pipeline.tune.gain import honest_gain
from pipeline.workspace import Workspace, read_json
from saakh.errors import ConfigError, ContractError, MissingInputError
from tests.labelled_run import specs, write_labelled

FEW = {"evaluate": {"resamples": 100}, "train": {"rounds_max": 6, "folds": 3}, "tune": {"trials": 2}}


def with_changed(params, **changed):
    return params.model_copy(update={k: getattr(params, k).model_copy(update=v) for k, v in changed.items()})


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """A finished search of two trials, and another that was stopped before the first and after it, and went on."""
    root, other = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("stopped")
    params = with_changed(write_labelled(root), **FEW)
    shutil.copytree(root, other, dirs_exist_ok=True)
    stopped = []
    tune.run(params, Workspace(other), seconds=0.0)
    stopped.append(read_json(other / "tune/tune.json"))
    tune.run(with_changed(params, tune={"trials": 1}), Workspace(other))
    tune.run(params, Workspace(other))
    summary = tune.run(params, Workspace(root), out=root / "tuned.json")
    return params, Workspace(root), summary, stopped[0], (other / "tune/tune.json").read_bytes()


def test_a_search_that_was_stopped_ends_as_one_that_was_not(tuned):
    _, ws, _, _, resumed = tuned
    assert ws.need("tune", "tune.json").read_bytes() == resumed
    assert read_json(ws.need("tune", "tune.json"))["reproducible"]


def test_a_search_stopped_by_the_clock_says_that_it_is_not_reproducible(tuned):
    *_, stopped, _ = tuned
    assert (stopped["done"], stopped["reproducible"], stopped["taken"], stopped["values"]) == (0, False, False, {})
    assert "not to be released" in tune.facts(stopped)["not reproducible"]


def test_the_verdict_follows_the_gain_and_values_are_given_only_where_it_is_beyond_noise(tuned):
    _, ws, summary, _, _ = tuned
    found = read_json(ws.need("tune", "tune.json"))
    assert found["taken"] == (found["gain"]["low"] > 0)
    assert found["values"] == (found["best"]["values"] if found["taken"] else {})
    assert found["best"]["log_loss"] == min(t["log_loss"] for t in found["trials"])
    assert summary.counts == {"trials done": 2, "trials asked for": 2}


def test_every_trial_is_a_run_within_the_searchs_run(tuned):
    _, ws, _, _, _ = tuned
    log = tracking.client(ws)
    runs = {run.info.run_name: run for run in log.search_runs([tracking.experiment(log, ws)])}
    assert set(runs) == {"tune", "trial 0", "trial 1"}
    assert runs["trial 1"].data.tags["mlflow.parentRunId"] == runs["tune"].info.run_id
    assert "leaves" in runs["trial 1"].data.params


def test_values_are_taken_up_where_they_are_named_and_the_training_says_so(tuned, tmp_path):
    params, ws, _, _, _ = tuned
    found = read_json(ws.need("tune", "tune.json")) | {
        "values": {"leaves": 3, "lambda_l2": 77.0},
        "reproducible": False,
    }
    (tmp_path / "tuned.json").write_text(json.dumps(found))
    told = {"as_of": "2026-06-01T00:00:00Z", "policy": "explicit-consent", "workspace": str(ws.root)}
    told |= {"train": {"rounds_max": 6, "lambda_l2": 5.0, "tuned": str(tmp_path / "tuned.json")}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(told))
    read = read_params(tmp_path / "params.yaml")
    assert (read.train.leaves, read.train.lambda_l2, read.train.rounds_max) == (3, 77.0, 6)
    run_stage("train", read, ws)
    account = read_json(ws.need("train", "train.json"))
    assert account["parameters"]["lambda_l2"] == 77.0
    assert account["tuned"]["reproducible"] is False
    run_stage("train", params, ws)
    assert read_json(ws.need("train", "train.json"))["tuned"] is None


@pytest.mark.parametrize(("text", "error"), [(None, MissingInputError), ("[]", ConfigError), ("{}", ConfigError)])
def test_a_file_that_no_search_wrote_is_refused(tmp_path, text, error):
    if text is not None:
        (tmp_path / "tuned.json").write_text(text)
    told = {"as_of": "2026-06-01T00:00:00Z", "policy": "explicit-consent"}
    told |= {"train": {"tuned": str(tmp_path / "tuned.json")}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(told))
    with pytest.raises(error, match="saakh tune"):
        read_params(tmp_path / "params.yaml")


def test_the_luckiest_of_many_trials_that_gain_nothing_is_not_taken_and_a_better_one_is():
    draw = np.random.default_rng(5)
    who = np.arange(2_000) // 2
    base, noise = draw.exponential(size=2_000), draw.normal(size=(40, 2_000))
    how = {"confidence": 0.95, "resamples": 200, "seed": 1}
    lucky = base + 0.3 * noise
    assert (base - lucky).mean(axis=1).max() > 0.01
    assert honest_gain(base, lucky, who, **how).low < 0
    better = np.vstack([lucky, base - 0.05 + 0.3 * draw.normal(size=2_000)])
    found = honest_gain(base, better, who, **how)
    assert 0 < found.low < 0.05 < found.high


def test_columns_are_left_out_by_category_and_for_drifting_and_no_outcome_is_looked_at(tuned):
    params, ws, _, _, _ = tuned
    changed = specs(f3={"category": "location"})
    sample = read_sample(ws, read_specs(ws))
    x, applied = sample.x.copy(), sample.applied
    late = applied > np.sort(applied)[(len(applied) - 1) // 2]
    x[late, 5] += 1.0
    assert drift(x, applied)[5] > 0.25 > drift(x, applied)[4]
    asked = with_changed(params, train={"without": ("location",), "drift_max": 0.25})
    _, aside, kept = columns(asked, changed, x, applied)
    assert aside["f3"] == "the category location is left out"
    assert aside["f5"].startswith("drifts: PSI ")
    assert kept == [0, 1, 2, 4, 6, 7]
    nothing = with_changed(params, train={"without": ("location", "communication")})
    with pytest.raises(ContractError, match=r"train\.without"):
        columns(nothing, changed, x, applied)
