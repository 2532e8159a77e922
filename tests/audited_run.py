"""A small run finished to the scorecard, and what the audits beside the line would have left of it.

`write_finished(folder)` takes some four seconds; evaluate, explain and export are the real ones.
"""

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline import explain, export
from pipeline.bundle import Bundle
from pipeline.engines import read_table, write_table
from pipeline.evaluate import evaluate, read_scored
from pipeline.params import Params
from pipeline.reidentify import inputs
from pipeline.workspace import Workspace, digest, read_json, write_json
from tests.synthetic_run import AS_OF, write_run

NAMED = {
    "use": "Rank applicants for small instalment loans",
    "not_for": ["employment", "insurance"],
    "tier": "high",
    "owner": "Head of Retail Credit",
    "developer": "Scoring Team",
    "validator": "Model Risk",
    "approver": "Risk Committee",
    "controls": ["Every refusal is reviewed by a person on request"],
}


@dataclass(frozen=True)
class Run:
    """A finished run and its parameters."""

    params: Params
    ws: Workspace

    def copy(self, to: Path) -> "Run":
        """The same run elsewhere, for a test to spoil."""
        shutil.copytree(self.ws.root, to, dirs_exist_ok=True)
        return Run(self.params.model_copy(update={"workspace": to}), Workspace(to))

    def spoil(self, stage: str, name: str, *path: str) -> None:
        """Delete a figure from a file."""
        file = self.ws.root / stage / name
        content = held = read_json(file)
        for key in path[:-1]:
            held = held[int(key) if isinstance(held, list) else key]
        del held[path[-1]]
        write_json(file, content)


def write_finished(root: Path, applications: int = 700) -> Params:
    """Everything from ingest to export that a report reads; returns the run's parameters."""
    raw = write_run(root, applications).model_dump(mode="json")
    raw["evaluate"] |= {"resamples": 100}
    raw["export"] |= {"replay_rows": 60}
    params, ws = Params.model_validate(raw), Workspace(root)
    scores = read_table(ws.root / "train/scores.parquet")
    keys, late = scores["application_id"], np.array(scores["split"].to_pylist()) == "out_of_time"
    _write_cohort(ws, keys, late)
    scores = scores.append_column("fold", pa.array(np.arange(len(keys)) % 3))
    write_table(ws.root / "train/scores.parquet", scores)
    write_table(ws.root / "train/returning.parquet", scores.slice(0, 0))
    coverage = read_table(ws.root / "derive/coverage.parquet")
    seen = pa.array(np.arange(len(coverage)) % 110, pa.int64())
    write_table(ws.root / "derive/coverage.parquet", coverage.append_column("days_seen", seen))
    _write_more_accounts(ws)
    metrics = {"model_sha256": digest(ws.root / "train/model.txt"), **evaluate(params, *read_scored(ws))}
    write_json(ws.root / "evaluate/metrics.json", metrics)
    explain.run(params, ws)
    export.write(params, ws, Bundle.from_workspace(ws, params))
    return params


def _write_cohort(ws: Workspace, keys: pa.ChunkedArray, late: np.ndarray) -> None:
    """Applicants of half a year before the out-of-time month, and of that month; a third of them apply twice."""
    days = np.where(late, 100 + np.arange(len(late)) % 30, 130 + np.arange(len(late)) % 170)
    applied = [AS_OF.replace(tzinfo=None) - timedelta(days=int(day)) for day in days]
    people = [f"{(place // 2 if place % 3 else place):032x}" for place in range(len(late))]
    terms = {"tenor_days": [90] * len(late), "rate_bp_month": [200] * len(late)}
    held = {"application_id": keys, "person_id": people, "applied_at": pa.array(applied, pa.timestamp("us")), **terms}
    write_table(ws.stage("cohort") / "cohort.parquet", pa.table(held))


def _write_more_accounts(ws: Workspace) -> None:
    files = [{"table": "calls", "file": "calls.csv", "sha256": "d" * 64}]
    ingest = read_json(ws.root / "ingest/ingest.json")
    write_json(ws.root / "ingest/ingest.json", ingest | {"files": files, "mapping": "sample.yaml", "rows_rejected": 12})
    write_json(ws.stage("check") / "check.json", {"passed": True, "rules": 358, "faults": 0, "absent": ["web_visits"]})
    train = read_json(ws.root / "train/train.json")
    train |= {f"{name}_sha256": digest(ws.root / f"train/{name}.parquet") for name in ("scores", "returning")}
    train["inputs"] = {"features.parquet": digest(ws.root / "derive/features.parquet")}
    train["out_of_fold_log_loss"] = {"trees": 0.2251, "linear": 0.2263, "blend": 0.2204, "calibrated": 0.2204}
    write_json(ws.root / "train/train.json", train | {"set_aside": {"sims_seen": "says the same as handsets_seen"}})
    permuted = {"refits": 3, "full": False, "mean_auc": 0.49, "reach": 0.05}
    apart = {"auc": 0.55, "limit": 0.8, "columns": []}
    found = {"leaks": [], "people_on_both_sides": 0, "adversarial": apart, "permuted": permuted}
    said = {"model_sha256": train["model_sha256"], "auc_out_of_time": 0.7, "auc_suspect": 0.78}
    write_json(ws.stage("selfcheck") / "selfcheck.json", found | said | {"verdict": "passed at reduced size"})


def named(params: Params, **changed: object) -> Params:
    """The parameters with everything said that a final report asks to be said."""
    raw = params.model_dump(mode="json")
    return Params.model_validate(raw | {"validate": NAMED | changed})


def write_audits(ws: Workspace) -> None:
    """Every audit of full size, and a selfcheck of full size, of the model that is there."""
    train, selfcheck = read_json(ws.root / "train/train.json"), read_json(ws.root / "selfcheck/selfcheck.json")
    selfcheck["permuted"] |= {"full": True, "refits": 30}
    write_json(ws.stage("selfcheck") / "selfcheck.json", selfcheck | {"verdict": "passed"})
    of = {"model_sha256": train["model_sha256"], "inputs": train["inputs"]}
    write_json(ws.stage("membership") / "membership.json", of | _membership())
    write_json(ws.stage("fairness") / "fairness.json", of | _fairness())
    write_json(ws.stage("minimise") / "minimise.json", of | _minimise())
    write_json(ws.stage("proxies") / "proxies.json", of | _proxies())
    features = digest(ws.root / "derive/features.parquet")
    write_json(ws.stage("policy") / "costs.json", {"features_sha256": features, **_costs()})
    write_json(ws.stage("reidentify") / "reidentify.json", {"inputs": inputs(ws), **_reidentify()})


def _estimate(value: float, margin: float) -> dict[str, float]:
    return {"value": value, "low": round(value - margin, 6), "high": round(value + margin, 6)}


def _membership() -> dict:
    who = ("everybody", "defaulters", "never bad")
    told = [{"who": w, "people": 300, "auc": _estimate(0.51, 0.005), "tpr": _estimate(0.001, 0.0005)} for w in who]
    return {"shadows": 64, "verdict": "met", "told": told, "withheld": ["gender other"]}


def _fairness() -> dict:
    rates = {"approval": _estimate(0.61, 0.04), "goods_refused": _estimate(0.3, 0.05)}
    at = [{**rates, "impact_ratio": _estimate(ratio, 0.03), "screen": screen} for ratio, screen in FAIR]
    groups = [{"group": "under 25", "at": at[:1]}, {"group": "25 to 34", "at": at[1:]}]
    by = {"attribute": "age_years", "groups": groups, "withheld": ["50 or more"]}
    search = {"candidates": 200, "alternative": None}
    cuts = [{"from_points": 560.0}]
    return {"cut_offs": cuts, "sides": [{"side": "through_the_door", "attributes": [by]}], "search": search}


FAIR = ((0.71, "under"), (1.0, "passed"))


def _minimise() -> dict:
    rows = [
        {"category": "airtime", "sensitivity": 1, "loss": _estimate(0.012, 0.004)},
        {"category": "location", "sensitivity": 3, "loss": _estimate(0.0005, 0.002)},
    ]
    asked = {"loss_auc_max": 0.005, "worth_auc": 0.002}
    everything = {"categories": ["airtime", "location"]}
    return {"asked": asked, "everything": everything, "recommended": {"categories": ["airtime"]}, "categories": rows}


def _proxies() -> dict:
    sides = {"before": {"out_of_fold": _estimate(0.66, 0.03)}, "after": {"out_of_fold": _estimate(0.58, 0.03)}}
    return {"asked": {"goal_auc": 0.55}, "targets": [{"name": "age_30_or_more", "is_at_goal": False, **sides}]}


def _costs() -> dict:
    cost = {"columns": 60, "loans": 400, "auc": _estimate(0.64, 0.05), "auc_lost": _estimate(0.03, 0.02)}
    rows = [{"policy": "in-rbi-2025", "approved": 0.55, **cost}]
    return {"run": "explicit-consent", "loans": 400, "policies": rows}


def _reidentify() -> dict:
    record = {"name": "what people declare", "columns": ["gender", "age_years"], "people": 350}
    return {"k": 10, "records": [record | {"share_alone": 0.2, "share_below": 0.6}]}
