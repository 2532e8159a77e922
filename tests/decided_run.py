"""A small finished run with what decisions need beside it: amounts, terms, channels, and an exported scorecard."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from features import tables
from pipeline import export
from pipeline.bundle import Bundle
from pipeline.engines import read_table, write_table
from pipeline.params import Params
from pipeline.workspace import Workspace
from tests.synthetic_run import AS_OF, write_run

SAMPLE_TERMS = Path(__file__).parents[1] / "data/lending/sample.yaml"
INCOME = "household_income"


def write_decided(root: Path, applications: int = 400) -> Params:
    """Write the run and its scorecard; returns parameters under which it can be decided."""
    params = write_run(root, applications)
    ws, draw = Workspace(params.workspace), np.random.default_rng(5)
    keys = read_table(ws.root / "ingest/applications.parquet")["application_id"]
    start = np.datetime64(AS_OF.replace(tzinfo=None), "us")
    applied = start - draw.integers(1, 200 * 86_400, applications).astype("timedelta64[s]")
    rows = {
        "application_id": keys,
        "person_id": pa.array([f"{i:032x}" for i in range(applications)]),
        "applied_at": pa.array(applied),
        "amount_minor": pa.array(draw.integers(4, 80, applications) * 50_000),
        "tenor_days": pa.array(draw.choice([28, 56, 84, 168], applications)),
    }
    without = pa.array(np.arange(applications) == 7)
    amount = pa.array(
        [None if w else a for w, a in zip(without.to_pylist(), rows["amount_minor"].to_pylist(), strict=True)]
    )
    write_table(ws.stage("cohort") / "cohort.parquet", pa.table(rows | {"amount_minor": amount}))
    known = rows | {"channel": pa.array(draw.choice(["app", "web", "agent"], applications))}
    known |= {"is_accepted": pa.array([True] * applications), "disbursed_at": rows["applied_at"]}
    known |= {"propensity": pa.nulls(applications, pa.float64())}
    known |= {"outcome": pa.nulls(applications, pa.string()), "rate_bp_month": pa.nulls(applications, pa.int64())}
    write_table(ws.root / "ingest/applications.parquet", pa.table({n: known[n] for n in tables.applications.by_name}))
    derived = read_table(ws.root / "derive/features.parquet")
    income = pa.array(draw.integers(8_000, 60_000, applications) * 100, pa.int64())
    write_table(ws.root / "derive/features.parquet", derived.append_column(INCOME, income))
    export.write(params, ws, Bundle.from_workspace(ws, params))
    asked = {"decide": {"terms": str(SAMPLE_TERMS), "income": {INCOME: 30}}}
    return Params.model_validate(params.model_dump() | asked)
