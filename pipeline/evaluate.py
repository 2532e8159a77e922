"""Evaluate: how well the model ranks, and how true its probabilities are, on later applications than it saw."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.arrays import Codes, Flags, Floats, Times
from models.calibration_line import calibration_line
from models.discrimination import auc
from models.metrics import measured, observed_expected
from models.rank_order import Group, by_decile, group
from models.worth import Product, worth
from pipeline import declined, tracking
from pipeline.engines import read_table
from pipeline.params import Params
from pipeline.sample import KEY, codes, positions
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, digest, read_json, write_json
from saakh.errors import ContractError

AUC_SUSPECT = 0.78
"""Published AUCs of credit models on phone data alone lie between 0.61 and 0.76; above this, suspect a leak."""
BADS_FEW = 50
TIERS = (30, 90)
"""Days of evidence at which a file stops being thin, and begins to be thick."""
TIER_NAMES = ("under 30 days seen", "30 to 89 days seen", "90 days seen or more")
MONTH_DAYS = 30
OUTSTANDING = 0.5
"""The share of the principal that is owed on average, when it is paid back in equal parts."""


FACTS = (
    *(("auc", "AUC"), ("gini", "Gini"), ("ks", "KS"), ("h_measure", "H-measure")),
    *(("observed_expected", "observed/expected"), ("calibration_slope", "calibration slope")),
)


@dataclass(frozen=True)
class Scored:
    """Scored loans of one side; `fold` is None out of time, where one model scored them all.

    `days` are the days seen in the source that shows most of them; `refused` says whether some category was closed.
    `earned` is what the loan brings when it is good, as a share of its principal; NaN where its terms are unknown.
    """

    person: Codes
    applied: Times
    bad: Flags
    log_odds: Floats
    fold: Codes | None
    days: Codes
    refused: Flags
    earned: Floats


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Write `evaluate/metrics.json`, and add it to the model's MLflow run."""
    with timed("evaluate") as summary:
        tell("resampling", 0, 2)
        later, earlier, returning = read_scored(ws)
        metrics = evaluate(params, later, earlier, returning)
        metrics = {"model_sha256": digest(ws.need("train", "model.txt"))} | metrics
        metrics["all_who_applied"] = found = of_declined(params, ws)
        write_json(ws.stage("evaluate") / "metrics.json", metrics)
        tell("logging the run", 1, 2)
        tracking.log_evaluation(params, ws)
        summary.rows_in = summary.rows_out = len(later.bad) + len(earlier.bad)
        summary.counts = {"out_of_time": len(later.bad), "out_of_fold": len(earlier.bad)}
        summary.facts = facts(metrics) | declined.facts(found)
    return summary


def of_declined(params: Params, ws: Workspace) -> dict[str, Any] | None:
    """Figures of all who applied, granted or not; None where the cohort has nobody who was declined."""
    cohort = read_table(ws.need("cohort", "cohort.parquet"))
    if not {"disbursed_at", "propensity"} <= set(cohort.column_names):
        return None  # a cohort of an earlier version
    scores, columns = _scores(ws, "scores"), [KEY, "is_bad", "log_odds"]
    later = scores.filter(pc.equal(scores["split"], "out_of_time")).select(columns)
    return declined.declined(params, ws, cohort, pa.concat_tables([later, _scores(ws, "returning").select(columns)]))


def read_scored(ws: Workspace) -> tuple[Scored, Scored, Scored]:
    """The scored loans out of time, out of fold, and of returning people.

    Scores of another model than `train.json` tells of are a `ContractError`.
    """
    cohort = with_evidence(ws, read_table(ws.need("cohort", "cohort.parquet")))
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
    shared = [f.name for f in fields(Scored) if f.name != "fold"]
    return Scored(**{f: np.concatenate([getattr(one, f), getattr(other, f)]) for f in shared}, fold=None)


def section(params: Params, scored: Scored) -> dict[str, Any]:
    """One side's figures with intervals; vintages, tiers of evidence, those who refused; deciles from the riskiest."""
    how: dict[str, Any] = {k: getattr(params.evaluate, k) for k in ("confidence", "resamples")} | {"seed": params.seed}
    loans = scored.log_odds, scored.bad, scored.person
    figures = measured(*loans, within=scored.fold, **how)
    figures |= worth(*loans, product(params, scored), **how)
    line = calibration_line(*loans, params.evaluate.confidence)
    figures |= {f"calibration_{name}": estimate for name, estimate in line.items()}
    months = scored.applied.astype("datetime64[M]")
    tier, refused = np.searchsorted(TIERS, scored.days, side="right"), scored.refused
    return {
        "rows": len(scored.bad),
        "bads": int(scored.bad.sum()),
        "people": len(np.unique(scored.person)),
        **{name: asdict(estimate) for name, estimate in figures.items()},
        "by_vintage": [{"month": str(m)} | part(scored, months == m, how) for m in np.unique(months)],
        "by_tier": [{"tier": TIER_NAMES[t]} | part(scored, tier == t, how) for t in np.unique(tier)],
        "by_refusal": [{"refused": bool(r)} | part(scored, refused == r, how) for r in np.unique(refused)],
        "by_decile": captured(by_decile(scored.log_odds, scored.bad)),
    }


def product(params: Params, scored: Scored) -> Product | None:
    """What a loan brings and costs: the parameters' word, or the loans' own terms; None where neither is known."""
    asked, known = params.evaluate, scored.earned[np.isfinite(scored.earned)]
    if asked.gain is None and len(known) == 0:
        return None
    gain = float(np.sort(known).mean()) if asked.gain is None else asked.gain
    return Product(gain, asked.no_loss_share, asked.whole_loss_share)


def part(scored: Scored, rows: Flags, how: dict[str, Any]) -> dict[str, Any]:
    """Some of the loans: how they rank, what was expected of them and what happened."""
    log_odds, bad, person = scored.log_odds[rows], scored.bad[rows], scored.person[rows]
    within = None if scored.fold is None else scored.fold[rows]
    found = {
        "auc": auc(log_odds, bad, person, how["confidence"], within),
        "observed_expected": observed_expected(log_odds, bad, person, **how),
    }
    return asdict(group(log_odds, bad)) | {name: asdict(estimate) for name, estimate in found.items()}


def captured(deciles: Sequence[Group]) -> list[dict[str, Any]]:
    """Deciles with their lift (bad rate over that of all), their gain (share of all bads from the riskiest to here).

    `in_order`: whether as few went bad as in the riskier one before, or fewer.
    """
    rows, bads = sum(g.rows for g in deciles), sum(g.bads for g in deciles)
    told, so_far = [], 0
    for i, g in enumerate(deciles, 1):
        so_far += g.bads
        lift, gain = (g.observed * rows / bads, so_far / bads) if bads else (None, None)
        in_order = i == 1 or g.observed <= deciles[i - 2].observed
        told.append({"decile": i, **asdict(g), "lift": lift, "gain": gain, "in_order": in_order})
    return told


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
        for name, label in FACTS:
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


def with_evidence(ws: Workspace, cohort: pa.Table) -> pa.Table:
    """The cohort with `days` and `refused`, from what derive saw of each application, and `earned`, from its terms."""
    coverage = read_table(ws.need("derive", "coverage.parquet"), [KEY, "status", "days_seen"])
    closed = pc.equal(coverage["status"], "closed")
    found = coverage.append_column("closed", closed).group_by(KEY).aggregate([("days_seen", "max"), ("closed", "any")])
    found = found.take(positions(found, cohort[KEY].combine_chunks(), "coverage"))
    months = pc.divide(pc.cast(cohort["tenor_days"], pa.float64()), 30.0)
    earned = pc.multiply(
        pc.multiply(pc.divide(pc.cast(cohort["rate_bp_month"], pa.float64()), 1e4), months), OUTSTANDING
    )
    cohort = cohort.append_column("days", found["days_seen_max"]).append_column("refused", found["closed_any"])
    return cohort.append_column("earned", earned)


def _scored(scores: pa.Table, cohort: pa.Table, *, with_folds: bool = False) -> Scored:
    people = codes(cohort["person_id"])
    where = positions(cohort, scores[KEY].combine_chunks(), "cohort").to_numpy()
    return Scored(
        people[where],
        cohort["applied_at"].to_numpy()[where],
        scores["is_bad"].to_numpy(),
        scores["log_odds"].to_numpy(),
        scores["fold"].to_numpy() if with_folds else None,
        cohort["days"].to_numpy()[where],
        cohort["refused"].to_numpy()[where],
        cohort["earned"].to_numpy()[where].astype(np.float64),
    )
