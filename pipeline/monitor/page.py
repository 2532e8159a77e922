"""The page of a batch: what is drawn, out of the report's own figures, and nothing besides."""

from typing import Any

from pipeline.explain.charts import Axis, axis
from pipeline.monitor.alarms import AREAS, budget
from pipeline.monitor.stability import STABLE, UNSTABLE
from pipeline.pages import render
from saakh import Scorecard

INPUTS_SHOWN, MISSING_SHOWN, REASONS_SHOWN = 15, 10, 12
SECTIONS = (
    ("summary", "Summary"),
    ("score", "Scores and approvals"),
    ("inputs", "Inputs"),
    ("coverage", "Missing values and coverage"),
    ("reasons", "Reasons"),
    ("performance", "Bad loans against expected"),
    ("early", "First instalments"),
    ("curves", "Vintage curves"),
    ("fairness", "Groups"),
    ("portfolio", "Portfolio"),
    ("overrides", "Overrides"),
    ("method", "How it is judged"),
)
AREA_NAMES = {
    **{
        "early": "first instalments",
        "calibration": "bad loans against expected",
        "ranking": "ranking",
        "score": "score",
    },
    **{"inputs": "inputs", "approval": "approvals", "reasons": "reasons", "fairness": "groups"},
    **{"missing": "missing values", "coverage": "coverage"},
}
HEADLINES = {
    "calm": "Nothing changed beyond chance and the changes that are tolerated.",
    "watch": "Something changed beyond chance; nothing yet is large enough to act on.",
    "act": "Something changed beyond chance, and is large enough to act on. The kill switch is written.",
}


def page(report: dict[str, Any], card: Scorecard) -> str:
    """The report as one HTML page that needs no network, and no script to be read."""
    return render(
        "monitor.html.j2",
        report=report,
        sections=SECTIONS,
        headline=HEADLINES[report["severity"]],
        scale=card.manifest.scale,
        descriptions={spec.name: spec.description for spec in card.manifest.features},
        conventions=(STABLE, UNSTABLE),
        inputs_shown=INPUTS_SHOWN,
        missing_shown=MISSING_SHOWN,
        reasons_shown=REASONS_SHOWN,
        psi_axis=psi_axis(report),
        ratio_axis=ratio_axis(report),
        early_axis=early_axis(report),
        lines=lines(report["curves"]),
        score_alarm=budget(report["settings"]["alarm_share"], "score", 2),
        parts=AREAS,
        areas=AREA_NAMES,
    )


def psi_axis(report: dict[str, Any]) -> Axis:
    """One axis for the indices of all inputs that are shown, through the convention's limits."""
    rows = report["inputs"]["features"][:INPUTS_SHOWN] if report["inputs"] else []
    return axis([v for row in rows for v in (row["psi"], row["limit"])] + [STABLE], 5, through=0.0)


def ratio_axis(report: dict[str, Any]) -> Axis:
    """Observed over expected of all months."""
    rows = report["calibration"]["by_vintage"] if report["calibration"] else []
    known = [row["observed_expected"] for row in rows if row["observed_expected"]]
    return axis([e[k] for e in known for k in ("value", "low", "high") if e[k] is not None], 5, through=1.0)


def early_axis(report: dict[str, Any]) -> Axis:
    """First instalments missed over expected of all months."""
    rows = report["early"]["by_vintage"] if report["early"] else []
    return axis([row["ratio"] for row in rows if row["ratio"] is not None] + [1.0], 5, through=0.0)


def lines(curves: dict[str, Any] | None) -> dict[str, Any] | None:
    """Vintage curves as paths in a box of 100 by 100, older months paler."""
    if curves is None:
        return None
    ages = curves["months_on_book"]
    reached = [share for row in curves["vintages"] for share in row["shares"] if share is not None]
    up, across = axis(reached, 4, through=0.0), axis([0, ages[-1]], ages[-1])
    drawn = []
    for place, row in enumerate(curves["vintages"]):
        points = [(0, 0.0), *((k, s) for k, s in zip(ages, row["shares"], strict=True) if s is not None)]
        path = "M" + "L".join(f"{across.at(k):g} {100 - up.at(s):g}" for k, s in points)
        last = points[-1]
        newest = sum(other["side"] == row["side"] for other in curves["vintages"][place:])
        strength = max(0.35, 1 - 0.15 * (newest - 1))
        drawn.append({**row, "path": path, "x": across.at(last[0]), "y": up.at(last[1]), "strength": strength})
    return {"up": up, "across": across, "rows": drawn, "ages": ages, "days": curves["days"]}
