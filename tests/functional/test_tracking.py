import logging
import math
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import saakh
from pipeline import evaluate, export, tracking, train
from pipeline.workspace import Workspace, digest, read_json
from saakh.errors import MissingInputError
from tests.labelled_run import write_labelled


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    root = tmp_path_factory.mktemp("tracked")
    params, ws = write_labelled(root), Workspace(root)
    said = {"train": train.run(params, ws), "evaluate": evaluate.run(params, ws)}
    export.run(params, ws)
    return ws, params, said


def the_run(ws):
    log = tracking.client(ws)
    version = log.get_model_version_by_alias("saakh", "candidate")
    return log, version, log.get_run(version.run_id)


def test_run_holds_parameters_digests_and_fingerprint(logged):
    ws, _, _ = logged
    _, _, run = the_run(ws)
    account = read_json(ws.need("train", "train.json"))
    assert run.data.params["input.features.parquet"] == digest(ws.need("derive", "features.parquet"))
    assert run.data.params["catalogue_fingerprint"] == account["catalogue_fingerprint"]
    assert run.data.params["train.rounds"] == str(account["parameters"]["rounds"])
    assert run.data.params["seed"] == "1"


def test_run_holds_every_figure_with_its_bounds(logged):
    ws, _, _ = logged
    _, _, run = the_run(ws)
    later = read_json(ws.need("evaluate", "metrics.json"))["out_of_time"]
    for name in ("auc", "gini", "ks", "brier", "log_loss", "observed_expected"):
        for bound in ("value", "low", "high"):
            assert run.data.metrics[f"out_of_time.{name}.{bound}"] == later[name][bound]


def test_the_page_of_a_run_tells_its_story_and_every_link_in_it_leads_to_an_artifact(logged, tmp_path):
    ws, _, _ = logged
    log, version, run = the_run(ws)
    told = run.data.tags["mlflow.note.content"]
    auc = read_json(ws.need("evaluate", "metrics.json"))["out_of_time"]["auc"]
    assert told.startswith("## Scorecard 0.1.0\n\nA model of loan default, learned from ")
    assert f"| AUC | {auc['value']:.3f} | {auc['low']:.3f} | {auc['high']:.3f} |" in told
    links = re.findall(r"\]\(#/experiments/(\d+)/runs/(\w+)/artifacts/([^)]+)\)", told)
    assert {link[:2] for link in links} == {(run.info.experiment_id, run.info.run_id)}
    named = {link[2] for link in links}
    assert named == {"reports/metrics.json", "figures/calibration.svg", "bundle"}  # nothing was explained or checked
    for place in named:
        assert Path(log.download_artifacts(version.run_id, place, str(tmp_path))).exists()


def test_tags_name_policy_data_catalogue_and_scorecard(logged):
    ws, _, _ = logged
    tags, account = the_run(ws)[2].data.tags, read_json(ws.need("train", "train.json"))
    assert tags["saakh.policy"] == "explicit-consent"
    assert tags["saakh.data_sha256"] == digest(ws.need("derive", "features.parquet"))
    assert tags["saakh.catalogue_fingerprint"] == account["catalogue_fingerprint"]
    assert tags["saakh.model_sha256"] == digest(ws.need("train", "model.txt"))
    assert tags["saakh.scorecard_sha256"] == digest(ws.need("export", "scorecard-0.1.0.saakh"))


def test_what_the_page_tells_is_the_same_when_it_is_told_again(logged, tmp_path):
    ws, params, _ = logged
    log, version, run = the_run(ws)
    before = Path(log.download_artifacts(version.run_id, "figures/calibration.svg", str(tmp_path))).read_bytes()
    export.run(params, ws)
    (tmp_path / "again").mkdir()
    after = Path(
        log.download_artifacts(version.run_id, "figures/calibration.svg", str(tmp_path / "again"))
    ).read_bytes()
    assert after == before
    assert the_run(ws)[2].data.tags["mlflow.note.content"] == run.data.tags["mlflow.note.content"]


def test_bundle_is_what_export_reads(logged, tmp_path):
    ws, _, _ = logged
    log, version, _ = the_run(ws)
    folder = log.download_artifacts(version.run_id, "bundle", str(tmp_path))
    assert (tmp_path / "bundle" / "model.txt").read_bytes() == ws.need("train", "model.txt").read_bytes()
    metrics = read_json(ws.need("evaluate", "metrics.json"))
    untold = {name: {"verdict": "not run"} for name in ("selfcheck", "membership")}
    assert read_json(tmp_path / "bundle" / "metrics.json") == metrics | untold
    assert folder == str(tmp_path / "bundle")


def test_registered_model_is_the_scorecard(logged):
    import mlflow.pyfunc
    import numpy as np
    import pandas as pd

    ws, _, _ = logged
    log, version, _ = the_run(ws)
    served = mlflow.pyfunc.load_model(log.get_model_version_download_uri("saakh", version.version))
    card = saakh.load(ws.need("export", "scorecard-0.1.0.saakh"))
    x = np.random.default_rng(1).normal(size=(20, len(card.features)))
    said = served.predict(pd.DataFrame(x, columns=card.features).assign(refused_communication=[True, False] * 10))
    own = card.score_many(x, [("communication",), ()] * 10)
    assert said["points"].tolist() == own.points.tolist()
    assert said["band"].tolist() == own.band.tolist()
    assert said["points"][0] == card.baseline


def test_no_persons_row_is_in_the_log(logged, tmp_path):
    ws, _, _ = logged
    log, version, _ = the_run(ws)
    log.download_artifacts(version.run_id, "model", str(tmp_path))
    example = read_json(tmp_path / "model" / "input_example.json")
    assert [math.isnan(value) for value in example["data"][0]] == [True] * 8
    assert len(example["data"]) == 1


def test_second_training_of_the_same_keeps_the_run(logged):
    ws, params, _ = logged
    _, before, run = the_run(ws)
    files = {p: digest(p) for p in sorted((ws.root / "train").iterdir())}
    train.run(params, ws)
    evaluate.run(params, ws)
    log, after, _ = the_run(ws)
    assert (after.version, after.run_id) == (before.version, before.run_id)
    assert len(log.search_runs([run.info.experiment_id])) == 1
    assert {p: digest(p) for p in files} == files


def moments_near(milliseconds: int, text: str) -> list[str]:
    """Whole numbers in text that tell the same day-and-a-half since 1970, in seconds to nanoseconds; dates of that day.

    Digits after a point are no moment: a long float may hold any seven of them.
    """
    day = datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()
    return re.findall(rf"(?<![\d.]){str(milliseconds)[:5]}\d{{5,14}}(?![\d.])|{day}", text)


def test_a_moment_is_told_from_the_digits_of_a_float():
    assert moments_near(1795742123456, "0.01795742830296 1795742123456 at 1795742124 on 2026-11-27") == [
        "1795742123456",
        "1795742124",
        "2026-11-27",
    ]


def test_no_output_names_a_run_or_its_time(logged):
    ws, _, _ = logged
    _, _, run = the_run(ws)
    for file in ("train/train.json", "train/model.txt", "evaluate/metrics.json"):
        text = (ws.root / file).read_text()
        assert run.info.run_id not in text
        assert not moments_near(run.info.start_time, text)


def test_another_seed_becomes_the_candidate_and_the_first_one_does_again(logged):
    ws, params, _ = logged
    first = the_run(ws)[1]
    train.run(params.model_copy(update={"seed": 2}), ws)
    second = the_run(ws)[1]
    assert (int(first.version), int(second.version)) == (1, 2)
    assert second.run_id != first.run_id
    train.run(params, ws)
    assert the_run(ws)[1].run_id == first.run_id


def test_rebuild_where_nothing_was_run_says_so_and_makes_nothing(tmp_path):
    with pytest.raises(MissingInputError, match="no run is logged"):
        export.rebuild(Workspace(tmp_path / "nowhere"), tmp_path / "again.saakh")
    assert list(tmp_path.iterdir()) == []


def test_log_is_quiet(tmp_path, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    train.run(write_labelled(tmp_path), Workspace(tmp_path))
    assert capfd.readouterr() == ("", "")


def test_scorecard_is_rebuilt_from_the_registered_run_alone(logged, tmp_path):
    ws, params, _ = logged
    export.run(params, ws)
    train.run(params.model_copy(update={"seed": 2}), ws)  # whatever lies in the workspace now, the run knows
    _, version, _ = the_run(ws)
    first = str(int(version.version) - 1)
    export.rebuild(ws, tmp_path / "again.saakh", first)
    written = next((ws.root / "export").glob("*.saakh"))
    assert (tmp_path / "again.saakh").read_bytes() == written.read_bytes()
    train.run(params, ws)


@pytest.mark.parametrize("version", ["99", "champion"])
def test_model_that_is_not_registered_cannot_be_rebuilt(logged, tmp_path, version):
    with pytest.raises(MissingInputError, match=f"no model 'saakh' is registered as '{version}'"):
        export.rebuild(logged[0], tmp_path / "again.saakh", version)


def test_stages_say_what_they_did(logged):
    _, _, said = logged
    assert said["train"].rows_in == 900
    assert said["evaluate"].facts["AUC out of time"].count("to") == 1
