"""Compare: the default model beside its challengers, learned and judged on the same folds in one run.

Nothing is looked at but development: out-of-time loans are judged on once, by `evaluate`, and choosing here by them
would use them up.
"""

from typing import Any

from pipeline.compare.learned import Outcome, outcomes
from pipeline.compare.registry import log_comparison
from pipeline.compare.table import figures, verdict
from pipeline.minimise import rounded
from pipeline.minimise.study import read
from pipeline.params import Params
from pipeline.sample import digests
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.train import prepared
from pipeline.workspace import Workspace, digest, write_json


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Write `compare/compare.json` and, since it is never the same twice, `compare/seconds.json`; log all in MLflow."""
    with timed("compare") as summary:
        specs, sample = read(params, ws)
        ready = prepared(params, specs, sample)
        found = outcomes(params, ready, tell)
        account: dict[str, Any] = {"model_sha256": digest(ws.need("train", "model.txt")), "inputs": digests(ws)}
        account |= rounded(compared(params, ready.rows.fold.max() + 1, found))
        write_json(ws.stage("compare") / "compare.json", account)
        write_json(ws.stage("compare") / "seconds.json", {one.name: round(one.seconds, 2) for one in found})
        tell("logging the run", len(found), len(found))
        log_comparison(params, ws, account, {one.name: one.seconds for one in found})
        summary.rows_in, summary.rows_out = len(sample.bad), len(ready.rows.bad)
        summary.counts = {"columns": len(ready.kept), "models": sum(one.log_odds is not None for one in found)}
        summary.facts = {"verdict": account["verdict"]}
    return summary


def compared(params: Params, folds: int, found: list[Outcome]) -> dict[str, Any]:
    """What `compare.json` holds, but for the digests of what was learned from."""
    models = figures(params, found)
    return {
        "seed": params.seed,
        "confidence": params.evaluate.confidence,
        "folds": int(folds),
        "loans": len(found[0].rows.bad),
        "bads": int(found[0].rows.bad.sum()),
        "models": models,
        **verdict(models),
    }
