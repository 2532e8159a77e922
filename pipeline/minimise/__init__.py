"""Minimise: the smallest consent request a model can do with, and what each category of data earns.

A request is chosen on development loans alone, out of fold, and looked at once on later loans.
"""

from typing import Any

from pipeline.minimise.find import minimise
from pipeline.minimise.study import read
from pipeline.params import Params
from pipeline.sample import digests
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, write_json

DIGITS = 6
"""Areas are written so far: what follows is no figure, and may differ between processors."""


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Write `minimise/minimise.json`: what each category earns, the request recommended, and how it does later."""
    with timed("minimise") as summary:
        specs, sample = read(params, ws)
        found = {"inputs": digests(ws)} | rounded(minimise(params, specs, sample, tell))
        write_json(ws.stage("minimise") / "minimise.json", found)
        summary.rows_in, summary.rows_out = len(sample.bad), found["loans"]
        summary.counts = {
            "requests compared": len(found["cloud"]),
            "categories there are": len(found["categories"]),
            "categories to ask for": len(found["recommended"]["categories"]),
        }
        summary.facts = facts(found)
    return summary


def rounded(content: Any) -> Any:
    """The content with every number that is not whole rounded."""
    if isinstance(content, dict):
        return {key: rounded(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [rounded(value) for value in content]
    return round(content, DIGITS) + 0.0 if isinstance(content, float) else content


def facts(found: dict[str, Any]) -> dict[str, str]:
    """The lines the command prints."""
    asked, small, whole = found["asked"], found["recommended"], found["everything"]
    spared = [c for c in whole["categories"] if c not in small["categories"]]
    idle = [f"{c['category']} ({in_loss(c['loss'])})" for c in found["categories"] if not c["earns_its_place"]]
    lines = {
        "ask for": ", ".join(small["categories"]) or "nothing",
        "need not be asked for": ", ".join(spared) or "none",
        "burden": f"{small['burden']} of {whole['burden']}",
        "columns": f"{small['columns']} of {whole['columns']}",
        f"earn less than {asked['worth_auc']} of AUC": ", ".join(idle) or "none",
    }
    for side, says in found["confirmed"].items():
        pair = f"{says['auc_of_everything']['value']:.4f} and {says['auc']['value']:.4f}"
        lines[f"AUC {side.replace('_', ' ')}, all and recommended"] = f"{pair}; loses {in_loss(says['loss'])}"
    return lines | {"for the report": "run `saakh explain` again"}


def in_loss(loss: dict[str, float | None]) -> str:
    """A loss of area with its interval, as in `0.0031 (-0.0012 to 0.0075)`."""
    if loss["low"] is None:
        return f"{loss['value']:.4f}"
    return f"{loss['value']:.4f} ({loss['low']:.4f} to {loss['high']:.4f})"
