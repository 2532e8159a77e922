"""A small LightGBM model on made-up numbers, and the scorecard built from it: in a tenth of a second, from a seed."""

import hashlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pyarrow as pa

from models.model_text import with_rest
from pipeline.bundle import Bundle
from pipeline.engines import write_table
from pipeline.export import build
from pipeline.params import Params
from pipeline.workspace import Workspace, write_json, write_text
from saakh import archive
from saakh.linear import Linear
from saakh.scale import Calibration
from saakh.scorecard import Scorecard
from saakh.spec import FeatureSpec

ZERO = float(np.float32(1e-35))
REASONS = ("Long gaps between top-ups", "Balance ran low", "Calls at night")
PLAIN = {
    "num_leaves": 8,
    "objective": "binary",
    "min_data_in_leaf": 20,
    "learning_rate": 0.1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


def names(features: int) -> list[str]:
    return [f"input_{i}_30d" for i in range(features)]


def table(rows: int = 1_500, features: int = 8, seed: int = 5) -> np.ndarray:
    """Numbers of several kinds: smooth, with many zeros, whole, and all but the first two with a fifth missing."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(rows, features))
    x[:, 1::4] = np.where(draw.random(x[:, 1::4].shape) < 0.5, 0.0, x[:, 1::4])
    x[:, 2::4] = np.floor(3 * x[:, 2::4])
    x[:, 2:][draw.random(x[:, 2:].shape) < 0.2] = np.nan
    return x


def booster(x: np.ndarray, rounds: int = 40, **params: object) -> lgb.Booster:
    """A model of a default that depends on every input; NaN for an input counts against the applicant."""
    draw = np.random.default_rng(1)
    pull = np.where(np.isnan(x), 0.4, x) @ np.linspace(-0.6, 0.6, x.shape[1])
    is_bad = draw.random(len(x)) < 1 / (1 + np.exp(1.5 - pull))
    data = lgb.Dataset(x, is_bad.astype(float), feature_name=names(x.shape[1]), params=PLAIN | params)
    return lgb.train(PLAIN | params, data, rounds)


def specs(features: int) -> list[FeatureSpec]:
    return [
        FeatureSpec(
            name=name,
            description=f"Input {i}.",
            family="lifestyle",
            table="topups",
            category="airtime" if i % 3 else "payments",
            unit="ratio",
            risk=0,
            reason=REASONS[i % len(REASONS)],
            fingerprint=hashlib.sha256(name.encode()).hexdigest(),
            window_days=30,
            low=-8.0 if i < 4 else None,
            high=8.0 if i < 4 else None,
            actionable=i % 4 != 3,
        )
        for i, name in enumerate(names(features))
    ]


def bundle(text: str, features: int, **export: object) -> Bundle:
    """What a run would have handed over for this model."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    train = {
        "model_sha256": digest,
        "catalogue_fingerprint": "c" * 64,
        "columns": names(features),
        "spreads": {name: {"seen": [-5.0, 5.0], "usual": [-2.0, 2.0]} for name in names(features)},
        "inputs": {"features.parquet": "a" * 64},
        "split": {
            "development": {"rows": 1500, "bads": 300},
            "out_of_time_from": "2026-01-01",
            "boundary": "month",
            "gap_days": 0,
        },
        "parameters": {"leaves": 8},
        "dropped": [],
        "seed": 1,
        "as_of": "2026-06-01T00:00:00+00:00",
        "policy": "explicit-consent",
    }
    settings = {
        "version": "0.1.0",
        "base_points": 600.0,
        "base_odds": 50.0,
        "pdo": 20.0,
        "bands": [480.0, 520.0, 560.0, 600.0],
        "as_of": "2026-06-01T00:00:00+00:00",
        "policy": "explicit-consent",
        "purpose": "train",
        "consent_basis": ["explicit"],
    }
    metrics = {"model_sha256": digest, "out_of_time": {"auc": {"value": 0.7, "low": 0.6, "high": 0.8}}}
    return Bundle(text, [s.as_dict() for s in specs(features)], train, metrics, settings | export)


def write_run(root: Path, rows: int = 400) -> Params:
    """Write the files of a run that export reads; returns its parameters."""
    ws, x = Workspace(root), np.clip(table(rows), -8, 8)
    given = bundle(booster(table()).model_to_string(), 8)
    write_text(ws.stage("train") / "model.txt", given.model)
    write_json(ws.stage("train") / "train.json", given.train)
    write_json(ws.stage("derive") / "specs.json", given.specs)
    write_json(ws.stage("evaluate") / "metrics.json", given.metrics)
    write_table(ws.stage("ingest") / "consents.parquet", pa.table({"basis": ["explicit", "explicit"]}))
    columns = {name: pa.array(x[:, i], from_pandas=True) for i, name in enumerate(names(8))}
    keys = [f"{i:032x}" for i in range(rows)]
    write_table(ws.stage("derive") / "features.parquet", pa.table({"application_id": keys} | columns))
    status = {"source": ["topups"] * rows, "status": ["present"] * rows}
    write_table(ws.stage("derive") / "coverage.parquet", pa.table({"application_id": keys} | status))
    return Params(policy="explicit-consent", as_of=datetime(2026, 6, 1, tzinfo=UTC), workspace=root)


@cache
def text() -> str:
    """A model of 8 inputs as text: 40 trees of up to 8 leaves, and a linear part of three inputs."""
    arrays = {"center": (0.1, 0.0, -0.5), "scale": (1.5, 2.0, 0.25), "coefficient": (0.3, -0.2, 0.15)}
    linear = Linear.of(8, -0.4, feature=(0, 2, 5), mean=(0.05, 0.0, -0.1), **arrays)
    return with_rest(booster(table()).model_to_string(), linear, Calibration(1.1, 0.2))


@cache
def packed(**export: object) -> bytes:
    """The bytes of the scorecard of that model."""
    return build(bundle(text(), 8, **export))


@cache
def scorecard() -> Scorecard:
    return Scorecard.from_members(archive.unpack(packed()))
