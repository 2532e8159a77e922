"""A small finished run for tests of the later stages: twenty inputs of five families, a trained model, its metrics.

`write_run(folder)` writes what ingest to evaluate would have written, from a seed, in under two seconds.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pyarrow as pa

from models.default import DefaultModel
from models.refusals import Refusals
from pipeline.engines import write_table
from pipeline.params import Params
from pipeline.workspace import Workspace, digest, write_json, write_text
from saakh.spec import FeatureSpec

INPUTS = Path(__file__).parent / "synthetic_inputs.txt"
HEADINGS, *ROWS = [[cell.strip() for cell in line.split("|")] for line in INPUTS.read_text("utf-8").splitlines()]
AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
MONTHS = ("2025-10", "2025-11", "2025-12", "2026-01", "2026-02", "2026-03")
"""Of application; the last two are out of time."""


def specs() -> list[FeatureSpec]:
    """The inputs' specs, in model order."""
    return [_spec(dict(zip(HEADINGS, row, strict=True))) for row in ROWS]


def _spec(row: dict[str, str]) -> FeatureSpec:
    days = None if row["window"] == "-" else int(row["window"])
    name = row["name"] if days is None else f"{row['name']}_{days}d"
    copied = {key: row[key] for key in ("description", "family", "table", "category", "unit", "reason")}
    digits = hashlib.sha256(name.encode()).hexdigest()
    return FeatureSpec.from_dict(
        {"name": name, **copied, "risk": int(row["risk"]), "fingerprint": digits, "window_days": days, "low": 0.0}
    )


def write_run(
    root: Path, applications: int = 1_200, seed: int = 11, basis: str = "explicit", leaf_rows_min: int = 40
) -> Params:
    """Write the files of every stage before explain; returns the run's parameters.

    With `leaf_rows_min` above the number of applications, the model learns nothing.
    """
    params, ws, draw = (
        Params(policy="explicit-consent", as_of=AS_OF, seed=seed, workspace=root),
        Workspace(root),
        np.random.default_rng(seed),
    )
    keys = sorted(hashlib.sha256(f"{seed}-{i}".encode()).hexdigest()[:32] for i in range(applications))
    inputs, log_odds, closed = _world(draw, applications)
    is_bad = draw.random(applications) < 1 / (1 + np.exp(-log_odds))
    late = draw.random(applications) < 0.3
    score = np.empty(applications)
    shut = _refusals(closed)
    for fold in range(3):  # out of fold in development, the whole development's model out of time
        held = ~late & (np.arange(applications) % 3 == fold)
        model = _train(inputs[~late & ~held], is_bad[~late & ~held], leaf_rows_min)
        score[held] = DefaultModel.of_text(model.model_to_string()).log_odds(inputs[held], shut.rows(held))
    model = _train(inputs[~late], is_bad[~late], leaf_rows_min)
    score[late] = DefaultModel.of_text(model.model_to_string()).log_odds(inputs[late], shut.rows(late))
    write_text(ws.stage("train") / "model.txt", model.model_to_string())
    split = pa.array(np.where(late, "out_of_time", "development"))
    write_table(
        ws.stage("train") / "scores.parquet",
        pa.table({"application_id": keys, "split": split, "is_bad": is_bad, "log_odds": score}),
    )
    columns = {s.name: pa.array(inputs[:, i], from_pandas=True) for i, s in enumerate(specs())}
    write_table(ws.stage("derive") / "features.parquet", pa.table({"application_id": keys, **columns}))
    outcome = pa.nulls(applications, pa.string())
    write_table(ws.stage("ingest") / "applications.parquet", pa.table({"application_id": keys, "outcome": outcome}))
    write_table(ws.stage("ingest") / "consents.parquet", pa.table({"basis": [basis] * applications}))
    _write_coverage(ws, keys, closed)
    _write_accounts(ws, is_bad, late)
    month = np.where(late, draw.integers(4, 6, applications), draw.integers(0, 4, applications))
    write_json(ws.stage("evaluate") / "metrics.json", _metrics(ws, month, score, is_bad, late))
    applied = pa.array([datetime.fromisoformat(f"{MONTHS[at]}-10") for at in month], pa.timestamp("us"))
    write_table(ws.stage("cohort") / "cohort.parquet", pa.table({"application_id": keys, "applied_at": applied}))
    nobody = {"application_id": pa.array([], pa.string()), "is_bad": pa.array([], pa.bool_())}
    write_table(ws.stage("train") / "returning.parquet", pa.table({**nobody, "log_odds": pa.array([], pa.float64())}))
    return params


def _world(draw: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Inputs as their units ask for, each applicant's log-odds of bad, and who closed which source."""
    columns: list[np.ndarray] = []
    closed: dict[str, np.ndarray] = {}
    log_odds = np.full(rows, -2.9)
    for row in ROWS:
        hidden = draw.normal(size=rows)
        log_odds += float(row[9]) * hidden
        seen = {
            "share": np.round(1 / (1 + np.exp(-hidden + 1)), 4),
            "count": np.floor(np.exp(hidden * 0.8)),
            "days": np.round(60 * np.exp(hidden * 0.9)),
            "months": np.round(20 * np.exp(hidden)),
            "minor units": np.round(40_000 * np.exp(hidden)),
        }.get(row[5], np.round(np.exp(hidden * 0.5), 3))
        shut = closed.setdefault(row[3], draw.random(rows) < float(row[10]))
        columns.append(np.where(shut, np.nan, seen))
    return np.column_stack(columns), log_odds, closed


def _refusals(closed: dict[str, np.ndarray]) -> Refusals:
    """What each applicant refused: a category is, where one of its sources is closed."""
    names = sorted({s.category for s in specs()})
    shut = np.zeros((len(next(iter(closed.values()))), len(names)), bool)
    for spec in specs():
        shut[:, names.index(spec.category)] |= closed[spec.table]
    return Refusals(shut, np.array([names.index(s.category) for s in specs()]))


def _train(inputs: np.ndarray, is_bad: np.ndarray, leaf_rows_min: int) -> lgb.Booster:
    trees = {"num_leaves": 4, "min_data_in_leaf": leaf_rows_min, "lambda_l2": 20.0, "learning_rate": 0.08}
    fixed = {"num_threads": 1, "deterministic": True, "force_row_wise": True, "seed": 1, "verbosity": -1}
    monotone = {"monotone_constraints": [s.risk for s in specs()]}
    data = lgb.Dataset(inputs, is_bad.astype(float), feature_name=[s.name for s in specs()])
    return lgb.train({"objective": "binary", **trees, **fixed, **monotone}, data, 60)


def _write_coverage(ws: Workspace, keys: list[str], closed: dict[str, np.ndarray]) -> None:
    tables, counts = [], {}
    for source, shut in closed.items():
        status = pa.array(np.where(shut, "closed", "present"))
        tables.append(pa.table({"application_id": keys, "source": [source] * len(keys), "status": status}))
        number = int(shut.sum())
        counts[source] = {"present": len(keys) - number, "silent": 0, "closed": number, "absent": 0}
    counts["web_visits"] = {"present": 0, "silent": 0, "closed": 0, "absent": len(keys)}
    write_table(ws.stage("derive") / "coverage.parquet", pa.concat_tables(tables))
    write_json(
        ws.stage("derive") / "derive.json",
        {"applications": len(keys), "coverage": counts, "events_too_late": {"calls": 4_000}},
    )


def _write_accounts(ws: Workspace, is_bad: np.ndarray, late: np.ndarray) -> None:
    rows, sources = len(is_bad), dict.fromkeys(row[3] for row in ROWS)
    write_json(ws.stage("derive") / "specs.json", [s.as_dict() for s in specs()])
    read = {"rows_in": rows * 40, "rows_kept": rows * 40 - 12, "rejected": {"clock_in_future": 12}}
    tables = dict.fromkeys(sources, read)
    write_json(ws.stage("ingest") / "ingest.json", {"rows_in": rows * 40 * len(tables), "tables": tables})
    verdicts = {"kept": rows + 163, "not granted": 310, "no consent to train": 84, "applied after as_of": 7}
    write_json(
        ws.stage("cohort") / "cohort.json",
        {"purpose": "train", "rows_in": sum(verdicts.values()), "rows_out": verdicts["kept"], "verdicts": verdicts},
    )
    labels = {"good": int((~is_bad).sum()), "bad": int(is_bad.sum()), "immature": 91, "indeterminate": 72}
    rule = {"performance_window_days": 90, "dpd_days": 30, "indeterminate_dpd_days": 15}
    account = {"rows_in": rows + 163, "rows_out": rows + 72, "verdicts": labels}
    write_json(ws.stage("label") / "label.json", rule | account)
    parts = {
        name: {"rows": int(part.sum()), "bads": int(is_bad[part].sum()), "people": int(part.sum())}
        for name, part in (("development", ~late), ("out_of_time", late))
    }
    when = {
        "out_of_time_from": "2026-02-01T00:00:00+00:00",
        "development_from": "2025-08-01T00:00:00+00:00",
        "development_to": "2026-01-31T00:00:00+00:00",
        "out_of_time_to": "2026-03-02T00:00:00+00:00",
        "boundary": "month",
        "gap_days": 0,
    }
    write_json(
        ws.stage("train") / "train.json",
        {
            "model_sha256": digest(ws.root / "train" / "model.txt"),
            "scores_sha256": digest(ws.root / "train" / "scores.parquet"),
            "catalogue_fingerprint": "c" * 64,
            "columns": [s.name for s in specs()],
            "dropped": [{"name": "web_jobs_share_90d", "reason": "all null"}],
            "monotone": {s.name: s.risk for s in specs()},
            "inputs": {"features.parquet": "a" * 64},
            "as_of": AS_OF.isoformat(),
            "seed": 1,
            "policy": "explicit-consent",
            "parameters": {"leaves": 4, "leaf_rows_min": 40, "lambda_l2": 20.0, "learning_rate": 0.08, "rounds": 60},
            "split": {**when, **parts, "excluded": {"indeterminate": 72, "gap": 0, "known_person": 0}},
            "out_of_fold_log_loss": 0.21,
            "features_used": [s.name for s in specs()],
        },
    )


def _metrics(ws: Workspace, month: np.ndarray, score: np.ndarray, is_bad: np.ndarray, late: np.ndarray) -> dict:
    later, earlier = (_section(score[part], is_bad[part], month[part]) for part in (late, ~late))
    return {
        "confidence": 0.95,
        "resamples": 1_000,
        "model_sha256": digest(ws.root / "train" / "model.txt"),
        "out_of_time": later,
        "through_the_door": later,
        "out_of_fold": earlier,
        "warnings": ["The out-of-time section holds fewer than 100 bad loans: intervals are wide."],
    }


def _section(score: np.ndarray, is_bad: np.ndarray, month: np.ndarray) -> dict:
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score, roc_curve

    pd = 1 / (1 + np.exp(-score))
    false, true, _ = roc_curve(is_bad, pd)
    auc = roc_auc_score(is_bad, pd)
    riskiest = np.argsort(-pd, kind="stable")
    return {
        **_group(pd, is_bad, people=len(pd)),
        "bad_rate": _estimate(is_bad.mean(), 0.02),
        "auc": _estimate(auc, 0.04),
        "gini": _estimate(2 * auc - 1, 0.08),
        "ks": _estimate((true - false).max(), 0.06),
        "h_measure": _estimate(auc - 0.5, 0.04),  # near enough for a page
        "profit": _estimate(0.01, 0.004),
        "calibration_slope": _estimate(1.0, 0.1),
        "brier": _estimate(brier_score_loss(is_bad, pd), 0.01),
        "log_loss": _estimate(log_loss(is_bad, pd), 0.02),
        "observed_expected": _estimate(is_bad.sum() / pd.sum(), 0.2),
        "by_vintage": [
            {
                "month": MONTHS[i],
                **_group(pd[month == i], is_bad[month == i]),
                "observed_expected": _estimate(is_bad[month == i].sum() / pd[month == i].sum(), 0.35),
            }
            for i in np.unique(month)
        ],
        "by_decile": [
            {"decile": i + 1, **_group(pd[part], is_bad[part])} for i, part in enumerate(np.array_split(riskiest, 10))
        ],
    }


def _group(pd: np.ndarray, is_bad: np.ndarray, **more: int) -> dict:
    counts = {"rows": len(pd), "bads": int(is_bad.sum()), **more}
    return counts | {"observed": float(is_bad.mean()), "expected": float(pd.mean())}


def _estimate(value: float, margin: float) -> dict:
    return {"value": float(value), "low": float(value) - margin, "high": float(value) + margin}
