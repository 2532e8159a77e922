import json
from dataclasses import fields, replace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from models.rank_order import Group
from pipeline.engines import read_table, write_table
from pipeline.evaluate import Scored, captured, evaluate, facts, in_words, product, read_scored, warnings
from pipeline.params import Params
from pipeline.workspace import Workspace, digest, write_json
from saakh.errors import ContractError

PARAMS = Params.model_validate(
    {"policy": "explicit-consent", "as_of": "2026-06-01T00:00:00Z", "evaluate": {"resamples": 200}}
)

NOBODY = Scored(**{f.name: np.zeros(1) for f in fields(Scored)})


def write_scored(root, log_odds, bad, split, fold=None, person=None, days=None, closed=None):
    """Scored loans as train leaves them: one a day from 2026-01-01, of 90 days at 2 % a month.

    A split of `returning` goes to its own file. `days` are those seen of calls, whose consent is `closed` to some.
    """
    ws, rows, coverage = Workspace(root), len(bad), []
    key = pa.array([f"{i:032x}" for i in range(rows)])
    fold = [0 if s == "development" else None for s in split] if fold is None else fold
    loans = pa.table({"application_id": key, "is_bad": bad, "log_odds": pa.array(log_odds, pa.float64())})
    sides = loans.append_column("split", pa.array(split)).append_column("fold", pa.array(fold, pa.int64()))
    back = np.array(split) == "returning"
    write_table(ws.stage("train") / "scores.parquet", sides.filter(pa.array(~back)))
    write_table(ws.stage("train") / "returning.parquet", loans.filter(pa.array(back)))
    known = {f"{name}_sha256": digest(ws.need("train", f"{name}.parquet")) for name in ("scores", "returning")}
    write_json(ws.stage("train") / "train.json", known)
    applied = np.datetime64("2026-01-01", "us") + np.arange(rows) * np.timedelta64(1, "D")
    person = [f"{i:032x}" for i in (range(rows) if person is None else person)]
    cohort = pa.table({"application_id": key, "person_id": person, "applied_at": applied})
    for name, value in (("tenor_days", 90), ("rate_bp_month", 200)):
        cohort = cohort.append_column(name, pa.array([value] * rows))
    seen = {"calls": days or [40] * rows, "topups": [10] * rows}
    for source, of in seen.items():
        shut = ["closed" if source == "calls" and c else "present" for c in closed or [False] * rows]
        coverage.append(pa.table({"application_id": key, "source": [source] * rows, "status": shut, "days_seen": of}))
    write_table(ws.stage("derive") / "coverage.parquet", pa.concat_tables(coverage))
    write_table(ws.stage("cohort") / "cohort.parquet", cohort.take(pa.array(np.arange(rows)[::-1])))
    return ws


def side(auc, rows=500, bads=100):
    return {"rows": rows, "bads": bads, "auc": {"value": auc, "low": auc, "high": auc}}


def test_out_of_time_is_judged_apart_from_out_of_fold(tmp_path):
    bad = [True, False, True, False, False, False, True, True]
    ws = write_scored(tmp_path, [1, 0, 2, -1, 3, 2, 1, 0], bad, ["development"] * 4 + ["out_of_time"] * 4)
    metrics = evaluate(PARAMS, *read_scored(ws))
    assert metrics["out_of_fold"]["auc"]["value"] == 1.0
    assert metrics["out_of_time"]["auc"]["value"] == 0.0
    assert (metrics["out_of_time"]["rows"], metrics["out_of_time"]["bads"], metrics["out_of_time"]["people"]) == (
        4,
        2,
        4,
    )


def test_scores_of_different_folds_are_not_ranked_against_each_other(tmp_path):
    bad, split = [True, False, True, False, True, False], ["development"] * 4 + ["out_of_time"] * 2
    ws = write_scored(tmp_path, [1, 0, 11, 10, 1, 0], bad, split, fold=[0, 0, 1, 1, None, None])
    later, earlier, returning = read_scored(ws)
    assert later.fold is None
    assert evaluate(PARAMS, later, earlier, returning)["out_of_fold"]["auc"]["value"] == 1.0


def test_returning_people_come_through_the_door_and_are_on_no_side(tmp_path):
    bad, split = [True, False, True, False, False, False], ["development"] * 2 + ["out_of_time"] * 2 + ["returning"] * 2
    ws = write_scored(tmp_path, [0.0] * 6, bad, split, person=[1, 2, 3, 4, 1, 2])
    metrics = evaluate(PARAMS, *read_scored(ws))
    assert metrics["out_of_time"]["observed_expected"]["value"] == 1.0
    assert metrics["through_the_door"]["observed_expected"]["value"] == 0.5
    assert [metrics["through_the_door"][count] for count in ("rows", "bads", "people")] == [4, 1, 4]


def test_vintages_are_months_of_application(tmp_path):
    bad = [i % 3 == 0 for i in range(70)]
    ws = write_scored(tmp_path, [-0.7] * 70, bad, ["development"] * 5 + ["out_of_time"] * 65)
    vintages = evaluate(PARAMS, *read_scored(ws))["out_of_time"]["by_vintage"]
    assert [(v["month"], v["rows"]) for v in vintages] == [("2026-01", 26), ("2026-02", 28), ("2026-03", 11)]
    assert vintages[0]["bads"] == sum(bad[5:31])
    assert vintages[0]["expected"] == pytest.approx(1 / (1 + np.exp(0.7)))
    assert vintages[0]["observed_expected"]["value"] == pytest.approx(vintages[0]["bads"] / (26 / (1 + np.exp(0.7))))


def test_figures_are_those_of_scikit_learn_and_the_file_is_plain_json(tmp_path):
    rng = np.random.default_rng(1)
    score, bad = rng.normal(size=400), rng.random(400) < 0.3
    ws = write_scored(tmp_path, score, bad, ["development"] * 200 + ["out_of_time"] * 200, person=np.arange(400) // 2)
    metrics = evaluate(PARAMS, *read_scored(ws))
    assert metrics["out_of_time"]["auc"]["value"] == pytest.approx(roc_auc_score(bad[200:], score[200:]), abs=1e-12)
    assert metrics["out_of_time"]["people"] == 100
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_same_scores_give_the_same_figures_to_the_last_digit(tmp_path):
    rng = np.random.default_rng(2)
    score, bad = rng.normal(size=300), rng.random(300) < 0.3
    ws = write_scored(tmp_path, score, bad, ["development"] * 200 + ["out_of_time"] * 100)
    assert evaluate(PARAMS, *read_scored(ws)) == evaluate(PARAMS, *read_scored(ws))


def test_too_good_to_be_true_is_said():
    told = warnings({"out_of_time": side(0.79), "out_of_fold": side(0.70)})
    assert told == ["AUC out of time is 0.790, above 0.78: too good for phone data alone; look for a leak"]
    assert warnings({"out_of_time": side(0.78), "out_of_fold": side(0.70)}) == []


def test_few_bad_loans_and_no_bad_loan_are_said():
    told = warnings({"out_of_time": side(None, rows=40, bads=0), "out_of_fold": side(0.7, rows=400, bads=49)})
    assert told[0] == "AUC out of time cannot be computed: all 40 loans ended alike"
    assert told[1] == "0 bad of 40 loans out of time: under 50 of a kind say little"
    assert told[2] == "49 bad of 400 loans out of fold: under 50 of a kind say little"


def test_loans_that_all_ended_well_leave_null_and_not_a_failure(tmp_path):
    split = ["development"] * 30 + ["out_of_time"] * 30
    ws = write_scored(tmp_path, np.linspace(-3, -1, 60), [i < 10 for i in range(60)], split)
    metrics = evaluate(PARAMS, *read_scored(ws))
    assert metrics["out_of_time"]["auc"] == {"value": None, "low": None, "high": None}
    assert metrics["out_of_time"]["ks"]["value"] is None
    json.dumps(metrics, allow_nan=False)
    assert facts(metrics)["AUC out of time"] == "not defined"


@pytest.mark.parametrize("name", ["scores", "returning"])
def test_scores_of_another_training_are_refused(tmp_path, name):
    ws = write_scored(tmp_path, [0.0, 1.0, 2.0], [True, False, True], ["development", "out_of_time", "returning"])
    path = ws.need("train", f"{name}.parquet")
    write_table(path, read_table(path).slice(1))
    with pytest.raises(ContractError, match="is not the one train"):
        read_scored(ws)


def test_figure_in_words():
    assert in_words({"value": 0.6712, "low": 0.642, "high": 0.6994}) == "0.671 (0.642 to 0.699)"
    assert in_words({"value": 0.5, "low": None, "high": None}) == "0.500"


def test_tiers_go_by_the_days_of_the_source_that_shows_most(tmp_path):
    bad, split = [True, False, True, False], ["development"] * 2 + ["out_of_time"] * 2
    ws = write_scored(tmp_path, [0.0, 1.0, 2.0, 3.0], bad, split, days=[29, 30, 5, 90])
    metrics = evaluate(PARAMS, *read_scored(ws))
    assert [(t["tier"], t["rows"], t["bads"]) for t in metrics["out_of_fold"]["by_tier"]] == [
        ("under 30 days seen", 1, 1),
        ("30 to 89 days seen", 1, 0),
    ]
    assert [t["tier"] for t in metrics["out_of_time"]["by_tier"]] == ["under 30 days seen", "90 days seen or more"]


def test_those_who_refused_a_category_are_judged_apart(tmp_path):
    bad, split = [True, False, True, False], ["development", "development", "out_of_time", "out_of_time"]
    ws = write_scored(tmp_path, [0.0, 1.0, 2.0, 3.0], bad, split, closed=[False, True, True, True])
    metrics = evaluate(PARAMS, *read_scored(ws))
    assert [(g["refused"], g["rows"]) for g in metrics["out_of_fold"]["by_refusal"]] == [(False, 1), (True, 1)]
    assert [(g["refused"], g["rows"]) for g in metrics["out_of_time"]["by_refusal"]] == [(True, 2)]


def test_a_loan_earns_its_rate_on_half_its_principal(tmp_path):
    ws = write_scored(tmp_path, [0.0, 1.0, 2.0, 3.0], [True, False] * 2, ["development"] * 2 + ["out_of_time"] * 2)
    later, *_ = read_scored(ws)
    assert product(PARAMS, later).gain == pytest.approx(0.02 * 3 / 2)
    set_by_hand = Params.model_validate(PARAMS.model_dump(exclude={"evaluate"}) | {"evaluate": {"gain": 0.3}})
    assert product(set_by_hand, later).gain == 0.3


def test_without_terms_or_parameter_no_profit_is_told():
    assert product(PARAMS, replace(NOBODY, earned=np.array([np.nan]))) is None


def test_lift_gain_and_order_of_deciles_by_hand():
    told = captured([Group(10, 5, 0.5, 0.4), Group(10, 1, 0.1, 0.2), Group(10, 2, 0.2, 0.1)])
    assert [t["lift"] for t in told] == pytest.approx([1.875, 0.375, 0.75])
    assert [t["gain"] for t in told] == pytest.approx([0.625, 0.75, 1.0])
    assert [t["in_order"] for t in told] == [True, True, False]
    assert captured([Group(10, 0, 0.0, 0.1)])[0]["lift"] is None
