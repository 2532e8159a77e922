"""Learning from declined applications: who is learned from, by which outcomes, and what masked loans say of it."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from models.default import Rows
from models.refusals import Refusals
from pipeline import reject_inference, train
from pipeline.engines import read_table, write_table
from pipeline.params import Params
from pipeline.sample import read_sample, read_specs, with_declined
from pipeline.workspace import Workspace, read_json
from saakh.errors import EmptyInputError
from tests.labelled_run import write_labelled

ASKED = {"reject_inference": "parcelling", "rounds_max": 10, "shards": 1}


def declining(root, order=None) -> tuple[Params, Workspace]:
    """A run in which every third application was declined, and so has no label."""
    params = write_labelled(root, order=order)
    params = params.model_copy(update={"train": params.train.model_copy(update=ASKED)})
    ws = Workspace(root)
    cohort = read_table(ws.need("cohort", "cohort.parquet"))
    out = np.array([int(key, 16) % 3 == 0 for key in cohort["application_id"].to_pylist()])
    cohort = cohort.append_column("disbursed_at", pa.array(cohort["applied_at"].to_numpy(), mask=out))
    cohort = cohort.append_column("propensity", pa.nulls(len(cohort), pa.float64()))
    write_table(ws.stage("cohort") / "cohort.parquet", cohort)
    labels = read_table(ws.need("label", "labels.parquet"))
    kept = np.array([int(key, 16) % 3 != 0 for key in labels["application_id"].to_pylist()])
    write_table(ws.stage("label") / "labels.parquet", labels.filter(pa.array(kept)))
    return params, ws


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    params, ws = declining(tmp_path_factory.mktemp("run"))
    return params, ws, train.run(params, ws)


def test_training_tells_how_many_it_learned_from_and_what_masked_loans_say(trained):
    _, ws, summary = trained
    told = read_json(ws.need("train", "train.json"))["reject_inference"]
    assert 100 < told["declined"] < 300
    assert 0.1 < told["inferred_bads"] / told["declined"] < 0.5
    masked = told["masked"]
    assert 0.25 < masked["masked"] / read_json(ws.need("train", "train.json"))["split"]["development"]["rows"] < 0.4
    assert 0.5 < masked["without"]["auc"] < 1
    assert masked["with"] != masked["without"]
    verdict = "it helps" if masked["with"]["log_loss"] < masked["without"]["log_loss"] else "IT HURTS"
    assert verdict in summary.facts["masked loans"]


def test_scores_are_written_of_loans_alone(trained):
    _, ws, _ = trained
    scored = set(read_table(ws.need("train", "scores.parquet"))["application_id"].to_pylist())
    labelled = set(read_table(ws.need("label", "labels.parquet"))["application_id"].to_pylist())
    assert scored <= labelled


def test_the_order_of_rows_does_not_show(trained, tmp_path):
    _, ws, _ = trained
    params, other = declining(tmp_path, order=5)
    train.run(params, other)
    assert (other.root / "train/model.txt").read_bytes() == (ws.root / "train/model.txt").read_bytes()


def test_without_declined_applications_it_says_where_they_come_from(tmp_path):
    params, ws = declining(tmp_path)
    cohort = read_table(ws.need("cohort", "cohort.parquet"))
    granted = cohort.filter(pa.compute.is_valid(cohort["disbursed_at"]))
    write_table(ws.stage("cohort") / "cohort.parquet", granted)
    with pytest.raises(EmptyInputError, match=r"set cohort\.declined"):
        train.run(params, ws)


def test_nobody_who_is_judged_on_and_nothing_after_the_cut_is_learned_from(trained):
    params, ws, _ = trained
    specs = read_specs(ws)
    sample = with_declined(ws, specs, read_sample(ws, specs))
    ready = train.prepared(params, specs, sample)
    found = reject_inference.others(sample, ready.split, ready.rows, ready.shards, ready.kept)
    judged = sample.person[ready.split.out_of_time | ready.split.known_person]
    assert not set(found.rows.person.tolist()) & set(judged.tolist())
    used = np.isin(sample.declined.draw, found.draw)
    assert (sample.declined.applied[used] < ready.split.out_of_time_from).all()
    assert len(found.chances) == len(ready.rows.bad) + len(found.draw)


def test_a_person_with_a_loan_and_a_declined_application_stays_in_one_fold(trained):
    params, ws, _ = trained
    specs = read_specs(ws)
    sample = with_declined(ws, specs, read_sample(ws, specs))
    ready = train.prepared(params, specs, sample)
    found = reject_inference.others(sample, ready.split, ready.rows, ready.shards, ready.kept).rows
    fold = dict(zip(ready.rows.person.tolist(), ready.rows.fold.tolist(), strict=True))
    both = [i for i, person in enumerate(found.person.tolist()) if person in fold]
    assert len(both) > 20
    assert [int(found.fold[i]) for i in both] == [fold[int(found.person[i])] for i in both]


def test_shares_are_those_of_granted_loans_of_the_same_score(trained):
    """Two inputs alike: the declined are taken for bad about as often as the granted are."""
    params, ws, _ = trained
    specs = read_specs(ws)
    sample = with_declined(ws, specs, read_sample(ws, specs))
    learned = train.learn(params, specs, replace(sample, declined=None))
    ready = train.prepared(params, specs, sample)
    rows, n = ready.rows, len(ready.rows.bad)
    draw = (np.arange(n) * reject_inference.GOLDEN_SECTION) % 1.0
    nobody = np.full(2 * n, np.nan)
    alike = reject_inference.Others(replace(rows, bad=np.zeros(n, dtype=bool)), draw, nobody)
    joined = reject_inference.inferred(learned.fitted, rows, alike)
    assert (joined.bad[:n] == rows.bad).all()
    assert joined.bad[n:].mean() == pytest.approx(rows.bad.mean(), abs=0.03)
    assert isinstance(joined, Rows)
    assert isinstance(joined.refusals, Refusals)
