from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from models.default import DefaultModel
from models.refusals import Refusals
from pipeline.engines import read_table, write_table
from pipeline.params import Params
from pipeline.run import run_stage
from pipeline.sample import matrix, read_sample, read_specs
from pipeline.train import catalogue_fingerprint, learn, split_by_time, write
from pipeline.workspace import Workspace, digest, read_json, write_json
from saakh.errors import ConsentError, ContractError, EmptyInputError, LeakageError
from tests.labelled_run import specs, write_labelled


def trained(root, params):
    ws = Workspace(root)
    found = read_specs(ws)
    sample = read_sample(ws, found)
    return write(params, ws, found, sample, learn(params, found, sample))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("run")
    params = write_labelled(root)
    return Workspace(root), params, trained(root, params)


def test_every_labelled_application_is_used_or_counted(run):
    ws, _, account = run
    split = account["split"]
    used = split["development"]["rows"] + split["out_of_time"]["rows"]
    assert used + sum(split["excluded"].values()) == 900
    assert read_table(ws.need("train", "scores.parquet")).num_rows == used
    assert split["excluded"]["indeterminate"] > 10
    assert split["excluded"]["known_person"] == read_table(ws.need("train", "returning.parquet")).num_rows > 10


def test_nobody_is_on_both_sides_and_no_fold_shares_a_person(run):
    ws, _, _ = run
    scores = read_table(ws.need("train", "scores.parquet")).to_pandas()
    people = read_table(ws.need("cohort", "cohort.parquet")).to_pandas()
    rows = scores.merge(people, on="application_id")
    assert (rows.groupby("person_id")["split"].nunique() == 1).all()
    assert (rows[rows["split"] == "development"].groupby("person_id")["fold"].nunique() == 1).all()


def test_out_of_time_is_later_than_development_and_about_a_quarter(run):
    ws, _, account = run
    rows = read_table(ws.need("train", "scores.parquet")).to_pandas()
    rows = rows.merge(read_table(ws.need("cohort", "cohort.parquet")).to_pandas(), on="application_id")
    dev, later = rows[rows["split"] == "development"], rows[rows["split"] == "out_of_time"]
    cut = account["split"]["out_of_time_from"][:19]
    assert str(dev["applied_at"].max()) < cut.replace("T", " ") <= str(later["applied_at"].min())
    assert len(later) / len(rows) == pytest.approx(0.25, abs=0.06)
    assert account["split"]["development_to"] < account["split"]["out_of_time_from"][:10]


def test_scores_of_the_out_of_time_are_the_models_own(run):
    ws, _, account = run
    scores = read_table(ws.need("train", "scores.parquet")).to_pandas().set_index("application_id")
    features = read_table(ws.need("derive", "features.parquet"))
    kept = [s for s in specs() if s.name in account["columns"]]
    model = DefaultModel.of_text(ws.need("train", "model.txt").read_text())
    said = model.log_odds(matrix(features, kept), Refusals.none(len(features), len(kept)))
    own = dict(zip(features["application_id"].to_pylist(), said, strict=True))
    later = scores[scores["split"] == "out_of_time"]
    assert [own[k] for k in later.index] == later["log_odds"].tolist()
    earlier = scores[scores["split"] == "development"]
    assert np.mean([own[k] != v for k, v in earlier["log_odds"].items()]) > 0.9


def test_account_names_what_it_was_made_of(run):
    ws, params, account = run
    assert account == read_json(ws.need("train", "train.json"))
    assert account["model_sha256"] == digest(ws.need("train", "model.txt"))
    assert account["inputs"]["features.parquet"] == digest(ws.need("derive", "features.parquet"))
    assert account["monotone"] == {s.name: s.risk for s in specs()}
    assert account["catalogue_fingerprint"] == catalogue_fingerprint(specs())
    assert account["as_of"] == params.as_of.isoformat()


def test_same_inputs_give_the_same_bytes_for_any_order_and_threads(run, tmp_path):
    ws, _, _ = run
    params = write_labelled(tmp_path, order=5).model_copy(update={"threads": 1})
    trained(tmp_path, params)
    for file in ("model.txt", "scores.parquet"):
        assert digest(tmp_path / "train" / file) == digest(ws.need("train", file))


def test_features_that_say_nothing_are_dropped_and_listed(tmp_path):
    params = write_labelled(tmp_path)
    path = tmp_path / "derive" / "features.parquet"
    table = read_table(path)
    table = table.set_column(5, "f4", pa.nulls(len(table), pa.float64()))
    write_table(path, table.set_column(6, "f5", pa.array([3.0] * len(table))))
    account = trained(tmp_path, params)
    assert account["dropped"] == [{"name": "f4", "reason": "all null"}, {"name": "f5", "reason": "constant"}]
    assert account["columns"] == ["f0", "f1", "f2", "f3", "f6", "f7"]


def test_protected_feature_is_a_leak(tmp_path):
    write_labelled(tmp_path)
    protected = [s.as_dict() for s in specs(f3={"sensitivity": "protected"})]
    write_json(tmp_path / "derive" / "specs.json", protected)
    with pytest.raises(LeakageError, match="f3 rest on a protected column"):
        read_specs(Workspace(tmp_path))


def test_person_on_both_sides_of_the_split_is_a_leak(tmp_path, monkeypatch):
    params = write_labelled(tmp_path)
    sample = read_sample(Workspace(tmp_path), specs())

    def without_guard(*arguments):
        from models.splits import out_of_time

        found = out_of_time(*arguments)
        return replace(found, out_of_time=found.out_of_time | found.known_person)

    monkeypatch.setattr("pipeline.train.out_of_time", without_guard)
    with pytest.raises(LeakageError, match="on more than one side of the out-of-time split"):
        split_by_time(params, sample)


def test_gap_is_the_performance_window_when_there_are_loans_to_spare(tmp_path):
    params = write_labelled(tmp_path)
    sample = read_sample(Workspace(tmp_path), specs())
    assert split_by_time(params, sample).gap_days == 0
    short = Params.model_validate(params.model_dump() | {"label": {"performance_window_days": 5}})
    assert split_by_time(short, sample).gap_days == 5
    told = Params.model_validate(params.model_dump() | {"train": {"gap_days": 60}})
    assert split_by_time(told, sample).gap_days == 60


def test_four_hundred_loans_half_of_them_bad_still_train(tmp_path):
    account = trained(tmp_path, write_labelled(tmp_path, loans=400, base=0.0))
    assert account["parameters"]["leaf_rows_min"] < 40
    assert account["columns"]


@pytest.mark.parametrize("purpose", ["score", "research"])
def test_data_consented_for_another_purpose_train_no_model(tmp_path, purpose):
    params = write_labelled(tmp_path)
    write_json(tmp_path / "cohort" / "cohort.json", {"purpose": purpose})
    with pytest.raises(ConsentError, match=f"agreed to '{purpose}', which is not training"):
        run_stage("train", params, Workspace(tmp_path))
    assert not (tmp_path / "train").exists()


def test_loans_without_a_known_outcome_are_not_enough(tmp_path):
    write_labelled(tmp_path, loans=20)
    path = tmp_path / "label" / "labels.parquet"
    keys = read_table(path)["application_id"]
    write_table(path, pa.table({"application_id": keys, "label": ["indeterminate"] * 20}))
    with pytest.raises(EmptyInputError, match="no application has a good or bad outcome"):
        read_sample(Workspace(tmp_path), specs())


def test_loans_that_all_ended_well_cannot_be_told_apart(tmp_path):
    params = write_labelled(tmp_path, loans=200, base=-99.0)
    with pytest.raises(ContractError, match="development loans are good"):
        trained(tmp_path, params)


def test_labelled_application_without_features_is_refused(tmp_path):
    write_labelled(tmp_path, loans=50)
    path = tmp_path / "derive" / "features.parquet"
    write_table(path, read_table(path).slice(5))
    with pytest.raises(ContractError, match=r"of \d+ labelled applications have no row in the features"):
        read_sample(Workspace(tmp_path), specs())


def test_feature_that_is_declared_and_not_derived_is_refused(tmp_path):
    write_labelled(tmp_path, loans=50)
    path = tmp_path / "derive" / "features.parquet"
    write_table(path, read_table(path).drop_columns(["f2"]))
    with pytest.raises(ContractError, match="has no column f2"):
        read_sample(Workspace(tmp_path), specs())


def test_features_are_the_same_however_many_are_read_at_once(tmp_path, monkeypatch):
    write_labelled(tmp_path, loans=50)
    path = tmp_path / "derive" / "features.parquet"
    write_table(path, read_table(path)[::-1])
    together = read_sample(Workspace(tmp_path), specs()).x
    monkeypatch.setattr("pipeline.sample.VALUES_AT_ONCE", 3 * len(together))
    apart = read_sample(Workspace(tmp_path), specs()).x
    assert apart.tobytes() == together.tobytes()
    rows = dict(zip(read_table(path)["application_id"].to_pylist(), read_table(path)["f3"].to_pylist(), strict=True))
    sample = read_sample(Workspace(tmp_path), specs())
    told = [rows[name] for name in sample.application.to_pylist()]
    assert sample.x[:, 3].tolist() == pytest.approx([np.nan if v is None else v for v in told], nan_ok=True)


def test_application_twice_is_refused(tmp_path):
    write_labelled(tmp_path, loans=50)
    path = tmp_path / "cohort" / "cohort.parquet"
    table = read_table(path)
    write_table(path, pa.concat_tables([table, table.slice(0, 1)]))
    with pytest.raises(ContractError, match="holds an application twice"):
        read_sample(Workspace(tmp_path), specs())


def test_shards_are_dealt_by_slots_whatever_people_are_called(tmp_path):
    """Another key of pseudonyms renames everybody; the slots of ingest stay, and with them every shard."""
    write_labelled(tmp_path)
    ws = Workspace(tmp_path)
    before = read_sample(ws, read_specs(ws))
    for stage, file in (("cohort", "cohort.parquet"), ("ingest", "shards.parquet")):
        table = read_table(ws.need(stage, file))
        renamed = pa.array([f"{2**100 + int(name, 16):032x}" for name in table["person_id"].to_pylist()])
        write_table(ws.need(stage, file), table.set_column(table.column_names.index("person_id"), "person_id", renamed))
    after = read_sample(ws, read_specs(ws))
    assert (after.key != before.key).any()
    assert (after.key % 5_040 == before.key % 5_040).all()


def test_people_without_a_slot_are_counted_and_stop_the_run(tmp_path):
    write_labelled(tmp_path)
    ws = Workspace(tmp_path)
    path = ws.need("ingest", "shards.parquet")
    write_table(path, read_table(path).slice(5))
    with pytest.raises(ContractError, match="people without a slot"):
        read_sample(ws, read_specs(ws))
