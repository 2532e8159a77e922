from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from models.challengers import Challenger
from models.default import Rows
from models.refusals import Refusals
from pipeline import compare, tracking
from pipeline.compare import learned
from pipeline.compare.learned import OWN, Outcome, challenged
from pipeline.compare.registry import CHALLENGER, CHAMPION
from pipeline.compare.table import as_table, figures, verdict
from pipeline.erase.stores import BESIDE
from pipeline.params import Params
from pipeline.run import run_stage
from pipeline.sample import read_sample, read_specs
from pipeline.train import prepared
from pipeline.workspace import Workspace, read_json
from tests.labelled_run import write_labelled

LINE = Challenger("line", "numpy", "one column", lambda *_: lambda x: np.nan_to_num(x[:, 0] - x[:, 1]))
ABSENT = Challenger("absent", "no_such_library", "defaults", lambda *_: pytest.fail("learned without its library"))


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A run of which train is done, compared once with two cheap challengers."""
    root, patch = tmp_path_factory.mktemp("run"), pytest.MonkeyPatch()
    params = write_labelled(root)
    few = {"evaluate": {"resamples": 100}, "train": {"rounds_max": 12}}
    params = params.model_copy(update={k: getattr(params, k).model_copy(update=v) for k, v in few.items()})
    patch.setattr(learned, "challengers", lambda _privacy: (LINE, ABSENT))
    run_stage("train", params, Workspace(root))
    summary = run_stage("compare", params, Workspace(root))
    yield params, Workspace(root), summary
    patch.undo()


def ready(params: Params, ws: Workspace):
    specs = read_specs(ws)
    return prepared(params, specs, read_sample(ws, specs))


def test_every_model_is_judged_on_the_same_loans_by_folds_it_did_not_see(compared):
    params, ws, _ = compared
    seen = []

    def remember(x, bad, _inputs, _seed):
        seen.append((len(bad), {tuple(row) for row in np.nan_to_num(x).tolist()}))
        return lambda held: np.array([tuple(row) in seen[-1][1] for row in np.nan_to_num(held).tolist()], float)

    rows = ready(params, ws)
    found = challenged(replace(LINE, fit=remember), rows.rows, rows.inputs, 1)
    assert len(seen) == params.train.folds
    assert not found.log_odds.any()


def test_own_choices_are_made_without_the_fold_that_is_judged(compared):
    params, ws, _ = compared
    rows = ready(params, ws)
    own = learned.own(params, rows).log_odds
    turned = rows.rows.fold == 2
    other = replace(rows, rows=replace(rows.rows, bad=np.where(turned, ~rows.rows.bad, rows.rows.bad)))
    assert np.array_equal(learned.own(params, other).log_odds[turned], own[turned])


def test_account_tells_each_figure_with_its_interval_and_what_is_not_installed(compared):
    _, ws, _ = compared
    account = read_json(ws.need("compare", "compare.json"))
    own, line, absent = account["models"]
    assert [m["name"] for m in account["models"]] == [OWN, "line", "absent"]
    for name in ("auc", "gini", "ks", "log_loss", "brier"):
        assert own[name]["low"] < own[name]["value"] < own[name]["high"]
    assert line["ahead"]["value"] == pytest.approx(line["auc"]["value"] - own["auc"]["value"], abs=2e-6)
    assert absent == {"name": "absent", "settings": "defaults", "installed": False}
    assert account["challenger"] == "line"


def test_better_beyond_chance_is_said_and_a_hair_better_is_not():
    draw = np.random.default_rng(1)
    rows = loans(draw)
    noise = draw.normal(size=2_000)
    params = Params(policy="explicit-consent", as_of="2026-06-01T00:00:00Z", evaluate={"resamples": 100})

    def said(other):
        models = [Outcome(OWN, "", rows, rows.x[:, 0] + noise, 1.0), Outcome("other", "", rows, other, 1.0)]
        return verdict(figures(params, models))["better"]

    assert said(rows.x[:, 0]) == ["other"]
    assert said(rows.x[:, 0] + draw.normal(size=2_000)) == []


def loans(draw):
    x = draw.normal(size=(2_000, 1))
    bad = draw.random(2_000) < 1 / (1 + np.exp(-2 * x[:, 0]))
    who = np.arange(2_000)
    return Rows(x, bad, who, who % 5, who * 0, who.astype(np.uint64), Refusals.none(*x.shape))


def test_registry_names_champion_and_challenger_and_a_second_run_logs_nothing_twice(compared):
    params, ws, _ = compared
    log = tracking.client(ws)
    champion, challenger = (log.get_model_version_by_alias(tracking.NAME, a) for a in (CHAMPION, CHALLENGER))
    candidate = log.get_model_version_by_alias(tracking.NAME, tracking.ALIAS)
    assert champion.version == candidate.version != challenger.version
    run = log.get_run(challenger.run_id)
    assert run.info.run_name == "line"
    assert log.get_run(run.data.tags["mlflow.parentRunId"]).info.run_name == "compare"
    before = len(log.search_runs([run.info.experiment_id]))
    compare.run(params, ws)
    assert len(log.search_runs([run.info.experiment_id])) == before
    assert log.get_model_version_by_alias(tracking.NAME, CHALLENGER).version == challenger.version


def test_table_fits_eighty_columns_and_says_what_is_not_installed(compared):
    _, ws, _ = compared
    found, seconds = (read_json(ws.need("compare", f"{name}.json")) for name in ("compare", "seconds"))
    lines = Console(width=80).render_lines(as_table(found, seconds))
    text = "\n".join("".join(part.text for part in line) for line in lines)
    assert "not installed" in text
    told = [found["models"][0][name] for name in ("auc", "gini", "ks", "log_loss", "brier")]
    assert all(f"{of[end]:.3f}".lstrip("0") in text for of in told for end in ("value", "low", "high"))


def test_what_compare_writes_of_people_goes_with_an_erasure():
    assert {"compare", "tune"} <= set(BESIDE)
