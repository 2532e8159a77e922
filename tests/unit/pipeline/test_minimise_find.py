"""`saakh minimise` end to end: it finds what is not needed, says what each category earns, and gives the same bytes."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from features.catalogue import all_features
from pipeline import minimise
from pipeline.judge import expected_auc
from pipeline.minimise.choice import representatives, search
from pipeline.minimise.find import minimise as found_in
from pipeline.minimise.quick import slopes
from pipeline.minimise.ranks import levels
from pipeline.minimise.study import Study, person_folds, study
from pipeline.params import Params
from pipeline.summary import quiet
from pipeline.train import learn
from pipeline.workspace import Workspace, read_json
from pipeline.world.clock import Span
from pipeline.world.direct import Measured, measured, sample
from pipeline.world.knobs import BASE
from saakh.errors import ConsentError, ContractError
from tests.minimal_world import PULLS, params, specs, world, write_world

FULL = bool(os.environ.get("SAAKH_FULL"))
FEW = ("credit", "profile", "airtime", "device", "payments")
"""Categories of the reduced size: 16 requests instead of 512."""


@pytest.fixture(scope="module")
def found() -> dict:
    return found_in(steady(), specs(), world())


def steady() -> Params:
    """Longer boosters, which tell a category that earns nothing from one that earns little."""
    return params(train={"folds": 3, "rounds_max": 120, "learning_rate": 0.1, "gap_days": 0})


def earned(found: dict) -> dict[str, float]:
    return {row["category"]: row["loss"]["value"] for row in found["categories"]}


def test_what_is_not_needed_is_not_asked_for(found: dict) -> None:
    # of payments and location, which say the same, the one that is less sensitive
    assert found["recommended"]["categories"] == ["airtime", "credit", "payments"]
    assert found["recommended"]["burden"] == 4
    assert found["everything"]["burden"] == 11
    assert (found["recommended"]["columns"], found["recommended"]["tables"]) == (9, 3)
    assert len(found["cloud"]) == 32


def test_categories_that_earn_nothing_are_named_and_two_alike_seem_idle_alone(found: dict) -> None:
    idle = {row["category"] for row in found["categories"] if not row["earns_its_place"]}
    assert {"device", "apps", "payments", "location"} >= idle >= {"device", "apps"}
    assert earned(found)["airtime"] > 0.03
    assert all(row["loss"]["low"] <= row["loss"]["value"] <= row["loss"]["high"] for row in found["categories"])
    assert next(row for row in found["categories"] if row["category"] == "credit")["is_required"]


def test_the_recommendation_is_confirmed_out_of_fold_and_out_of_time(found: dict) -> None:
    for side in ("out_of_fold", "out_of_time"):
        says = found["confirmed"][side]
        assert says["auc_of_everything"]["value"] - says["auc"]["value"] == pytest.approx(says["loss"]["value"])
        assert says["loss"]["low"] < 0.01
    assert found["tried"][-1]["loss"]["value"] <= found["asked"]["loss_auc_max"]
    assert found["confirmed"]["out_of_fold"]["loans"] == found["loans"]


def test_later_loans_do_not_show_in_what_is_chosen(found: dict) -> None:
    drawn = world()
    later = learn(steady(), specs(), drawn).split.out_of_time
    other = found_in(steady(), specs(), replace(drawn, bad=np.where(later, ~drawn.bad, drawn.bad)))
    assert {k: v for k, v in other.items() if k != "confirmed"} == {k: v for k, v in found.items() if k != "confirmed"}
    assert other["confirmed"]["out_of_time"] != found["confirmed"]["out_of_time"]


def test_where_everything_counts_everything_is_asked_for() -> None:
    said = found_in(params(), specs(), world(pulls=dict.fromkeys(PULLS, 0.6), noise=3.0))
    assert said["tried"][-1]["loss"] == {"value": 0.0, "low": None, "high": None}
    assert said["confirmed"]["out_of_time"]["loss"]["value"] == 0
    assert said["recommended"] == said["everything"]


def test_where_nothing_can_be_told_nothing_more_than_required_is_asked_for() -> None:
    drawn = world()
    blind = replace(drawn, bad=np.random.default_rng(1).random(len(drawn.bad)) < 0.2)
    said = found_in(params(minimise={"repeats": 2, "standard_errors": 0.0}), specs(), blind)
    assert said["by_figure_alone"] == ["credit"]


def test_the_columns_are_those_that_train_would_try() -> None:
    drawn = world()
    drawn.x[:, 4] = 1.0
    names = [spec.name for spec in study(params(), specs(), drawn).specs]
    assert names == [spec.name for i, spec in enumerate(specs()) if i != 4]


def test_folds_hold_whole_people_of_about_equal_number() -> None:
    who = np.random.default_rng(2).permutation(np.repeat(np.arange(100), 3))
    fold = person_folds(who, 5, seed=1)
    assert all(len(np.unique(fold[who == person])) == 1 for person in range(100))
    assert np.bincount(fold).tolist() == [60] * 5
    assert not np.array_equal(fold, person_folds(who, 5, seed=2))
    with pytest.raises(ContractError, match="3 people cannot make 5 folds"):
        person_folds(np.arange(3), 5, seed=1)


def test_the_same_loans_give_the_same_bytes_whatever_their_order_and_the_threads(tmp_path: Path) -> None:
    drawn, told = world(900), []
    for name, order, threads in (("a", None, 1), ("b", 4, 2)):
        asked = write_world(tmp_path / name, drawn, order).model_copy(update={"threads": threads})
        summary = minimise.run(asked, Workspace(tmp_path / name))
        content = read_json(tmp_path / name / "minimise/minimise.json")
        told.append({key: value for key, value in content.items() if key != "inputs"})
    assert told[0] == told[1]
    assert summary.facts["ask for"] == ", ".join(told[0]["recommended"]["categories"])
    assert summary.counts["requests compared"] == 32


def test_people_who_did_not_agree_to_training_are_not_trained_on(tmp_path: Path) -> None:
    asked = write_world(tmp_path, world(300), purpose="score")
    with pytest.raises(ConsentError, match="agreed to 'score', which is not training"):
        minimise.run(asked, Workspace(tmp_path))
    assert not (tmp_path / "minimise").exists()


def a_direct_world() -> tuple[Study, np.ndarray, np.ndarray]:
    """Development loans of a world without events; and columns and true probabilities of loans of other people."""
    kind = {column: (f, cut) for f in all_features() for column, cut in f.columns.items()}
    how = measured()
    at = [i for i, name in enumerate(how.names) if name in kind and not kind[name][1].parts and how.missing[i] < 0.9]
    at = [i for i in at if FULL or kind[how.names[i]][0].table.category in FEW]
    known = {spec.name: spec for f in all_features() for spec in f.specs()}
    some = Measured(**{name: [getattr(how, name)[i] for i in at] for name in Measured.__dataclass_fields__})
    span = Span.of(datetime(2026, 6, 1, tzinfo=UTC), 480, 150)
    taught, judged = sample(1, 5_000, 8, BASE, span, some), sample(100_000, 112_000, 8, BASE, span, some)
    who = np.unique(taught.person, return_inverse=True)[1]
    asked = Params.model_validate({"policy": "explicit-consent", "as_of": "2026-06-01T00:00:00Z", "seed": 8})
    columns = np.arange(len(at))
    data = Study(asked, tuple(known[name] for name in some.names), columns, taught.x, taught.is_bad, who)
    return data, judged.x, judged.pd


def test_quick_losses_are_near_the_true_ones_where_the_truth_is_known(claim) -> None:
    data, x, pd = a_direct_world()
    told = search(data, 3, lambda done: quiet("", done, 3))
    columns = representatives(data)
    category = np.array(data.categories)[columns]
    reads = np.array([np.isin(category, request) for request in told.requests])
    taught = slopes(data.ranks[:, columns], data.bad, reads, told.penalty)
    ranks = levels(np.concatenate([data.x, x]))[len(data.x) :, columns]
    truth = np.array([expected_auc(score, pd) for score in (ranks @ taught).T])
    lost = truth[-1] - truth
    gap = np.sqrt(np.mean((told.loss - lost) ** 2))
    claim("loss of a consent request, estimated and true, root mean square over all requests", "< 0.012", f"{gap:.4f}")
    assert np.corrcoef(told.loss, lost)[0, 1] > 0.9
    assert gap < 0.012
    assert gap < 2 * told.error.mean()
