"""Explain: exact SHAP in log-odds and points, the risk team's report, and a restricted page on a few applicants."""

from pathlib import Path

from pipeline.contributions import TOLERANCE
from pipeline.evidence import Evidence, gather
from pipeline.params import Params
from pipeline.report import report
from pipeline.report_applicants import applicants
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, write_json, write_text


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Read what the earlier stages wrote, explain every application, write the report and the restricted page."""
    with timed("explain") as summary:
        tell("contributions", 0, 2)
        evidence = gather(params, ws)
        tell("report", 1, 2)
        folder = ws.stage("explain")
        write_json(folder / "importance.json", evidence.importance)
        write_text(folder / "report.html", report(evidence))
        write_text(folder / "applicants.html", applicants(evidence), mode=0o600)
        tell("report", 2, 2)
        summary.rows_in = summary.rows_out = len(evidence.keys)
        summary.facts = _facts(evidence, folder)
    return summary


def _facts(evidence: Evidence, folder: Path) -> dict[str, str]:
    top = [f"{f['name']} ({f['mean_abs_points']:.1f})" for f in evidence.importance["features"][:5]]
    return {
        "largest mean contributions, in points": ", ".join(top),
        "contributions add up to the log-odds within": f"{TOLERANCE:.0e}",
        "report": str(folder / "report.html"),
        "restricted page": str(folder / "applicants.html"),
    }
