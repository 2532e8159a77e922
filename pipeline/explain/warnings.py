"""What a reader must know before trusting a score: in words, worst first, nothing to be found out from a chart."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from pipeline import doubts
from pipeline.explain import fairness
from pipeline.explain.evidence import Evidence
from pipeline.pages import SMALLEST_CELL, percent, signed, words

COSTLY_POINTS = -0.5
NAMED_MOST = 5


def warnings(evidence: Evidence, points: np.ndarray) -> list[str]:
    """The evaluation's own warnings, then what the figures, the consent and the missing values ask to be said.

    `points` are the contributions in points, shape (rows, features).
    """
    told = [f"{text.rstrip('.')}." for text in evidence.stages["evaluate"]["warnings"]]
    told += _doubts(evidence.stages["evaluate"])
    told += _checked(evidence.selfcheck)
    told += _attacked(evidence.membership)
    told += fairness.warnings(evidence.audits)
    told += _outdone(evidence.audits.get("compare"))
    if asserted := evidence.consent.get("asserted_by_source", 0):
        share = percent(asserted / sum(evidence.consent.values()), 0)
        told.append(f"Consent is asserted by the source for {share} of the artefacts, not by the applicants.")
    if costly := _costly_refusals(evidence, points):
        told.append(f"Refusing must never cost points, yet closing a source does, on average: {_some(costly)}.")
    if costly := _costly_gaps(evidence, points):
        told.append(f"Having no value costs points, on average, for {_some(costly)}.")
    if dropped := evidence.stages["train"]["dropped"]:
        named = ", ".join(f"{entry['name']} ({entry['reason']})" for entry in dropped)
        told.append(f"Left out of the model: {named}.")
    return told


def _doubts(metrics: dict[str, Any]) -> Iterator[str]:
    """Intervals that hold a value they should not, or miss one they should hold."""
    area, ratio = metrics["out_of_time"]["auc"], metrics["through_the_door"]["observed_expected"]
    if area["low"] is not None and area["low"] <= 0.5:
        yield "The interval of the AUC reaches 0.5: out of time, the ranking may be no better than chance."
    if ratio["low"] is not None and ratio["low"] > 1:
        yield "More loans of all later comers went bad than predicted, beyond chance: the risk level is set too low."
    if ratio["high"] is not None and ratio["high"] < 1:
        yield "Fewer loans of all later comers went bad than predicted, beyond chance: the risk level is set too high."


def _checked(found: dict[str, Any]) -> Iterator[str]:
    """What the selfcheck found, or that nothing was checked."""
    if found["verdict"] == "not run":
        yield "No selfcheck was run on this model: leaks were not looked for."
        return
    yield from (f"Selfcheck: {text}." for text in (*doubts.reasons(found), *doubts.warnings(found)))


def _attacked(found: dict[str, Any]) -> Iterator[str]:
    """What the membership audit found, or that nobody tried."""
    if found["verdict"] == "not run":
        yield "No membership audit was run on this model: whether it gives away who taught it is not known."
        return
    size = f"{found['shadows']} shadow models of {found['loans_a_shadow']:,} loans each"
    yield from (f"Membership, {size}: {text}." for text in doubts.membership_reasons(found))
    if found["shadows"] < doubts.SHADOWS_FULL:
        yield f"The membership audit was of reduced size: {size}, not {doubts.SHADOWS_FULL}."


def _outdone(found: dict[str, Any] | None) -> Iterator[str]:
    """Models of other kinds that rank better than this one on the same loans, beyond chance."""
    if found is not None and found["better"]:
        yield f"Beside other kinds of models: {found['verdict']}."


def closed_points(evidence: Evidence, points: np.ndarray, source: str) -> float | None:
    """Points a source's inputs add, on average, for those who closed it; None for fewer than ten applicants."""
    shut = evidence.closed.get(source)
    columns = [i for i, spec in enumerate(evidence.specs) if spec.table == source]
    if shut is None or shut.sum() < SMALLEST_CELL or not columns:
        return None
    return float(points[shut][:, columns].sum(axis=1).mean())


def _costly_refusals(evidence: Evidence, points: np.ndarray) -> list[tuple[float, str]]:
    changes = [(closed_points(evidence, points, source), words(source)) for source in evidence.closed]
    return [(change, source) for change, source in changes if change is not None and change <= COSTLY_POINTS]


def _costly_gaps(evidence: Evidence, points: np.ndarray) -> list[tuple[float, str]]:
    """Inputs whose absence costs points, with how many."""
    costs = []
    for i, spec in enumerate(evidence.specs):
        missing = np.isnan(evidence.inputs[:, i])
        if missing.sum() >= SMALLEST_CELL and (mean := float(points[missing, i].mean())) <= COSTLY_POINTS:
            costs.append((mean, spec.name))
    return costs


def _some(costs: list[tuple[float, str]]) -> str:
    """The costliest, and how many more there are."""
    told = ", ".join(f"{name} ({signed(change)})" for change, name in sorted(costs)[:NAMED_MOST])
    return f"{told} and {len(costs) - NAMED_MOST} more" if len(costs) > NAMED_MOST else told
