"""The page that tells what a check found: a summary, every fault by table, rule and position, and every rule asked."""

from datetime import datetime
from typing import Any

from pipeline.check.report import POSITIONS_TOLD, Outcome, Report
from pipeline.pages import render

MARKS = {"held": "✓", "broken": "✗", "not checked": "–"}


def page(report: Report, as_of: datetime) -> str:
    """The report as one HTML page that needs no network; it holds counts and row positions, no value."""
    tables: list[dict[str, Any]] = [
        {"name": t.table, "grain": t.grain, "rows": t.rows, "broken": len(t.broken), "rules": _told(t.outcomes)}
        for t in report.tables
    ]
    faults = [{"table": t["name"], **rule} for t in tables for rule in t["rules"] if rule["status"] == "broken"]
    return render("check.html.j2", report=report, as_of=as_of.isoformat(), tables=tables, faults=faults, marks=MARKS)


def _told(outcomes: tuple[Outcome, ...]) -> list[dict[str, Any]]:
    return [{**o.as_dict(), "where": _where(o)} for o in outcomes]


def _where(outcome: Outcome) -> str:
    if outcome.columns:
        return f"columns {', '.join(outcome.columns)}"
    first = ", ".join(f"{p:,}" for p in outcome.positions[:POSITIONS_TOLD])
    return f"{first} …" if outcome.faults > POSITIONS_TOLD else first
