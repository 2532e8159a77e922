"""The table: each model's figures with intervals, and what it is ahead or behind by on the very same loans."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.table import Table

from models.metrics import measured
from pipeline.compare.learned import OWN, Outcome
from pipeline.minimise.paired import areas, losses
from pipeline.params import Params

SHOWN = {"auc": "AUC", "gini": "Gini", "ks": "KS", "log_loss": "log-loss", "brier": "Brier"}
HOW_TO_INSTALL = "the extra `challengers` brings XGBoost and EBM, catboost and optbinning the others"


def figures(params: Params, found: Sequence[Outcome]) -> list[dict[str, Any]]:
    """A row a model. `ahead` is its AUC less the default model's; its interval draws people for both at once."""
    there = {one.name: one.log_odds for one in found if one.log_odds is not None}
    rows, how = found[0].rows, params.evaluate
    who = np.unique(rows.person, return_inverse=True)[1].astype(np.int64)
    pairs = areas(np.stack(list(there.values()), axis=1), rows.bad, rows.fold, who)
    behind = losses(pairs, 0, how.confidence, how.resamples, params.seed)
    drawn: dict[str, Any] = {"confidence": how.confidence, "resamples": how.resamples, "seed": params.seed}
    told: dict[str, dict[str, Any]] = {}
    for (name, score), loss in zip(there.items(), behind, strict=True):
        each = measured(score, rows.bad, rows.person, within=rows.fold, **drawn)
        ahead = {"value": -(loss.value or 0.0) + 0.0, "low": _less(loss.high), "high": _less(loss.low)}
        told[name] = {figure: asdict(each[figure]) for figure in SHOWN} | {"ahead": None if name == OWN else ahead}
    return [
        {"name": one.name, "settings": one.settings, "installed": one.name in told} | told.get(one.name, {})
        for one in found
    ]


def verdict(models: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Which challenger came nearest, and which, if any, ranks better than the default model beyond chance."""
    others = [m for m in models if m["installed"] and m["name"] != OWN]
    best = max(others, key=lambda m: m["auc"]["value"], default=None)
    beats = [m["name"] for m in others if (m["ahead"]["low"] or 0.0) > 0]
    if best is None:
        return {"challenger": None, "better": [], "verdict": "no challenger is installed"}
    said = f"no challenger ranks better than {OWN} beyond chance; {best['name']} comes nearest"
    if beats:
        said = f"{', '.join(beats)} ranks better than {OWN} beyond chance: find out why before a release"
    return {"challenger": best["name"], "better": beats, "verdict": said}


def as_table(account: dict[str, Any], seconds: dict[str, float]) -> Table:
    """The account as a table to print, narrow enough for 80 columns."""
    title = (
        f"{account['loans']:,} loans, {account['bads']:,} bad, {account['folds']} folds in time by person; "
        f"intervals at {account['confidence']:.0%}"
    )
    said = "\n".join(f"{model['name']}: {model['settings']}" for model in account["models"] if model["installed"])
    if lacking := [model["name"] for model in account["models"] if not model["installed"]]:
        said += f"\nnot installed: {', '.join(lacking)}; {HOW_TO_INSTALL}"
    table = Table(title=title, caption=said, box=None, padding=(0, 1, 0, 0), title_justify="left")
    table.caption_justify = "left"
    table.add_column("model", no_wrap=True, style="bold")
    for heading in (*SHOWN.values(), "AUC ahead", "CPU s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for model in (model for model in account["models"] if model["installed"]):
        cells = [_cell(model[name]) for name in SHOWN]
        ahead = _cell(model["ahead"], "+.3f") if model["ahead"] else ""
        table.add_row(model["name"], *cells, ahead, f"{seconds[model['name']]:.1f}")
    return table


def _cell(estimate: dict[str, Any], form: str = ".3f") -> str:
    """A figure above its interval, without zeros before the point."""
    if estimate["value"] is None:
        return "undefined"
    value, *ends = (format(e, form).replace("0.", ".", 1) for e in estimate.values() if e is not None)
    return f"{value}\n[dim]{'…'.join(ends)}[/dim]" if ends else value


def _less(value: float | None) -> float | None:
    return None if value is None else -value
