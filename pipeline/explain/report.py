"""The risk team's report: what is shown, section by section, out of the run's own figures. No person appears in it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from pipeline.explain import fairness
from pipeline.explain.charts import axis, bands, direction_found, swarms
from pipeline.explain.cohorts import as_script
from pipeline.explain.contributions import TOLERANCE, sample
from pipeline.explain.counts import (
    JUDGED,
    KEPT,
    PARTS,
    READ,
    RECEIVED,
    Counts,
    arrivals,
    counted,
    enough,
    excluded,
    grouped,
    nested,
)
from pipeline.explain.evidence import Evidence
from pipeline.explain.minimality import drawn
from pipeline.explain.quality import all_applied, compared
from pipeline.explain.warnings import closed_points, warnings
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


def report(evidence: Evidence, cohorts: dict[str, Any] | None) -> str:
    """The report as one HTML page that needs no network, and but for its explorer of cohorts no script, to be read.

    `cohorts` are the explorer's sums, or None where nothing of them can be told.
    """
    found = evidence.importance
    order = [{spec.name: i for i, spec in enumerate(evidence.specs)}[entry["name"]] for entry in found["features"]]
    used = sum(entry["mean_abs_log_odds"] > 0 for entry in found["features"])
    counts = counted(evidence.stages)
    points = evidence.found.points(evidence.factor)
    features = [listed(evidence, entry, i) for entry, i in zip(found["features"], order, strict=True)]
    return render(
        "report.html.j2",
        beside="report",
        params=evidence.params,
        stages=evidence.stages,
        measures=MEASURES,
        meanings={key: meaning for key, _, _, meaning in MEASURES},
        outcome_supplied=evidence.outcome_supplied,
        tolerance=f"{TOLERANCE:.0e}".replace("e-0", "e-"),
        warnings=warnings(evidence, points),
        consent=evidence.consent,
        counts=counts,
        flow=flow(evidence.stages, counts),
        coverage=[covered(evidence, points, counts, source) for source in evidence.stages["derive"]["coverage"]],
        rejected=rejected(evidence.stages["ingest"]["tables"]),
        importance=found,
        ranked=features[: min(used, FEATURES_RANKED)],
        used=used,
        feature_most=found["features"][0]["mean_abs_points"] or 1.0,
        family_most=max(entry["mean_abs_points"] for entry in found["families"]) or 1.0,
        swarm=swarm(evidence, points, counts, order[: min(used, FEATURES_SWARMED)]),
        unfolded=[unfold(evidence, points, i) for i in order[: min(used, FEATURES_UNFOLDED)]],
        ranking=risk_groups(evidence.stages["evaluate"], "out_of_time", counts),
        calibration=risk_groups(evidence.stages["evaluate"], "through_the_door", counts),
        vintages=vintages(evidence.stages["evaluate"], counts),
        audits=drawn(evidence.audits),
        fairness=fairness.drawn(evidence.audits),
        membership=evidence.membership,
        features=features,
        directions=DIRECTIONS,
        reidentify=evidence.reidentify,
        records=[shared(row) for row in (evidence.reidentify or {}).get("records", ())],
        costs=evidence.policy_costs,
        loans_left=loans_left(evidence.policy_costs),
        cohorts=cohorts if counts.shown("out_of_time") else None,
        as_script=as_script,
        applied=all_applied(evidence.stages["evaluate"].get("all_who_applied")),
        compared=compared(evidence.audits.get("compare")),
    )


def flow(stages: dict[str, dict[str, Any]], counts: Counts) -> list[dict[str, Any]]:
    """From all applications to those trained and judged on: one row per exclusion, with what is left after it.

    A count that is withheld has no bar; and then no bar starts where the one before ends, which would tell its length.
    """
    split = stages["train"]["split"]
    total = left = stages["cohort"]["rows_in"]
    told = [{"name": RECEIVED, "stage": "ingest", "what": "applications received", "rows": total, "kind": "total"}]
    for stage, why, rows in excluded(stages):
        what = EXCLUSIONS.get(why, words(why)) if stage == "train" else why
        told.append({"name": f"{stage}: {why}", "stage": stage, "what": what, "rows": rows, "kind": "out"})
    for part in PARTS:
        rows = split[part]["rows"]
        told.append({"name": part, "stage": "train", "what": words(part), "rows": rows, "kind": "kept"})
    whole, is_whole = max(total, 1), all(counts.shown(step["name"]) for step in told)
    for step in told:
        left -= step["rows"] if step["kind"] != "total" else 0
        step |= {"left": left, "shown": counts.shown(step["name"]), "told": counts.told(step["name"])}
        step |= {"share": step["rows"] / whole, "start": left % whole / whole if is_whole else 0.0}
    return told


def covered(evidence: Evidence, points: np.ndarray, counts: Counts, source: str) -> dict[str, Any]:
    """A source's share of applications with events, open but silent, and closed; what closing changes; its rows."""
    status = evidence.stages["derive"]["coverage"][source]
    total = sum(status.values()) or 1
    parts, start = [], 0.0
    for name in ("present", "silent", "closed"):
        share, shown = status[name] / total, counts.shown(f"{source}: {name}")
        parts.append({"status": name, "share": share, "start": start, "shown": shown})
        start += share
    arrived = arrivals(evidence.stages["ingest"]["tables"].get(source))
    return {
        "source": words(source),
        "parts": parts,
        "absent": status["absent"] == total,
        "barred": status.get("barred", 0) == total,
        "closed_points": closed_points(evidence, points, source),
        "rows": arrived.told(KEPT) if arrived else "0",
        "too_late": evidence.stages["derive"]["events_too_late"].get(source, 0),
    }


def rejected(tables: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows that were turned away on arrival, by table and rule."""
    return [
        {"table": words(name), "rule": words(rule), "rows": arrived.told(rule), "of": arrived.told(READ)}
        for name, table in tables.items()
        if (arrived := arrivals(table))
        for rule, rows in table["rejected"].items()
        if rows
    ]


def swarm(evidence: Evidence, points: np.ndarray, counts: Counts, columns: Sequence[int]) -> dict[str, Any]:
    """The beeswarm of the features in `columns`, over a sample drawn by key."""
    rows = sample(evidence.keys, evidence.params.explain.beeswarm_rows, evidence.params.seed)
    specs = [evidence.specs[i] for i in columns]
    at = np.ix_(rows, np.array(columns, dtype=np.int64))
    scale, drawn = swarms(specs, evidence.inputs[at], points[at])
    is_all = len(rows) == len(evidence.keys)
    return {"axis": scale, "rows": drawn, "applications": counts.told(JUDGED) if is_all else f"{len(rows):,}"}


def unfold(evidence: Evidence, points: np.ndarray, column: int) -> dict[str, Any]:
    """How one feature moves the score, from its lowest values to its highest."""
    found = bands(evidence.inputs[:, column], points[:, column])
    scale = axis([edge for band in found for edge in (band.low, band.high)], 5, through=0.0)
    return {
        "spec": evidence.specs[column],
        "bands": list(zip(found, grouped([band.rows for band in found], len(evidence.inputs)), strict=True)),
        "axis": scale,
        "whole": all(tick.is_integer() for tick in scale.ticks),
        "learned": direction_found(found),
    }


def risk_groups(metrics: dict[str, Any], part: str, counts: Counts) -> dict[str, Any]:
    """Risk groups, riskiest first: predicted against observed, with Wilson intervals; small groups lose their rates."""
    groups = metrics[part]["by_decile"]
    bads, rows = sum(g["bads"] for g in groups), sum(g["rows"] for g in groups)
    told, caught, seen = [], 0, 0
    for group in groups:
        caught, seen = caught + group["bads"], seen + group["rows"]
        name = f"{part} {group['decile']}"
        shown = group["rows"] >= SMALLEST_CELL
        low, high = _wilson(group["bads"], group["rows"], metrics["confidence"]) if shown else (None, None)
        shares = {"caught": caught / bads if bads else None, "seen": seen / rows}
        told.append({**group, "told": counts.told(name), "low": low, "high": high, "shown": shown, **shares})
    scale = axis([v for g in told if g["shown"] for v in (g["high"], g["expected"])], 5, through=0.0)
    digits = 0 if all(round(100 * tick, 6).is_integer() for tick in scale.ticks) else 1
    return {"groups": told, "axis": scale, "digits": digits, "confidence": metrics["confidence"]}


def _wilson(count: int, rows: int, confidence: float) -> tuple[float, float]:
    from scipy.stats import binomtest  # noqa: PLC0415 - heavy

    found = binomtest(count, rows).proportion_ci(confidence, method="wilson")
    return float(found.low), float(found.high)


def vintages(metrics: dict[str, Any], counts: Counts) -> dict[str, Any]:
    """Months of application: observed against expected, before and after the split, small months without rates."""
    told = []
    for part in ("out_of_fold", "through_the_door"):
        for row in metrics[part]["by_vintage"]:
            said = counts.told(f"{part} {row['month']}")
            told.append({**row, "part": part, "told": said, "shown": row["rows"] >= SMALLEST_CELL})
    edges = [row["observed_expected"][k] for row in told if row["shown"] for k in ("value", "low", "high")]
    return {"rows": told, "axis": axis([e for e in edges if e is not None], 4, through=1.0)}


def shared(record: dict[str, Any]) -> dict[str, Any]:
    """A record and the shares of people alone in it, and alike with too few; neither where it would tell of a few."""
    people = record["people"]
    alone, below = (round(people * record.get(name, 0.0)) for name in ("share_alone", "share_below"))
    numbers = {"alone": alone, "some": below - alone, "below": below, "rest": people - below, "people": people}
    found = Counts(numbers, [("below", ("alone", "some")), ("people", ("below", "rest"))])
    told = {name: count / people if people and found.shown(name) else None for name, count in numbers.items()}
    return {**record, "alone": told["alone"], "below": told["below"]}


def loans_left(costs: dict[str, Any] | None) -> dict[str, str]:
    """How many loans each policy leaves, in words, by the policy's name."""
    rows = costs["policies"] if costs else []
    counts = nested([row["loans"] for row in rows], costs["loans"]) if costs else []
    return {row["policy"]: count for row, count in zip(rows, counts, strict=True)}


def listed(evidence: Evidence, entry: dict[str, Any], column: int) -> dict[str, Any]:
    """A model input as the feature list shows it."""
    spec: FeatureSpec = evidence.specs[column]
    rows, missing = len(evidence.inputs), int(np.isnan(evidence.inputs[:, column]).sum())
    there = 1 - missing / rows if enough(missing, rows) else None
    return {**asdict(spec), "points": entry["mean_abs_points"], "log_odds": entry["mean_abs_log_odds"], "there": there}
