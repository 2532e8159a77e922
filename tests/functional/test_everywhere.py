"""The same points everywhere: the runtime, ONNX in Python and in Node, DuckDB and Spark; and the model adds up exactly.

At full size on 100,000 applicants; else on 1,000.
"""

import os
from contextlib import closing
from functools import cache

import lightgbm as lgb
import numpy as np
import pytest
from onnxruntime import InferenceSession

from models.default import DefaultModel
from models.model_text import rest_of, with_rest
from pipeline.convert import onnx, sql
from pipeline.convert.parts import Parts
from pipeline.convert.vectors import Vectors
from pipeline.explain.contributions import by_shap
from pipeline.export import build
from saakh import archive
from saakh.linear import transformed
from saakh.scorecard import Scorecard, Scores
from tests import nodes
from tests.small_scorecard import booster, bundle, packed, scorecard, table, text
from tests.sparks import spark

ROWS = 100_000 if os.environ.get("SAAKH_FULL") else 1_000
SETS = ((), ("airtime",), (), ("payments",), (), ("airtime", "payments"))


@cache
def applicants() -> tuple[np.ndarray, list[tuple[str, ...]], np.ndarray]:
    """Inputs, some beyond their range, with the categories each refused: as names and as flags."""
    refused = [SETS[i % len(SETS)] for i in range(ROWS)]
    flags = np.array([[category in some for category in scorecard().categories] for some in refused])
    return 2 * table(ROWS, seed=11), refused, flags


@cache
def own() -> Scores:
    inputs, refused, _ = applicants()
    return scorecard().score_many(inputs, refused)


@cache
def graph() -> bytes:
    return onnx.model(Parts.of(scorecard())).SerializeToString()


def small() -> Scorecard:
    """A scorecard of five trees: Spark takes its time to plan a long query, and none to run it."""
    grown, rest = booster(table(), 5).model_to_string(), rest_of(text(), 8)
    return Scorecard.from_members(archive.unpack(build(bundle(with_rest(grown, *rest), 8))))


def test_onnx_and_duckdb_give_every_applicant_the_runtimes_points():
    inputs, _, flags = applicants()
    (points,) = InferenceSession(graph()).run(["points"], {"inputs": inputs, "refused": flags})
    rows = sql.scored(Parts.of(scorecard()), inputs, flags)
    assert (points == own().points).all()
    assert (rows["points"] == own().points).all()
    assert (rows["band"] == own().band).all()


def test_onnx_in_node_gives_the_runtimes_points(tmp_path):
    nodes.need_node()
    (tmp_path / "model.onnx").write_bytes(graph())
    vectors, (inputs, _, flags) = Vectors.of(scorecard()), applicants()
    vectors.check("Node", *nodes.scored(tmp_path, tmp_path / "model.onnx", vectors.inputs, vectors.refused))
    assert (nodes.scored(tmp_path, tmp_path / "model.onnx", inputs, flags)[0] == own().points).all()


def test_spark_gives_the_runtimes_points():
    card = scorecard() if os.environ.get("SAAKH_FULL") else small()
    parts, vectors = Parts.of(card), Vectors.of(card)
    with closing(spark()) as engine:
        engine.table(sql.as_table(parts, vectors.inputs, vectors.refused), "features")
        said = engine.ask(sql.select(parts, "spark", "features", "application_id")).sort_by("application_id")
    vectors.check("Spark", said["points"].to_numpy(), said["pd"].to_numpy())


def test_contributions_add_up_to_the_score():
    inputs, refused, _ = applicants()
    points = scorecard().explain_many(inputs, refused)
    assert np.abs(scorecard().baseline + points.sum(axis=1) - own().points).max() <= 1e-9


def test_the_tree_part_is_what_lightgbm_and_shap_find_and_the_linear_part_its_terms():
    card, x = scorecard(), np.clip(applicants()[0], -8, 8)
    model = archive.unpack(packed())["model.txt"].decode()
    linear = card.model.linear
    bent = transformed(x[:, linear.feature], linear.center, linear.scale)
    terms = np.zeros(x.shape)
    terms[:, linear.feature] = np.nan_to_num(linear.coefficient * (bent - linear.mean))
    grown = card.model.effects_of(x) - terms
    assert np.abs(grown - lgb.Booster(model_str=model).predict(x, pred_contrib=True)[:, :-1]).max() <= 1e-9
    said, unit = by_shap(DefaultModel.of_text(model), x), -card.manifest.scale.factor
    assert np.abs(card.explain_many(x) / unit - said).max() <= 1e-9


@pytest.mark.parametrize("points, odds", [(600, 50), (620, 100), (580, 25)])
def test_points_are_the_odds_they_promise_to_a_thousandth(points, odds):
    near = np.abs(own().points - points) < 3
    assert near.any()
    good_to_bad = (1 - own().pd[near]) / own().pd[near]
    promised = odds * 2 ** ((own().points[near] - points) / 20)
    assert np.abs(good_to_bad / promised - 1).max() <= 1e-3
