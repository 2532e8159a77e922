"""The selfcheck on loans whose truth is known: honest ones pass, planted leaks are found, and nothing stale is told."""

from dataclasses import replace

import numpy as np
import pytest

from models.adversarial import told_apart
from pipeline import doubts, selfcheck, train
from pipeline.engines import read_table, write_table
from pipeline.params import Params
from pipeline.sample import read_sample, read_specs
from pipeline.workspace import Workspace, digest, write_json, write_text
from tests.labelled_run import write_labelled

REFITS = {"selfcheck": {"refits": 3}, "train": {"rounds_max": 30}}
FOUND = {
    "leaks": [],
    "people_on_both_sides": 0,
    "adversarial": {"auc": 0.55, "limit": 0.8, "columns": ["f1"]},
    "permuted": {"refits": 30, "full": True, "mean_auc": 0.504, "reach": 0.01},
    "auc_out_of_time": 0.7,
    "auc_suspect": 0.78,
}


def checked(root, change=None):
    written = write_labelled(root)
    params, ws = Params.model_validate(written.model_dump(mode="json") | REFITS), Workspace(root)
    if change is not None:
        path = ws.root / "derive" / "features.parquet"
        write_table(path, change(read_table(path), read_table(ws.root / "label" / "labels.parquet")))
    found = read_specs(ws)
    return selfcheck.selfcheck(params, found, read_sample(ws, found))


def echo(features, labels):
    bad = dict(zip(labels["application_id"].to_pylist(), labels["label"].to_pylist(), strict=True))
    return features.set_column(1, "f0", [[float(bad[key] == "bad") for key in features["application_id"].to_pylist()]])


def test_honest_loans_pass(tmp_path):
    found = checked(tmp_path)
    assert found["leaks"] == []
    assert found["people_on_both_sides"] == 0
    assert found["permuted"]["refits"] == 3
    assert not found["permuted"]["full"]
    assert abs(found["permuted"]["mean_auc"] - 0.5) < 0.1


def test_an_echo_of_the_outcome_is_named(tmp_path):
    found = checked(tmp_path, echo)
    assert [(leak["kind"], leak["column"]) for leak in found["leaks"]] == [("too good alone", "f0")]


def test_a_fit_that_sees_the_outcomes_it_is_judged_on_is_found(tmp_path, monkeypatch):
    def peeking(params, specs_, sample):
        learned = honest(params, specs_, sample)
        return replace(learned, log_odds=learned.log_odds + 9 * sample.bad)

    honest = train.learn
    monkeypatch.setattr(train, "learn", peeking)
    assert doubts.reasons(checked(tmp_path))[0].startswith("on permuted outcomes")


def test_the_mean_of_refits_is_judged_by_their_spread():
    # Mean 0.52, standard deviation 0.01 over four: t(3, 0.999 two-sided) = 12.924, so 0.5 ± 12.924 · 0.01 / 2.
    found = selfcheck.mean_and_reach(np.array([0.51, 0.51, 0.53, 0.53]))
    assert found["mean_auc"] == pytest.approx(0.52)
    assert found["reach"] == pytest.approx(12.924 * np.sqrt(4 / 3) * 0.01 / 2, rel=1e-4)
    assert selfcheck.mean_and_reach(np.array([0.6])) == {"mean_auc": 0.6, "reach": None}
    assert selfcheck.mean_and_reach(np.array([])) == {"mean_auc": None, "reach": None}


def test_verdicts():
    assert doubts.verdict(FOUND) == "passed"
    assert doubts.verdict(FOUND | {"permuted": FOUND["permuted"] | {"full": False}}) == "passed at reduced size"
    assert doubts.verdict(FOUND | {"people_on_both_sides": 2}) == "failed"
    assert doubts.verdict(FOUND | {"permuted": FOUND["permuted"] | {"mean_auc": 0.52}}) == "failed"
    assert doubts.warnings(FOUND) == []
    assert "too good" in doubts.warnings(FOUND | {"auc_out_of_time": 0.8})[0]


def test_what_was_found_of_another_model_is_not_told(tmp_path):
    ws = Workspace(tmp_path)
    write_text(ws.stage("train") / "model.txt", "tree")
    assert doubts.said(ws) == {"verdict": "not run"}
    write_json(ws.stage("selfcheck") / "selfcheck.json", FOUND | {"model_sha256": "0" * 64})
    assert doubts.said(ws) == {"verdict": "not run"}
    write_json(ws.stage("selfcheck") / "selfcheck.json", FOUND | {"model_sha256": digest(ws.root / "train/model.txt")})
    assert doubts.said(ws)["leaks"] == []


def test_sides_that_differ_in_a_column_are_told_apart_by_it():
    rng = np.random.default_rng(1)
    x, later = rng.normal(size=(2_000, 4)), np.arange(2_000) >= 1_000
    assert told_apart(x, later, np.arange(2_000), 1).auc == pytest.approx(0.5, abs=0.06)
    x[later, 2] += 2
    found = told_apart(x, later, np.arange(2_000), 1)
    assert found.auc > 0.85
    assert found.columns[0] == 2
