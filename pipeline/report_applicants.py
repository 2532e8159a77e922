"""The restricted page: a few applicants in full, under pseudonyms, never part of a report that is passed around."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.evidence import Evidence
from pipeline.pages import render
from pipeline.report_charts import Axis, axis
from saakh.spec import FeatureSpec

STEPS_SHOWN = 12
REASONS_MOST = 4


@dataclass(frozen=True)
class Step:
    """A step of the waterfall, in points: from `start` to `end`; `spec` is None for what is not a single input."""

    label: str
    start: float
    end: float
    spec: FeatureSpec | None = None
    value: float | None = None

    @property
    def change(self) -> float:
        """Points gained (above 0) or lost."""
        return self.end - self.start


def applicants(evidence: Evidence) -> str:
    """The page of `explain.applicants` applicants judged out of time, from low to high risk."""
    shown = [applicant(evidence, row) for row in picked(evidence)]
    return render("applicants.html.j2", params=evidence.params, stages=evidence.stages, applicants=shown)


def picked(evidence: Evidence) -> list[int]:
    """Rows at evenly spaced risks, the 5th to the 95th percentile of those out of time; ties go by pseudonym."""
    rows = np.flatnonzero(evidence.is_out_of_time)
    if not len(rows):
        rows = np.arange(len(evidence.keys))
    ordered = sorted(rows.tolist(), key=lambda row: (evidence.found.log_odds[row], evidence.keys[row]))
    wanted = min(evidence.params.explain.applicants, len(ordered))
    shares = np.linspace(0.05, 0.95, wanted) if wanted > 1 else [0.5]
    return [ordered[round(share * (len(ordered) - 1))] for share in shares]


def applicant(evidence: Evidence, row: int) -> dict[str, Any]:
    """One applicant: score, probability, waterfall, reasons as the applicant would read them, and every input."""
    scale = evidence.params.export
    factor = evidence.importance["points_per_log_odds"]
    offset = scale.base_points - factor * math.log(scale.base_odds)
    points = evidence.found.points(factor)[row]
    base, log_odds = offset - factor * evidence.found.base, float(evidence.found.log_odds[row])
    steps = waterfall(evidence, row, points, base)
    return {
        "pseudonym": evidence.keys[row],
        "part": "out of time" if evidence.is_out_of_time[row] else "development",
        "is_bad": bool(evidence.is_bad[row]),
        "points": offset - factor * log_odds,
        "base": base,
        "pd": 1 / (1 + math.exp(-log_odds)),
        "log_odds": log_odds,
        "steps": steps,
        "axis": _frame(steps),
        "reasons": reasons(evidence.specs, points),
        "inputs": _inputs(evidence, row, points),
    }


def waterfall(evidence: Evidence, row: int, points: np.ndarray, base: float) -> list[Step]:
    """From the average score to the applicant's: the largest contributions one by one, all others together."""
    order = sorted(range(len(points)), key=lambda i: (-abs(points[i]), evidence.specs[i].name))
    steps, at = [], base
    for i in order[:STEPS_SHOWN]:
        value = float(evidence.inputs[row, i])
        steps.append(Step(evidence.specs[i].description, at, at + float(points[i]), evidence.specs[i], value))
        at = steps[-1].end
    if rest := order[STEPS_SHOWN:]:
        steps.append(Step(f"{len(rest)} other inputs together", at, at + float(points[rest].sum())))
    return steps


def _frame(steps: list[Step]) -> Axis:
    return axis([edge for step in steps for edge in (step.start, step.end)], 3)


def reasons(specs: tuple[FeatureSpec, ...], points: np.ndarray) -> list[tuple[str, float]]:
    """The principal reasons, in the applicant's words, with the points they cost: at most four, costliest first.

    Inputs that share a reason (one measure over several windows) count together; a reason that cost nothing is none.
    """
    costs: dict[str, float] = {}
    for spec, change in zip(specs, points, strict=True):
        costs[spec.reason] = costs.get(spec.reason, 0.0) + float(change)
    lost = sorted((change, reason) for reason, change in costs.items() if change < 0)
    return [(reason, change) for change, reason in lost[:REASONS_MOST]]


def _inputs(evidence: Evidence, row: int, points: np.ndarray) -> list[dict[str, Any]]:
    """Every input with its value, the share of applicants at or below it, and its points."""
    told = []
    for i, spec in enumerate(evidence.specs):
        value, all_values = float(evidence.inputs[row, i]), evidence.inputs[:, i]
        known = all_values[~np.isnan(all_values)]
        rank = None if math.isnan(value) else float((known <= value).mean())
        told.append({"spec": spec, "value": value, "rank": rank, "points": float(points[i])})
    return told
