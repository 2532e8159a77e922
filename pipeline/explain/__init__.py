"""Explain: exact SHAP in log-odds and points, the risk team's report, and a restricted page on a few applicants."""

from pathlib import Path

from pipeline.bundle import Bundle
from pipeline.explain.applicants import applicants
from pipeline.explain.cohorts import explorer
from pipeline.explain.contributions import TOLERANCE
from pipeline.explain.evidence import Evidence, gather
from pipeline.explain.report import report
from pipeline.export import build
from pipeline.params import Params
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, write_json, write_text
from saakh import archive
from saakh.scorecard import Scorecard


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Read what the earlier stages wrote, explain every application, write the report and the restricted page."""
    with timed("explain") as summary:
        tell("contributions", 0, 2)
        evidence = gather(params, ws)
        tell("report", 1, 2)
        scorecard = Scorecard.from_members(archive.unpack(build(Bundle.from_workspace(ws, params))))
        shareable, restricted = report(evidence, explorer(evidence, scorecard)), applicants(evidence, scorecard)
        folder = ws.stage("explain")
        write_json(folder / "importance.json", evidence.importance)
        write_text(folder / "report.html", shareable)
        write_text(folder / "applicants.html", restricted, mode=0o600)
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
