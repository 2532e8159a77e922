"""Evaluate: how well the model ranks, and how true its probabilities are, on later applications than it saw."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.arrays import Codes, Flags, Floats, Times
from models.metrics import measured, resampled_figures
from models.rank_order import by_decile, group
from pipeline import tracking
from pipeline.engines import read_table
from pipeline.params import Params
from pipeline.sample import KEY, codes, matched
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, digest, read_json, write_json
from saakh.errors import ContractError

AUC_SUSPECT = 0.78
"""Published AUCs of credit models on phone data alone lie between 0.61 and 0.76; above this, suspect a leak."""
BADS_FEW = 50


@dataclass(frozen=True)
class Scored:
    """Scored loans of one side; `fold` is None out of time, where one model scored them all."""

    person: Codes
    applied: Times
    bad: Flags
    log_odds: Floats
    fold: Codes | None


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Write `evaluate/metrics.json`, and add it to the model's MLflow run."""
    with timed("evaluate") as summary:
        tell("resampling", 0, 2)
        later, earlier = read_scored(ws)
        metrics = evaluate(params, later, earlier)
        metrics = {"model_sha256": digest(ws.need("train", "model.txt"))} | metrics
        write_json(ws.stage("evaluate") / "metrics.json", metrics)
        tell("logging the run", 1, 2)
        tracking.log_evaluation(params, ws)
        summary.rows_in = summary.rows_out = len(later.bad) + len(earlier.bad)
        summary.counts = {"out_of_time": len(later.bad), "out_of_fold": len(earlier.bad)}
        summary.facts = facts(metrics)
    return summary


def read_scored(ws: Workspace) -> tuple[Scored, Scored]:
    """The scored loans out of time and out of fold; scores of another model than `train.json` tells of are refused."""
    path = ws.need("train", "scores.parquet")
    if digest(path) != read_json(ws.need("train", "train.json"))["scores_sha256"]:
        raise ContractError(f"{path} is not the one train.json tells of; rerun `saakh train`")
    scores = read_table(path)
    cohort = matched(read_table(ws.need("cohort", "cohort.parquet")), scores[KEY].combine_chunks(), "cohort")
    later = pc.equal(scores["split"], "out_of_time")
    return _scored(scores, cohort, later), _scored(scores, cohort, pc.invert(later))


def evaluate(params: Params, later: Scored, earlier: Scored) -> dict[str, Any]:
    """Both sides' figures, and what a reader should be warned of."""
    found = {"out_of_time": section(params, later), "out_of_fold": section(params, earlier)}
    settings = {"confidence": params.evaluate.confidence, "resamples": params.evaluate.resamples}
    return settings | found | {"warnings": warnings(found)}


def section(params: Params, scored: Scored) -> dict[str, Any]:
    """One side's figures with intervals, its vintages, and its deciles from the riskiest."""
    how: dict[str, Any] = params.evaluate.model_dump() | {"seed": params.seed}
    months = scored.applied.astype("datetime64[M]")
    figures = measured(scored.log_odds, scored.bad, scored.person, within=scored.fold, **how)
    deciles = by_decile(scored.log_odds, scored.bad)
    return {
        "rows": len(scored.bad),
        "bads": int(scored.bad.sum()),
        "people": len(np.unique(scored.person)),
        **{name: asdict(estimate) for name, estimate in figures.items()},
        "by_vintage": [vintage(scored, months == m, str(m), how) for m in np.unique(months)],
        "by_decile": [{"decile": i} | asdict(g) for i, g in enumerate(deciles, 1)],
    }


def vintage(scored: Scored, rows: Flags, month: str, how: dict[str, Any]) -> dict[str, Any]:
    """One month of applications: what was expected and what happened."""
    log_odds, bad = scored.log_odds[rows], scored.bad[rows]
    ratio = resampled_figures(log_odds, bad, scored.person[rows], **how)["observed_expected"]
    return {"month": month} | asdict(group(log_odds, bad)) | {"observed_expected": asdict(ratio)}


def warnings(found: dict[str, Any]) -> list[str]:
    """What makes these figures doubtful, in words."""
    said = []
    for name, side in found.items():
        where, area = name.replace("_", " "), side["auc"]["value"]
        if area is None:
            said.append(f"AUC {where} cannot be computed: all {side['rows']} loans ended alike")
        elif area > AUC_SUSPECT:
            said.append(
                f"AUC {where} is {area:.3f}, above {AUC_SUSPECT}: too good for phone data alone; look for a leak"
            )
        if min(side["bads"], side["rows"] - side["bads"]) < BADS_FEW:
            said.append(f"{side['bads']} bad of {side['rows']} loans {where}: under {BADS_FEW} of a kind say little")
    return said


def facts(metrics: dict[str, Any]) -> dict[str, str]:
    """The lines a stage prints: ranking and calibration on both sides, then the warnings."""
    lines = {}
    for side in ("out_of_time", "out_of_fold"):
        for name, label in (("auc", "AUC"), ("gini", "Gini"), ("ks", "KS"), ("observed_expected", "observed/expected")):
            lines[f"{label} {side.replace('_', ' ')}"] = in_words(metrics[side][name])
    return lines | {f"warning {i}": text for i, text in enumerate(metrics["warnings"], 1)}


def in_words(estimate: dict[str, float | None]) -> str:
    """A figure with its interval, as in `0.671 (0.642 to 0.699)`."""
    if estimate["value"] is None:
        return "not defined"
    if estimate["low"] is None:
        return f"{estimate['value']:.3f}"
    return f"{estimate['value']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"


def _scored(scores: pa.Table, cohort: pa.Table, rows: pa.ChunkedArray) -> Scored:
    scores, cohort = scores.filter(rows), cohort.filter(rows)
    folds = scores["fold"]
    return Scored(
        codes(cohort["person_id"]),
        cohort["applied_at"].to_numpy(),
        scores["is_bad"].to_numpy(),
        scores["log_odds"].to_numpy(),
        None if folds.null_count else folds.to_numpy(),
    )
