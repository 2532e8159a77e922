"""Tune: a search for settings that beat the defaults out of fold, on development alone.

What it finds is taken up by naming its file in `train.tuned`, and where nothing wins beyond noise that file says so and
holds no values. A search stopped by the clock goes on where it stopped; until it is done it is not reproducible.
"""

from pathlib import Path
from typing import Any

from pipeline import tracking
from pipeline.minimise import in_loss, rounded
from pipeline.minimise.study import read
from pipeline.nested import Nested, log_nested
from pipeline.params import Params
from pipeline.sample import digests
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.tune.search import Search, search
from pipeline.workspace import Workspace, digest, write_json


def run(
    params: Params, ws: Workspace, tell: Tell = quiet, seconds: float | None = None, out: Path | None = None
) -> Summary:
    """Write `tune/tune.json`, and to `out` as well; log every trial in MLflow. `seconds` is when to stop."""
    with timed("tune") as summary:
        specs, sample = read(params, ws)
        found = search(params, ws, specs, sample, tell, seconds)
        account = {"inputs": digests(ws)} | rounded(told(params, found))
        for path in (ws.stage("tune") / "tune.json", *([out] if out else [])):
            write_json(path, account)
        tell("logging the run", len(found.trials), params.tune.trials)
        _log(ws, account)
        summary.rows_in, summary.rows_out = len(sample.bad), found.loans
        summary.counts = {"trials done": account["done"], "trials asked for": account["asked"]}
        summary.facts = facts(account)
    return summary


def told(params: Params, found: Search) -> dict[str, Any]:
    """What `tune.json` holds, but for the digests of what was learned from."""
    best = min(found.trials, key=lambda trial: (trial.log_loss, trial.number), default=None)
    gain = found.gain
    taken = best is not None and gain is not None and (gain.low or 0.0) > 0
    return {
        "seed": params.seed,
        "asked": params.tune.trials,
        "done": len(found.trials),
        "reproducible": len(found.trials) == params.tune.trials,
        "taken": taken,
        "values": best.values if best and taken else {},
        "confidence": params.evaluate.confidence,
        "defaults": {"log_loss": found.defaults},
        "best": best and {"trial": best.number, "log_loss": best.log_loss, "values": best.values},
        "gain": gain and {"value": gain.value, "low": gain.low, "high": gain.high},
        "trials": [{"trial": t.number, "log_loss": t.log_loss, "values": t.values} for t in found.trials],
    }


def facts(account: dict[str, Any]) -> dict[str, str]:
    """The lines the command prints."""
    lines = {"log-loss of the defaults": f"{account['defaults']['log_loss']:.5f}"}
    if account["best"]:
        lines["log-loss of the best trial"] = f"{account['best']['log_loss']:.5f} (trial {account['best']['trial']})"
        lines["gain on people it was not chosen by"] = in_loss(account["gain"])
    lines["verdict"] = "the defaults stay: nothing beats them beyond noise"
    if account["taken"]:
        lines["verdict"] = "the best trial wins; name this file in train.tuned to train with it"
        lines["values"] = ", ".join(f"{name} {value}" for name, value in account["values"].items())
    if not account["reproducible"]:
        lines["not reproducible"] = "stopped by the clock, and not to be released; run it again, and it goes on"
    return lines


def _log(ws: Workspace, account: dict[str, Any]) -> None:
    log = tracking.client(ws)
    parts = [Nested(f"trial {t['trial']}", t["values"], {"log_loss": t["log_loss"]}) for t in account["trials"]]
    log_nested(log, tracking.experiment(log, ws), "tune", digest(ws.need("tune", "tune.json")), account, parts)
