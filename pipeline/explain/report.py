"""The risk team's report: what is shown, section by section, out of the run's own figures. No person appears in it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from pipeline.explain.charts import axis, bands, direction_found, swarms
from pipeline.explain.contributions import TOLERANCE, sample
from pipeline.explain.evidence import Evidence
from pipeline.explain.warnings import closed_points, warnings
from pipeline.label import LABELS
from pipeline.pages import SMALLEST_CELL, render, words
from saakh.spec import FeatureSpec

FEATURES_RANKED, FEATURES_SWARMED, FEATURES_UNFOLDED = 20, 15, 6
DIRECTIONS = {1: "risk rises", -1: "risk falls", 0: "not declared"}
EXCLUSIONS = {
    "indeterminate": "neither good nor bad",
    "gap": "between the two periods",
    "known_person": "later, by people trained on: for calibration only",
}
MEASURES = (
    ("auc", "AUC", 3, "Chance that a bad loan is ranked riskier than a good one"),
    ("gini", "Gini", 3, "2 × AUC − 1: 0 is guessing, 1 is perfect"),
    ("ks", "KS", 3, "Widest gap between the cumulative shares of bad and good loans"),
    ("h_measure", "H-measure", 3, "Loss avoided by ranking, over all prices of a mistake: 0 is guessing, 1 is perfect"),
    ("profit", "Profit by refusing", 4, "Most that refusing adds to lending to all, as a share of the principal"),
    ("observed_expected", "Observed / expected", 2, "Bad loans found for each one predicted"),
    ("calibration_slope", "Calibration slope", 2, "Outcomes on log-odds: below 1, the score is too sure of itself"),
    ("brier", "Brier score", 4, "Mean squared error of the predicted probability"),
    ("log_loss", "Log-loss", 4, "Mean surprise at the outcome; lower is better"),
)


def report(evidence: Evidence) -> str:
    """The report as one HTML page that needs no network and no script to be read."""
    found = evidence.importance
    order = [{spec.name: i for i, spec in enumerate(evidence.specs)}[entry["name"]] for entry in found["features"]]
    used = sum(entry["mean_abs_log_odds"] > 0 for entry in found["features"])
    points = evidence.found.points(evidence.factor)
    features = [listed(evidence, entry, i) for entry, i in zip(found["features"], order, strict=True)]
    return render(
        "report.html.j2",
        params=evidence.params,
        stages=evidence.stages,
        measures=MEASURES,
        meanings={key: meaning for key, _, _, meaning in MEASURES},
        outcome_supplied=evidence.outcome_supplied,
        tolerance=f"{TOLERANCE:.0e}".replace("e-0", "e-"),
        warnings=warnings(evidence, points),
        consent=evidence.consent,
        flow=flow(evidence.stages),
        coverage=[covered(evidence, points, source) for source in evidence.stages["derive"]["coverage"]],
        rejected=rejected(evidence.stages["ingest"]["tables"]),
        importance=found,
        ranked=features[: min(used, FEATURES_RANKED)],
        used=used,
        feature_most=found["features"][0]["mean_abs_points"] or 1.0,
        family_most=max(entry["mean_abs_points"] for entry in found["families"]) or 1.0,
        swarm=swarm(evidence, points, order[: min(used, FEATURES_SWARMED)]),
        unfolded=[unfold(evidence, points, i) for i in order[: min(used, FEATURES_UNFOLDED)]],
        ranking=risk_groups(evidence.stages["evaluate"], "out_of_time"),
        calibration=risk_groups(evidence.stages["evaluate"], "through_the_door"),
        vintages=vintages(evidence.stages["evaluate"]),
        features=features,
        directions=DIRECTIONS,
        costs=evidence.policy_costs,
    )


def flow(stages: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """From all applications to those trained and judged on: one row per exclusion, with what is left after it."""
    split = stages["train"]["split"]
    steps = [("cohort", why, rows) for why, rows in stages["cohort"]["verdicts"].items() if why != "kept"]
    steps += [("label", why, rows) for why, rows in stages["label"]["verdicts"].items() if why not in LABELS]
    steps += [("train", EXCLUSIONS.get(why, words(why)), rows) for why, rows in split["excluded"].items() if rows]
    total = left = stages["cohort"]["rows_in"]
    told = [{"stage": "ingest", "what": "applications received", "rows": total, "left": total, "kind": "total"}]
    for stage, why, rows in steps:
        left -= rows
        told.append({"stage": stage, "what": why, "rows": rows, "left": left, "kind": "out"})
    for part in ("development", "out_of_time"):
        rows = split[part]["rows"]
        left -= rows
        told.append({"stage": "train", "what": words(part), "rows": rows, "left": left, "kind": "kept"})
    whole = max(total, 1)
    return [{**step, "share": step["rows"] / whole, "start": step["left"] % whole / whole} for step in told]


def covered(evidence: Evidence, points: np.ndarray, source: str) -> dict[str, Any]:
    """A source's share of applications with events, open but silent, and closed; what closing changes; its rows."""
    counts = evidence.stages["derive"]["coverage"][source]
    total = sum(counts.values()) or 1
    parts, start = [], 0.0
    for status in ("present", "silent", "closed"):
        share = counts[status] / total
        parts.append({"status": status, "count": counts[status], "share": share, "start": start})
        start += share
    return {
        "source": words(source),
        "parts": parts,
        "absent": counts["absent"] == total,
        "barred": counts.get("barred", 0) == total,
        "closed_points": closed_points(evidence, points, source),
        "rows": evidence.stages["ingest"]["tables"].get(source, {}).get("rows_kept", 0),
        "too_late": evidence.stages["derive"]["events_too_late"].get(source, 0),
    }


def rejected(tables: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows that were turned away on arrival, by table and rule."""
    return [
        {"table": words(name), "rule": words(rule), "rows": rows, "of": table["rows_in"]}
        for name, table in tables.items()
        for rule, rows in table["rejected"].items()
        if rows
    ]


def swarm(evidence: Evidence, points: np.ndarray, columns: Sequence[int]) -> dict[str, Any]:
    """The beeswarm of the features in `columns`, over a sample drawn by key."""
    rows = sample(evidence.keys, evidence.params.explain.beeswarm_rows, evidence.params.seed)
    specs = [evidence.specs[i] for i in columns]
    at = np.ix_(rows, np.array(columns, dtype=np.int64))
    scale, drawn = swarms(specs, evidence.inputs[at], points[at])
    return {"axis": scale, "rows": drawn, "applications": len(rows)}


def unfold(evidence: Evidence, points: np.ndarray, column: int) -> dict[str, Any]:
    """How one feature moves the score, from its lowest values to its highest."""
    found = bands(evidence.inputs[:, column], points[:, column])
    scale = axis([edge for band in found for edge in (band.low, band.high)], 5, through=0.0)
    return {
        "spec": evidence.specs[column],
        "bands": found,
        "axis": scale,
        "whole": all(tick.is_integer() for tick in scale.ticks),
        "learned": direction_found(found),
    }


def risk_groups(metrics: dict[str, Any], part: str) -> dict[str, Any]:
    """Risk groups, riskiest first: predicted against observed, with Wilson intervals; small groups lose their rates."""
    groups = metrics[part]["by_decile"]
    bads, rows = sum(g["bads"] for g in groups), sum(g["rows"] for g in groups)
    told, caught, seen = [], 0, 0
    for group in groups:
        caught, seen = caught + group["bads"], seen + group["rows"]
        shown = group["rows"] >= SMALLEST_CELL
        low, high = _wilson(group["bads"], group["rows"], metrics["confidence"]) if shown else (None, None)
        shares = {"caught": caught / bads if bads else None, "seen": seen / rows}
        told.append({**group, "low": low, "high": high, "shown": shown, **shares})
    scale = axis([v for g in told if g["shown"] for v in (g["high"], g["expected"])], 5, through=0.0)
    digits = 0 if all(round(100 * tick, 6).is_integer() for tick in scale.ticks) else 1
    return {"groups": told, "axis": scale, "digits": digits, "confidence": metrics["confidence"]}


def _wilson(count: int, rows: int, confidence: float) -> tuple[float, float]:
    from scipy.stats import binomtest  # noqa: PLC0415 - heavy

    found = binomtest(count, rows).proportion_ci(confidence, method="wilson")
    return float(found.low), float(found.high)


def vintages(metrics: dict[str, Any]) -> dict[str, Any]:
    """Months of application: observed against expected, before and after the split, small months without rates."""
    told = []
    for part in ("out_of_fold", "through_the_door"):
        for row in metrics[part]["by_vintage"]:
            told.append({**row, "part": part, "shown": row["rows"] >= SMALLEST_CELL})
    edges = [row["observed_expected"][k] for row in told if row["shown"] for k in ("value", "low", "high")]
    return {"rows": told, "axis": axis([e for e in edges if e is not None], 4, through=1.0)}


def listed(evidence: Evidence, entry: dict[str, Any], column: int) -> dict[str, Any]:
    """A model input as the feature list shows it."""
    spec: FeatureSpec = evidence.specs[column]
    there = 1 - float(np.isnan(evidence.inputs[:, column]).mean())
    return {**asdict(spec), "points": entry["mean_abs_points"], "log_odds": entry["mean_abs_log_odds"], "there": there}
