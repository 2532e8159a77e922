"""Monitor: hold a new batch against what a scorecard was judged on: one page, one JSON, a severity, a kill switch."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline import audit, pages
from pipeline.decide import scorecard_path
from pipeline.monitor import drift, performance
from pipeline.monitor.alarms import ACT, EXIT_CODES, judged, severity
from pipeline.monitor.drift import Compared, Found
from pipeline.monitor.log import log_monitoring
from pipeline.monitor.page import page
from pipeline.monitor.portfolio import overrides, portfolio
from pipeline.monitor.sides import Sides, read_sides
from pipeline.params import Params
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, digest, write_json, write_text
from saakh import Scorecard, archive, load
from saakh.stops import KILL_SWITCH, digests_of

FOLDER, REPORT = "monitor", "monitor.json"
NAMED = ("scorecard", "manifest_sha256", "scorecard_sha256", "as_of")
PAGE = "monitor.html"


@dataclass(frozen=True)
class Monitored:
    """What a command needs to know when monitoring is done."""

    severity: str
    summary: Summary

    @property
    def exit_code(self) -> int:
        """0 for calm, 20 for watch, 21 for act."""
        return EXIT_CODES[self.severity]


def run(
    params: Params, ws: Workspace, batch: Workspace, as_of: datetime | None = None, tell: Tell = quiet
) -> Monitored:
    """Compare the workspace `batch` with `ws`; write page and JSON to the batch, the kill switch to `ws`, and log.

    `as_of` is the moment the batch is seen at, by default that of the parameters.
    """
    at, path = as_of or params.as_of, scorecard_path(params, ws)
    audit.ready(params, ws)
    with timed(FOLDER) as summary:
        tell("scoring", 0, 3)
        card = load(path)
        sides = read_sides(params, ws, batch, card, at)
        tell("comparing", 1, 3)
        report = {"scorecard": card.version, "scorecard_sha256": digest(path), "as_of": at.isoformat()}
        report |= {"manifest_sha256": digests_of(archive.read(path))["manifest_sha256"]}
        report |= compare(params, sides, card)
        folder = batch.stage(FOLDER)
        write_json(folder / REPORT, report)
        write_text(folder / PAGE, page(report, card))
        if report["severity"] == ACT:
            write_json(ws.stage(FOLDER) / KILL_SWITCH, kill_switch(report))
        tell("logging the run", 2, 3)
        log_monitoring(params, ws, report)
        _sum_up(summary, sides, report, folder / PAGE)
    audit.record(params, ws, replace(summary, facts={}))
    return Monitored(report["severity"], summary)


def compare(params: Params, sides: Sides, card: Scorecard) -> dict[str, Any]:
    """All figures, all alarms, and the severity."""
    two = Compared(sides.reference, sides.fresh, params.monitor)
    parts: dict[str, Found | None] = dict.fromkeys(
        ("score", "approval", "reasons", "fairness", "inputs", "missing", "coverage")
    )
    if len(sides.fresh) >= pages.SMALLEST_CELL:
        parts |= {"score": drift.score(two, card), "approval": drift.approval(two), "reasons": drift.reasons(two, card)}
        parts |= {"fairness": drift.fairness(two), "inputs": drift.inputs(two, card)}
        parts |= {"missing": drift.missing(two, card), "coverage": drift.coverage(two)}
    parts |= {"early": performance.early(params, sides), "calibration": performance.calibration(params, sides)}
    parts |= {"ranking": performance.ranking(params, sides)}
    alarms = judged([test for part in parts.values() if part for test in part.tests], params.monitor.alarm_share)
    return {
        "severity": severity(alarms),
        "alarms": alarms,
        "purpose": sides.purpose,
        "settings": params.monitor.model_dump(mode="json"),
        "confidence": params.evaluate.confidence,
        "rows": rows_of(sides),
        **{name: part.shown if part else None for name, part in parts.items()},
        "curves": performance.curves(params, sides),
        "portfolio": portfolio(params, sides.batch),
        "overrides": overrides(sides.batch),
    }


def rows_of(sides: Sides) -> dict[str, int | None]:
    """How many applications are on each side, and how many were left out; None for a few."""
    numbers = {"reference": len(sides.reference), "batch": len(sides.batch), "fresh": len(sides.fresh)}
    numbers |= {"trained_on": sides.trained_on}
    return {name: None if 0 < count < pages.SMALLEST_CELL else count for name, count in numbers.items()}


def kill_switch(report: dict[str, Any]) -> dict[str, Any]:
    """What stops a scorecard: which, why, and as of when. A person lifts it by removing the file."""
    grave = [alarm["said"] for alarm in report["alarms"] if alarm["severity"] == ACT]
    return {name: report[name] for name in NAMED} | {"reasons": grave}


def _sum_up(summary: Summary, sides: Sides, report: dict[str, Any], written: Path) -> None:
    summary.rows_in, summary.rows_out = len(sides.batch) + sides.trained_on, len(sides.batch)
    summary.counts = {"alarms": len(report["alarms"])}
    summary.facts = {"severity": report["severity"]}
    summary.facts |= {f"{a['severity']} {i}": a["said"] for i, a in enumerate(report["alarms"][:10], 1)}
    summary.facts["page"] = str(written)
