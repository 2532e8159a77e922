"""What cohort, label and derive would have left for train: loans with features whose pull on risk is known."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.engines import write_table
from pipeline.params import Params
from pipeline.workspace import Workspace, write_json
from saakh.spec import FAMILIES, FeatureSpec

PULL = (0.9, -0.7, 0.5, -0.4, 0.0, 0.0, 0.0, 0.0)


def specs(**changed: dict) -> list[FeatureSpec]:
    """One spec a feature, `f0` to `f7`; `changed` replaces fields by feature name."""
    made = []
    for i, pull in enumerate(PULL):
        fields = {"name": f"f{i}", "description": "A number.", "family": FAMILIES[i % 5], "table": "calls"}
        fields |= {"category": "communication", "unit": "count", "risk": int(np.sign(pull)), "reason": "A reason"}
        fields |= {"fingerprint": f"{i:064x}", "low": None, "high": None, "sensitivity": "ordinary"}
        made.append(FeatureSpec(**(fields | changed.get(f"f{i}", {}))))
    return made


def write_labelled(root: Path, loans: int = 900, seed: int = 3, order: int | None = None, base: float = -1.2) -> Params:
    """Write the files train reads, their rows shuffled by the seed `order`; returns the run's parameters."""
    ws, rng = Workspace(root), np.random.default_rng(seed)
    x = rng.normal(size=(loans, len(PULL)))
    bad = rng.random(loans) < 1 / (1 + np.exp(-base - x @ np.array(PULL)))
    label = np.where(rng.random(loans) < 0.03, "indeterminate", np.where(bad, "bad", "good"))
    missing = rng.random(x.shape) < 0.1
    applied = np.datetime64("2026-01-01", "us") + (rng.random(loans) * 120 * 86_400e6).astype("timedelta64[us]")
    key = pa.array([f"{i:032x}" for i in rng.permutation(loans)])
    person = pa.array([f"{i:032x}" for i in rng.integers(0, 4 * loans // 5, loans)])
    values = {f"f{i}": pa.array(x[:, i], mask=missing[:, i]) for i in range(len(PULL))}
    tables = {
        ("derive", "features.parquet"): pa.table({"application_id": key, **values}),
        ("label", "labels.parquet"): pa.table({"application_id": key, "label": pa.array(label, pa.string())}),
        ("cohort", "cohort.parquet"): pa.table(
            {
                "application_id": key,
                "person_id": person,
                "applied_at": pa.array(applied),
                "snapshot_at": pa.array(applied),
                "tenor_days": [90] * loans,
                "rate_bp_month": [200] * loans,
            }
        ),
    }
    for (stage, file), table in tables.items():
        rows = np.arange(loans) if order is None else np.random.default_rng(order).permutation(loans)
        write_table(ws.stage(stage) / file, table.sort_by("application_id").take(pa.array(rows)))
    status = {"source": ["calls"] * loans, "status": ["present"] * loans, "days_seen": [40] * loans}
    write_table(ws.stage("derive") / "coverage.parquet", pa.table({"application_id": key, **status}))
    write_json(ws.stage("derive") / "specs.json", [s.as_dict() for s in specs()])
    write_json(ws.stage("derive") / "derive.json", {"policies": ["explicit-consent"]})
    write_json(ws.stage("cohort") / "cohort.json", {"purpose": "train"})
    people = sorted(set(person.to_pylist()))
    slots = pa.table({"person_id": people, "slot": [int(name, 16) % 5_040 for name in people]})
    write_table(ws.stage("ingest") / "shards.parquet", slots)
    write_table(ws.stage("ingest") / "consents.parquet", pa.table({"basis": ["explicit"]}))
    return Params(policy="explicit-consent", as_of="2026-06-01T00:00:00Z", workspace=root)
