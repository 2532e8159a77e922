"""Loans whose bad ones are told by known categories of data, for tests of the audits that retrain."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from models.refusals import Refusals, keys
from pipeline.engines import write_table
from pipeline.params import Params
from pipeline.sample import Sample, codes
from pipeline.workspace import Workspace, write_json
from saakh.spec import FAMILIES, FeatureSpec

PULLS = {"credit": 0.2, "airtime": 0.8, "payments": 0.7, "device": 0.0, "apps": 0.0, "location": 0.0}
"""How far each category's first column moves the log-odds; its other two columns are noise."""
COLUMNS = [(category, k) for category in PULLS for k in range(3)]


def specs() -> list[FeatureSpec]:
    """Three columns a category."""
    return [_spec(c, k) for c, k in COLUMNS]


def _spec(category: str, k: int) -> FeatureSpec:
    fields = {
        "name": f"{category}_{k}",
        "description": "A number.",
        "family": FAMILIES[0],
        "table": f"{category}_table",
    }
    fields |= {"category": category, "unit": "number", "risk": 0, "reason": "A reason", "fingerprint": "0" * 64}
    return FeatureSpec(**fields)


def world(loans: int = 3_000, seed: int = 3, pulls: Mapping[str, float] = PULLS, noise: float = 0.1) -> Sample:
    """Loans over 300 days, some people with several, a bad rate of about a quarter.

    `location_0` is `payments_0` with `noise`: with little of it, either does without the other.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(loans, len(COLUMNS)))
    at = {name: i for i, name in enumerate(COLUMNS)}
    x[:, at["location", 0]] = x[:, at["payments", 0]] + noise * rng.normal(size=loans)
    pull = np.array([pulls[category] if k == 0 else 0.0 for category, k in COLUMNS])
    bad = rng.random(loans) < 1 / (1 + np.exp(1.4 - x @ pull))
    applied = np.datetime64("2025-06-01", "us") + np.sort(rng.random(loans) * 300 * 86_400e6).astype("timedelta64[us]")
    person = pa.array([f"{i:032x}" for i in rng.integers(0, 9 * loans // 10, loans)])
    application = pa.array([f"{i:032x}" for i in range(loans)])
    key, nobody = keys(person.to_pylist(), "person"), Refusals.none(*x.shape)
    return Sample(application, codes(pa.chunked_array([person])), applied, bad, x, 0, key, nobody)


def write_world(root: Path, sample: Sample, order: int | None = None, purpose: str = "train") -> Params:
    """Write the files that `train` reads, their rows shuffled by the seed `order`; returns the run's parameters."""
    ws, rows = Workspace(root), np.arange(len(sample.bad))
    if order is not None:
        rows = np.random.default_rng(order).permutation(rows)
    key = {"application_id": sample.application}
    person = pa.array([f"{i:032x}" for i in sample.person])
    values = {spec.name: sample.x[:, i] for i, spec in enumerate(specs())}
    applied = pa.array(sample.applied)
    cohort = {"person_id": person, "applied_at": applied, "snapshot_at": applied, "asked_at": applied}
    label = {"label": pa.array(np.where(sample.bad, "bad", "good"), pa.string())}
    for stage, file, content in (
        ("derive", "features", values),
        ("label", "labels", label),
        ("cohort", "cohort", cohort),
    ):
        write_table(ws.stage(stage) / f"{file}.parquet", pa.table(key | content).take(pa.array(rows)))
    people = sorted(set(person.to_pylist()))
    slots = pa.table({"person_id": people, "slot": [int(name, 16) % 5_040 for name in people]})
    write_table(ws.stage("ingest") / "shards.parquet", slots)
    seen = {"source": ["calls"] * len(rows), "status": ["present"] * len(rows), "days_seen": [40] * len(rows)}
    write_table(ws.stage("derive") / "coverage.parquet", pa.table(key | seen))
    write_json(ws.stage("derive") / "specs.json", [spec.as_dict() for spec in specs()])
    write_json(ws.stage("derive") / "derive.json", {"policies": ["explicit-consent"]})
    write_json(ws.stage("cohort") / "cohort.json", {"purpose": purpose})
    return params(workspace=root)


def params(**changed: object) -> Params:
    """Few repeats and short boosters."""
    asked = {"train": {"folds": 3, "rounds_max": 60, "learning_rate": 0.2, "gap_days": 0}, "minimise": {"repeats": 2}}
    asked |= {"policy": "explicit-consent"}
    asked |= {"proxies": {"repeats": 2}, "evaluate": {"resamples": 200}, "as_of": "2026-06-01T00:00:00Z", "seed": 5}
    return Params.model_validate(asked | changed)
