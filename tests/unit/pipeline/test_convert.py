"""Convert: every format scores the golden vectors as the runtime does, to the last bit of the points."""

import json
from dataclasses import replace
from functools import cache

import lightgbm as lgb
import numpy as np
import pytest
from onnxruntime import InferenceSession
from typer.testing import CliRunner

from models.plain import linear_effects
from pipeline import convert
from pipeline.cli import app
from pipeline.convert import onnx, sql
from pipeline.convert.parts import Parts
from pipeline.convert.vectors import Vectors
from pipeline.export import build
from saakh import archive
from saakh.errors import ArtifactError, ConfigError
from saakh.scorecard import Scorecard
from tests.small_scorecard import booster, bundle, packed, scorecard, table, text

SPREAD = {"seen": [-2.0, 2.0], "usual": [-1.0, 1.0]}
STRICT = {"missing": "worst", "unseen": "worst", "out_of_range": "refer"}


@cache
def strict() -> Scorecard:
    """A scorecard whose policy scores, refers and rejects for what is found in its inputs."""
    of = {"input_0_30d": {"missing": "reject"}, "input_2_30d": {"unseen": "neutral", "out_of_range": "worst"}}
    given = bundle(text(), 8, inputs=STRICT | {"of": of})
    spreads = dict.fromkeys(given.train["columns"], SPREAD)
    return Scorecard.from_members(archive.unpack(build(replace(given, train=given.train | {"spreads": spreads}))))


@cache
def zeros() -> Scorecard:
    """A scorecard to whose trees a zero is missing."""
    grown = booster(table(), 20, zero_as_missing=True).model_to_string()
    return Scorecard.from_members(archive.unpack(build(bundle(grown, 8))))


@pytest.fixture
def path(tmp_path):
    (tmp_path / "scorecard-0.1.0.saakh").write_bytes(packed())
    return tmp_path / "scorecard-0.1.0.saakh"


def by_onnx(card: Scorecard, vectors: Vectors, **how: bool) -> dict[str, np.ndarray]:
    session = InferenceSession(onnx.model(Parts.of(card), **how).SerializeToString())
    names = [out.name for out in session.get_outputs()]
    return dict(zip(names, session.run(names, {"inputs": vectors.inputs, "refused": vectors.refused}), strict=True))


@pytest.mark.parametrize("card", [scorecard, strict, zeros])
def test_onnx_and_sql_say_all_that_the_runtime_says(card):
    vectors = Vectors.of(card())
    own = card().score_many(vectors.inputs, [v.refused for v in card().vectors()])
    graph, rows = by_onnx(card(), vectors), sql.scored(Parts.of(card()), vectors.inputs, vectors.refused)
    assert len(vectors.points) >= 1_000
    for said in (graph, rows):
        vectors.check("it", said["points"], said["pd"])
        assert (said["log_odds"] == own.log_odds).all()
        for name, counted in {"missing": own.missing, "unseen": own.unseen, "out_of_range": own.problems}.items():
            assert (said[name] == counted).all()
    assert (rows["band"] == own.band).all()
    assert (rows["handling"] == own.handling).all()
    assert (np.array(["score", "refer", "reject"])[graph["handling"]] == own.handling).all()


def test_the_strict_policy_has_every_handling_among_its_vectors():
    vectors = Vectors.of(strict())
    handling = strict().score_many(vectors.inputs, [v.refused for v in strict().vectors()]).handling
    assert set(handling) == {"score", "refer", "reject"}


def test_onnx_of_floats_scores_floats_as_the_runtime_does():
    vectors = Vectors.of(scorecard(), np.float32)
    said = by_onnx(scorecard(), vectors, takes_floats=True)
    vectors.check("it", said["points"], said["pd"])


def test_lightgbm_reads_the_trees_of_the_text(path):
    convert.run(path, "lightgbm")
    read = lgb.Booster(model_file=path.with_suffix(".lightgbm.txt"))
    x = np.clip(table(200, seed=3), -8, 8)
    card = scorecard()
    straight = linear_effects(card.model.linear, x, np.zeros(x.shape, bool)).sum(axis=1) + card.model.linear.intercept
    own = card.model.log_odds(x)
    assert read.predict(x, raw_score=True) + straight == pytest.approx(own, abs=1e-12)


def test_mlflow_loads_and_scores_it_with_the_runtime_alone(path):
    convert.run(path, "mlflow")
    folder = path.with_suffix(".mlflow")
    assert (folder / "data" / "scorecard.saakh").read_bytes() == path.read_bytes()
    assert {line.split("==")[0] for line in (folder / "requirements.txt").read_text().split()} == {"mlflow", "saakh"}
    assert "loader_module: saakh.served" in (folder / "MLmodel").read_text()


def test_the_same_scorecard_gives_the_same_bytes(path):
    convert.run(path, "onnx")
    first = path.with_suffix(".onnx").read_bytes()
    convert.run(path, "onnx")
    assert path.with_suffix(".onnx").read_bytes() == first


def test_a_format_that_scores_otherwise_is_not_written(path, monkeypatch):
    honest = Parts.of
    monkeypatch.setattr(Parts, "of", lambda card: replace(honest(card), slope=1.1 + 2**-50))
    for to in ("onnx", "sql"):
        with pytest.raises(ArtifactError, match="golden vectors otherwise than the runtime"):
            convert.run(path, to)
    assert list(path.parent.iterdir()) == [path]


def test_names_are_quoted_as_the_dialect_does():
    query = sql.select(Parts.of(scorecard()), "spark", "lake.scoring`s", "id")
    assert "FROM `lake`.`scoring``s`" in query
    assert "COALESCE(`refused_airtime`, FALSE)" in query
    assert '"id"' in sql.select(Parts.of(scorecard()), "duckdb", "t", "id")


def test_every_number_in_the_query_is_a_double():
    assert sql.number(0.1) == "0.1e0"
    assert sql.number(1e-35) == "1e-35"
    assert sql.number(-np.inf) == "CAST('-Infinity' AS DOUBLE)"


def test_an_unknown_format_or_dialect_is_named_with_those_there_are(path):
    with pytest.raises(ConfigError, match="onnx, sql, lightgbm, mlflow; 'pmml' is none"):
        convert.run(path, "pmml")
    with pytest.raises(ConfigError, match="duckdb, spark; 'oracle' is none"):
        convert.run(path, "sql", asked=convert.Asked(dialect="oracle"))


def test_the_command_says_where_it_wrote(path):
    told = CliRunner().invoke(app, ["convert", str(path), "--to", "sql", "--out", str(path.with_name("q.sql"))])
    assert told.exit_code == 0
    assert "q.sql" in told.output
    assert path.with_name("q.sql").read_text().startswith("-- scorecard 0.1.0")


def test_the_graph_tells_what_it_is_of():
    props = {p.key: json.loads(p.value) for p in onnx.model(Parts.of(scorecard())).metadata_props}
    assert props["features"] == list(scorecard().features)
    assert props["categories"] == ["airtime", "payments"]
    assert props["version"] == "0.1.0"
