"""A scorecard with the run it came from, and batches to hold against it: made up in tenths of a second, from a seed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.engines import write_table
from pipeline.params import Params
from pipeline.workspace import Workspace, write_json
from tests import small_scorecard

BEGINS = datetime(2026, 6, 1, tzinfo=UTC)
"""When the reference ends; batches start here."""
SOURCES = ("calls", "people", "topups")
DAY_US = 86_400_000_000
DUE_DAYS = 28


def params_of(root: Path, **asked: object) -> Params:
    """Parameters under which a batch is monitored."""
    told = {"policy": "explicit-consent", "as_of": BEGINS, "workspace": root, "evaluate": {"resamples": 100}}
    return Params.model_validate(told | {"monitor": {"groups": "gender"} | asked})


def write_reference(root: Path, rows: int = 2_000, seed: int = 1) -> Params:
    """Write the run of the small scorecard, and half a year of applications that it was judged on."""
    small_scorecard.write_run(root, rows=20)
    ws = Workspace(root)
    keys = write_side(ws, rows, seed, BEGINS - timedelta(days=180), 180, BEGINS)
    split = ["development"] * 5 + ["out_of_time"] * (rows - 5)
    write_table(ws.stage("train") / "scores.parquet", pa.table({"application_id": keys, "split": split}))
    account = small_scorecard.bundle("", 8).train
    account["split"]["out_of_time_from"] = (BEGINS - timedelta(days=180)).isoformat()
    text = (root / "train" / "model.txt").read_bytes()
    account["model_sha256"] = small_scorecard.hashlib.sha256(text).hexdigest()
    write_json(ws.stage("train") / "train.json", account)
    (ws.stage("export") / "scorecard-0.1.0.saakh").write_bytes(small_scorecard.packed())
    return params_of(root)


def write_side(
    ws: Workspace,
    rows: int,
    seed: int,
    since: datetime,
    days: int,
    as_of: datetime,
    *,
    moved: float = 0.0,
    lost: float = 0.0,
    odds: float = 1.0,
    decided: bool = False,
    purpose: str = "monitor",
) -> list[str]:
    """Write a cohort with all that is known of it at `as_of`; returns its applications.

    `moved` is added to the first input, the second is lost in a share `lost`; `odds` multiplies the odds of going bad.
    """
    draw = np.random.default_rng(seed)
    x = np.clip(small_scorecard.table(rows, seed=seed), -8, 8)
    x[:, 0] = np.clip(x[:, 0] + moved, -8, 8)
    x[draw.random(rows) < lost, 1] = np.nan
    log_odds = small_scorecard.scorecard().score_many(x).log_odds + np.log(odds)
    bad = draw.random(rows) < 1 / (1 + np.exp(-log_odds))
    keys = [f"{seed:08x}{i:024x}" for i in range(rows)]
    people = [f"{seed:08x}{i:024x}" for i in range(rows)]
    applied = np.sort(since.replace(tzinfo=None) + draw.random(rows) * timedelta(days=days)).astype("datetime64[us]")
    names = small_scorecard.names(8)
    values = {name: pa.array(x[:, i], from_pandas=True) for i, name in enumerate(names)}
    amount = draw.integers(2, 40, rows) * 50_000
    moments = {name: pa.array(applied) for name in ("applied_at", "snapshot_at", "asked_at", "disbursed_at")}
    loan = {"amount_minor": amount, "tenor_days": [56] * rows, "rate_bp_month": [200] * rows}
    write_table(
        ws.stage("cohort") / "cohort.parquet",
        pa.table({"application_id": keys, "person_id": people, **moments, **loan}),
    )
    write_json(ws.stage("cohort") / "cohort.json", {"purpose": purpose})
    write_table(ws.stage("derive") / "features.parquet", pa.table({"application_id": keys, **values}))
    status = {"application_id": keys * 3, "source": np.repeat(SOURCES, rows), "status": ["present"] * rows * 3}
    write_table(ws.stage("derive") / "coverage.parquet", pa.table(status))
    gender = pa.array(draw.choice(["female", "male"], rows))
    declared = pa.table({"person_id": people, "available_at": pa.array(applied), "gender": gender})
    write_table(ws.stage("ingest") / "people.parquet", declared)
    now = np.datetime64(as_of.replace(tzinfo=None), "us")
    write_table(ws.stage("ingest") / "repayments.parquet", _instalments(keys, people, applied, amount, bad, now))
    mature = applied + np.timedelta64(90, "D") <= now
    labels = {"application_id": pa.array(keys).filter(pa.array(mature)), "label": np.where(bad, "bad", "good")[mature]}
    write_table(ws.stage("label") / "labels.parquet", pa.table(labels))
    if decided:
        outcome = np.where(log_odds < np.median(log_odds), "offer", "decline")
        write_table(ws.stage("decide") / "decisions.parquet", pa.table({"application_id": keys, "outcome": outcome}))
    return keys


def _instalments(keys, people, applied, amount, bad, now) -> pa.Table:
    """Two instalments a loan: a good one is paid two days early, a bad one never."""
    parts = []
    for number in (1, 2):
        due_at = applied + np.timedelta64(number * DUE_DAYS, "D")
        paid_at = due_at - np.timedelta64(2, "D")
        is_paid = ~bad & (paid_at < now)
        due = (amount * 0.52).astype(np.int64)
        told = {"application_id": keys, "person_id": people, "instalment": [number] * len(keys), "due_at": due_at}
        told |= {"due_minor": due, "paid_at": pa.array(paid_at, mask=~is_paid), "paid_minor": np.where(is_paid, due, 0)}
        parts.append(pa.table(told))
    return pa.concat_tables(parts)
