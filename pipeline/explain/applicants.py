"""The restricted page: any applicant by pseudonym, a few in full; never part of a report that is passed around."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.explain.charts import axis
from pipeline.explain.contributions import TOLERANCE
from pipeline.explain.everybody import STEPS_SHOWN, packed
from pipeline.explain.evidence import Evidence
from pipeline.pages import render
from saakh.errors import ArtifactError
from saakh.reasons import Reason
from saakh.scorecard import Score, Scorecard
from saakh.spec import FeatureSpec


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


def applicants(evidence: Evidence, scorecard: Scorecard) -> str:
    """The page: all to search, and `explain.applicants` of those judged out of time, from low to high risk, in full."""
    shown = [applicant(evidence, scorecard, row) for row in picked(evidence)]
    everybody = packed(evidence, scorecard)
    told = {"params": evidence.params, "applicants": shown, "count": len(evidence.keys), "everybody": everybody}
    return render("applicants.html.j2", beside="applicants", **told)


def picked(evidence: Evidence) -> list[int]:
    """Rows at evenly spaced risks, the 5th to the 95th percentile of those out of time; ties go by pseudonym."""
    rows = np.flatnonzero(evidence.is_out_of_time)
    if not len(rows):
        rows = np.arange(len(evidence.keys))
    ordered = sorted(rows.tolist(), key=lambda row: (evidence.found.log_odds[row], evidence.keys[row]))
    wanted = min(evidence.params.explain.applicants, len(ordered))
    shares = np.linspace(0.05, 0.95, wanted) if wanted > 1 else [0.5]
    return [ordered[round(share * (len(ordered) - 1))] for share in shares]


def applicant(evidence: Evidence, scorecard: Scorecard, row: int) -> dict[str, Any]:
    """One applicant: the score and what it is made of, reasons as the applicant would read them, a better band's price.

    Raises:
        ArtifactError: when the scorecard's contributions are not the ones the report was made of.
    """
    inputs = dict(zip(scorecard.features, evidence.inputs[row].tolist(), strict=True))
    score = scorecard.score(inputs, evidence.refused[row])
    points = np.array([score.contributions[spec.name] for spec in evidence.specs])
    gap = float(np.max(np.abs(points / -evidence.factor - evidence.found.values[row]), initial=0.0))
    if not gap <= TOLERANCE:
        raise ArtifactError(f"the scorecard's contributions differ from SHAP's by up to {gap:.1e} in log-odds")
    steps = waterfall(evidence, row, points, score.baseline)
    return {
        "pseudonym": evidence.keys[row],
        "part": "out of time" if evidence.is_out_of_time[row] else "development",
        "is_bad": bool(evidence.is_bad[row]),
        "score": score,
        "steps": steps,
        "axis": axis([edge for step in steps for edge in (step.start, step.end)], 3),
        "reasons": _reasons(evidence, score),
        "counterfactual": scorecard.counterfactual(inputs, evidence.refused[row]),
        "inputs": _inputs(evidence, row, points),
    }


def waterfall(evidence: Evidence, row: int, points: np.ndarray, base: float) -> list[Step]:
    """From the average score to the applicant's: the largest contributions one by one, all others together."""
    order = sorted(range(len(points)), key=lambda i: (-abs(points[i]), evidence.specs[i].name))
    steps, at = [], base
    shown = [i for i in order if points[i]][:STEPS_SHOWN]
    for i in shown:
        value = float(evidence.inputs[row, i])
        steps.append(Step(evidence.specs[i].description, at, at + float(points[i]), evidence.specs[i], value))
        at = steps[-1].end
    if rest := order[len(shown) :]:
        steps.append(Step(f"{len(rest)} other inputs together", at, at + float(points[rest].sum())))
    return steps


def _reasons(evidence: Evidence, score: Score) -> list[tuple[Reason, list[str]]]:
    """Each principal reason with what it rests on but was never seen, as descriptions."""
    described = {spec.name: spec.description for spec in evidence.specs}
    return [(r, list(dict.fromkeys(described[name].rstrip(".") for name in r.unknown))) for r in score.reasons]


def _inputs(evidence: Evidence, row: int, points: np.ndarray) -> list[dict[str, Any]]:
    """Every input with its value, the share of applicants at or below it, and its points."""
    told = []
    for i, spec in enumerate(evidence.specs):
        value, every = float(evidence.inputs[row, i]), evidence.inputs[:, i]
        rank = None if np.isnan(value) else float((every[~np.isnan(every)] <= value).mean())
        told.append({"spec": spec, "value": value, "rank": rank, "points": float(points[i])})
    return told
