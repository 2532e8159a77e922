"""Proxies: how well the allowed features tell life events and protected attributes, and what leaving those out costs.

Nothing is decided about anybody here. The audit looks at people who agreed to `research`, and writes figures of groups.
"""

from typing import Any

from pipeline.minimise import in_loss, rounded
from pipeline.minimise.study import read
from pipeline.params import Params
from pipeline.proxies.audit import audit
from pipeline.proxies.protected import barred, lent, targets
from pipeline.sample import digests
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, digest, write_json

LISTED_MOST = 12


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Write `proxies/proxies.json`: each target before and after, what to leave out, and what that costs the model."""
    with timed("proxies") as summary:
        specs, sample = read(params, ws)
        looked_at = targets(params, ws, sample.application, tell)
        consents = {"consents.parquet": digest(ws.need("ingest", "consents.parquet"))}
        found: dict[str, Any] = {"inputs": digests(ws) | consents, "barred": barred(lent(params))}
        found |= rounded(audit(params, specs, sample, looked_at, tell))
        write_json(ws.stage("proxies") / "proxies.json", found)
        summary.rows_in, summary.rows_out = len(sample.bad), found["loans"]
        summary.counts = {
            "targets measured": len(found["targets"]),
            "targets with too few people": len(found["not_measured"]),
            "features to leave out": len(found["leave_out"]),
        }
        summary.facts = facts(found)
    return summary


def facts(found: dict[str, Any]) -> dict[str, str]:
    """The lines the command prints: every target before and after, then the cost."""
    asked = found["asked"]
    lines = {}
    for target in found["targets"]:
        before, after = (in_loss(target[when]["out_of_fold"]) for when in ("before", "after"))
        end = "at the goal" if target["is_at_goal"] else f"above {asked['goal_auc']}"
        lines[f"AUC of telling {target['name']}"] = f"{before}, after the drop {after}: {end}"
    for side, says in found["model"]["confirmed"].items():
        pair = f"{says['auc_of_everything']['value']:.4f} and {says['auc']['value']:.4f}"
        lines[f"AUC of the model {side.replace('_', ' ')}, before and after"] = f"{pair}; loses {in_loss(says['loss'])}"
    if found["barred"]:
        lines["not looked at"] = "; ".join(f"{name}: {why}" for name, why in found["barred"].items())
    if few := [target["name"] for target in found["not_measured"]]:
        lines["too few people to measure"] = ", ".join(few)
    out = found["leave_out"]
    more = f" and {len(out) - LISTED_MOST} more in proxies.json" if len(out) > LISTED_MOST else ""
    lines["derive.leave_out"] = (", ".join(out[:LISTED_MOST]) or "nothing") + more
    return lines | {"for the report": "run `saakh explain` again"}
