"""Contributions: exact, adding up, and independent of everything but the model and the inputs."""

import lightgbm as lgb
import numpy as np
import pytest

from models.default import DefaultModel
from models.refusals import Refusals
from pipeline.explain.contributions import Contributions, contributions, importance, refuse_gap, sample
from saakh.errors import ArtifactError
from saakh.spec import FeatureSpec


@pytest.fixture(scope="module")
def inputs() -> np.ndarray:
    draw = np.random.default_rng(5)
    rows = draw.normal(size=(400, 3))
    rows[draw.random(rows.shape) < 0.2] = np.nan
    return rows


def _trained(inputs: np.ndarray, is_bad: np.ndarray) -> lgb.Booster:
    settings = {"objective": "binary", "num_leaves": 4, "min_data_in_leaf": 20, "num_threads": 1, "verbosity": -1}
    return lgb.train(settings, lgb.Dataset(inputs, is_bad.astype(float)), 30)


def _spec(name: str, family: str) -> FeatureSpec:
    said = {"description": name, "table": "calls", "category": "communication", "unit": "count", "reason": name}
    return FeatureSpec.from_dict({"name": name, "family": family, "risk": 0, "fingerprint": "0" * 64, **said})


def test_contributions_equal_lightgbm_and_add_up_to_its_log_odds(inputs: np.ndarray):
    booster = _trained(inputs, np.nan_to_num(inputs[:, 0]) + 0.3 * np.nan_to_num(inputs[:, 1]) > 0.5)
    found = contributions(DefaultModel.of_text(booster.model_to_string()), inputs, Refusals.none(*inputs.shape))
    theirs = booster.predict(inputs, pred_contrib=True)
    assert np.abs(found.values - theirs[:, :-1]).max() < 1e-12
    assert found.base == pytest.approx(theirs[0, -1], abs=1e-12)
    assert np.abs(found.base + found.values.sum(axis=1) - booster.predict(inputs, raw_score=True)).max() <= 1e-9


def test_a_model_that_learned_nothing_contributes_nothing(inputs: np.ndarray):
    constant = _trained(np.zeros((400, 3)), np.arange(400) % 4 == 0).model_to_string()
    found = contributions(DefaultModel.of_text(constant), inputs, Refusals.none(*inputs.shape))
    assert not found.values.any()
    assert found.log_odds == pytest.approx(np.log(1 / 3))


def test_contributions_that_do_not_add_up_are_refused_without_a_value():
    wrong = Contributions(np.array([[0.25, 0.5]]), base=-2.0, log_odds=np.array([-1.2499]))
    with pytest.raises(ArtifactError, match=r"up to 1\.0e-04.*rerun `saakh train`") as caught:
        refuse_gap(wrong)
    assert "1.2499" not in str(caught.value)


def test_a_gap_that_is_no_number_is_refused():
    with pytest.raises(ArtifactError):
        refuse_gap(Contributions(np.array([[np.nan]]), base=0.0, log_odds=np.array([0.0])))


def test_a_higher_risk_costs_points():
    found = Contributions(np.array([[0.5, -0.25]]), base=0.0, log_odds=np.array([0.25]))
    assert found.points(20.0).tolist() == [[-10.0, 5.0]]


def test_a_family_counts_its_inputs_together_so_that_opposite_pulls_cancel():
    found = Contributions(np.array([[1.0, -1.0, 0.5], [1.0, 1.0, 0.5]]), base=0.0, log_odds=np.array([0.5, 2.5]))
    told = importance(found, [_spec("a", "social"), _spec("b", "social"), _spec("c", "brand")], factor=10.0)
    assert [(f["name"], f["mean_abs_log_odds"]) for f in told["features"]] == [("a", 1.0), ("b", 1.0), ("c", 0.5)]
    social, brand = told["families"][:2]
    assert (social["name"], social["mean_abs_points"], social["share"], social["features"]) == ("social", 10.0, 0.8, 2)
    assert (brand["name"], brand["mean_abs_points"], brand["share"]) == ("brand", 5.0, 0.2)
    assert sum(family["features"] for family in told["families"]) == 3


def test_a_sample_does_not_depend_on_the_order_of_rows_nor_on_others_being_erased():
    keys = [f"{i:032x}" for i in range(200)]
    drawn = [keys[i] for i in sample(keys, 50, seed=3)]
    backwards = keys[::-1]
    assert [backwards[i] for i in sample(backwards, 50, seed=3)] == drawn
    without = [key for key in keys if key != drawn[10]]
    left = [without[i] for i in sample(without, 50, seed=3)]
    assert left[:49] == drawn[:10] + drawn[11:]
    assert drawn != [keys[i] for i in sample(keys, 50, seed=4)]
