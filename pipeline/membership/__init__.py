"""Membership: could somebody who holds the model tell who taught it? Shadow models are learned and attacked.

Nothing is decided about anybody here; what is written is figures of groups. Report and scorecard tell the verdict.
"""

from typing import Any

from pipeline import doubts
from pipeline.fairness.groups import groupings
from pipeline.membership.audit import audit
from pipeline.minimise import rounded
from pipeline.minimise.study import read
from pipeline.params import Params
from pipeline.sample import digests
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, digest, write_json


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Write `membership/membership.json`: how well the attack tells members, and the verdict."""
    with timed("membership") as summary:
        specs, sample = read(params, ws)
        model = {"model_sha256": digest(ws.need("train", "model.txt")), "inputs": digests(ws)}
        groups = {name: rows for found in groupings(params, ws, sample.application) for name, rows in found.sides()}
        found = model | rounded(audit(params, specs, sample, groups, tell))
        found["targets"] = [{"who": who, "figure": figure, "most": most} for who, figure, most in doubts.TOLD_MOST]
        found["full"] = found["shadows"] >= doubts.SHADOWS_FULL
        found["verdict"] = doubts.membership_verdict(found)
        write_json(ws.stage("membership") / "membership.json", found)
        summary.rows_in = summary.rows_out = len(sample.bad)
        summary.counts = {"shadow models": found["shadows"], "people": found["people"]}
        summary.facts = facts(found)
    return summary


def facts(found: dict[str, Any]) -> dict[str, str]:
    """The lines the command prints."""
    lines = {"verdict": found["verdict"], "AUC of the shadow models": f"{found['shadow_auc'] or 0:.3f}"}
    for row in found["told"]:
        share = row["tpr"]
        named = f"{share['value']:.2%} named at 0.1 % false alarms (up to {doubts.upper(share, row['people']):.2%})"
        lines[f"attack on {row['who']}"] = (
            f"AUC {row['auc']['value']:.3f} (up to {doubts.upper(row['auc'], row['people']):.3f}), {named}"
        )
    lines |= {f"missed {i}": text for i, text in enumerate(doubts.membership_reasons(found), 1)}
    if found["withheld"]:
        lines["too few people"] = ", ".join(found["withheld"])
    return lines | {"for report and scorecard": "run `saakh explain` and `saakh export` again"}
