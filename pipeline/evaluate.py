"""Evaluate: how well the model ranks, and how true its probabilities are, on later applications than it saw."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.arrays import Codes, Flags, Floats, Times
from models.metrics import measured, observed_expected
from models.rank_order import by_decile, group
from pipeline import tracking
from pipeline.engines import read_table
from pipeline.params import Params
from pipeline.sample import KEY, codes, positions
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
        later, earlier, returning = read_scored(ws)
        metrics = evaluate(params, later, earlier, returning)
        metrics = {"model_sha256": digest(ws.need("train", "model.txt"))} | metrics
        write_json(ws.stage("evaluate") / "metrics.json", metrics)
        tell("logging the run", 1, 2)
        tracking.log_evaluation(params, ws)
        summary.rows_in = summary.rows_out = len(later.bad) + len(earlier.bad)
        summary.counts = {"out_of_time": len(later.bad), "out_of_fold": len(earlier.bad)}
        summary.facts = facts(metrics)
    return summary


def read_scored(ws: Workspace) -> tuple[Scored, Scored, Scored]:
    """The scored loans out of time, out of fold, and of returning people.

    Scores of another model than `train.json` tells of are a `ContractError`.
    """
    cohort = read_table(ws.need("cohort", "cohort.parquet"))
    scores, returning = _scores(ws, "scores"), _scores(ws, "returning")
    later = pc.equal(scores["split"], "out_of_time")
    return (
        _scored(scores.filter(later), cohort),
        _scored(scores.filter(pc.invert(later)), cohort, with_folds=True),
        _scored(returning, cohort),
    )


def evaluate(params: Params, later: Scored, earlier: Scored, returning: Scored) -> dict[str, Any]:
    """Each side's figures, those of everybody who comes through the door later, and what to be warned of.

    Out of time are new people only, since nobody may be on two sides. Lenders lend again to those who repaid, so new
    people are riskier than all comers, and calibration is read off all comers.
    """
    found = {"out_of_time": section(params, later), "out_of_fold": section(params, earlier)}
    door = {"through_the_door": section(params, together(later, returning))}
    settings = {"confidence": params.evaluate.confidence, "resamples": params.evaluate.resamples}
    return settings | found | door | {"warnings": warnings(found)}


def together(one: Scored, other: Scored) -> Scored:
    """Both, as scores of one model."""
    both = {f: np.concatenate([getattr(one, f), getattr(other, f)]) for f in ("person", "applied", "bad", "log_odds")}
    return Scored(**both, fold=None)


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
    ratio = observed_expected(log_odds, bad, scored.person[rows], **how)
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
    lines["observed/expected through the door"] = in_words(metrics["through_the_door"]["observed_expected"])
    return lines | {f"warning {i}": text for i, text in enumerate(metrics["warnings"], 1)}


def in_words(estimate: dict[str, float | None]) -> str:
    """A figure with its interval, as in `0.671 (0.642 to 0.699)`."""
    if estimate["value"] is None:
        return "not defined"
    if estimate["low"] is None:
        return f"{estimate['value']:.3f}"
    return f"{estimate['value']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"


def _scores(ws: Workspace, name: str) -> pa.Table:
    path = ws.need("train", f"{name}.parquet")
    if digest(path) != read_json(ws.need("train", "train.json"))[f"{name}_sha256"]:
        raise ContractError(f"{path} is not the one train.json tells of; rerun `saakh train`")
    return read_table(path)


def _scored(scores: pa.Table, cohort: pa.Table, *, with_folds: bool = False) -> Scored:
    people = codes(cohort["person_id"])
    where = positions(cohort, scores[KEY].combine_chunks(), "cohort").to_numpy()
    return Scored(
        people[where],
        cohort["applied_at"].to_numpy()[where],
        scores["is_bad"].to_numpy(),
        scores["log_odds"].to_numpy(),
        scores["fold"].to_numpy() if with_folds else None,
    )
