"""Judge: hold a model's scores against the truth of a synthetic population, which nobody else may read.

What no lender can measure: how close a model comes to the best possible ranking, how true its probabilities are loan
by loan, and whether the intervals it was reported with cover the truth.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.arrays import Flags, Floats, Times
from models.metrics import probability
from pipeline.engines import read_table
from pipeline.params import Params
from pipeline.pseudonyms import Pseudonyms, read_key
from pipeline.simulate import oracle_path
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, read_json, write_json
from saakh.errors import ContractError

KEY = "application_id"


def run(params: Params, ws: Workspace, _tell: Tell = quiet) -> Summary:
    """Write `judge/judge.json`: ranking, calibration and interval coverage of the out-of-time scores."""
    with timed("judge") as summary:
        scores = read_table(ws.need("train", "scores.parquet"))
        scores = scores.filter(pc.equal(scores["split"], "out_of_time"))
        truth = matched_truth(scores, read_table(oracle_path(params)), Pseudonyms(read_key(params.ingest)))
        metrics = read_json(ws.need("evaluate", "metrics.json"))["out_of_time"]
        score, bad = scores["log_odds"].to_numpy(), scores["is_bad"].to_numpy(zero_copy_only=False)
        pd, applied = truth["true_pd"].to_numpy(), truth["applied_at"].to_numpy()
        verdict = judge(score, bad, pd, applied, metrics)
        write_json(ws.stage("judge") / "judge.json", verdict)
        summary.rows_in = summary.rows_out = len(score)
        summary.facts = facts(verdict)
    return summary


def matched_truth(scores: pa.Table, oracle: pa.Table, pseudonyms: Pseudonyms) -> pa.Table:
    """The oracle's rows for the scored applications, in their order; the key turns raw ids into pseudonyms."""
    names = [pseudonyms.one("application", name) for name in oracle["application"].to_pylist()]
    place = pc.index_in(scores[KEY], value_set=pa.array(names, pa.string()))
    if place.null_count:
        raise ContractError(
            f"{place.null_count} of {len(place)} scored applications are not in the oracle; judge the sample that "
            "simulate wrote last, with its own key"
        )
    return oracle.take(place)


def judge(score: Floats, bad: Flags, pd: Floats, applied: Times, metrics: dict[str, Any]) -> dict[str, Any]:
    """The verdict on scores (log-odds of bad) of loans with true probabilities `pd`; `metrics` is what was reported."""
    return {
        "rows": len(score),
        "ranking": ranking(score, bad, pd),
        "calibration": calibration(score, pd),
        "intervals": intervals(score, pd, applied, metrics),
    }


def ranking(score: Floats, bad: Flags, pd: Floats) -> dict[str, float]:
    """AUC of the model and of the truth, against outcomes and as expected over all outcomes the truth allows.

    The share of reachable lift is (model's expected AUC − 0.5) / (oracle's expected AUC − 0.5).
    """
    model, best = expected_auc(score, pd), expected_auc(pd, pd)
    return {
        "model_auc": expected_auc(score, bad.astype(np.float64)),
        "oracle_auc": expected_auc(pd, bad.astype(np.float64)),
        "model_auc_expected": model,
        "oracle_auc_expected": best,
        "reachable_lift_share": (model - 0.5) / (best - 0.5),
    }


def expected_auc(score: Floats, weight: Floats) -> float:
    """Chance that a bad loan scores above a good one when loan i is bad with probability `weight[i]` (ties half)."""
    order = np.argsort(score, kind="stable")
    ranked, bad = score[order], weight[order]
    first = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    bads, goods = np.add.reduceat(bad, first), np.add.reduceat(1 - bad, first)
    below = np.cumsum(goods) - goods
    return float((bads * (below + goods / 2)).sum() / (bads.sum() * goods.sum()))


def calibration(score: Floats, pd: Floats) -> dict[str, Any]:
    """Predicted against true probabilities: overall, per tenth of the score, and the slope of truth on score.

    `error_rms` is in log-odds; a slope under 1 means scores too far apart, above 1 too close together.
    """
    predicted, truth = probability(score), np.log(pd / (1 - pd))
    tenths = np.array_split(np.argsort(-score, kind="stable"), min(10, len(score)))
    return {
        "expected_over_true": float(predicted.sum() / pd.sum()),
        "slope": float(np.cov(truth, score)[0, 1] / score.var(ddof=1)),
        "error_rms": float(np.sqrt(((truth - score) ** 2).mean())),
        "by_decile": [{"predicted": float(predicted[t].mean()), "true": float(pd[t].mean())} for t in tenths],
    }


def intervals(score: Floats, pd: Floats, applied: Times, metrics: dict[str, Any]) -> dict[str, Any]:
    """Of the reported intervals (AUC; observed over expected, overall and by month), how many cover the truth."""
    predicted, months = probability(score), applied.astype("datetime64[M]").astype(str)
    checks = [(metrics["auc"], expected_auc(score, pd)), (metrics["observed_expected"], pd.sum() / predicted.sum())]
    for vintage in metrics["by_vintage"]:
        rows = months == vintage["month"]
        checks.append((vintage["observed_expected"], pd[rows].sum() / predicted[rows].sum()))
    known = [(estimate, truth) for estimate, truth in checks if estimate["low"] is not None]
    covered = [bool(estimate["low"] <= truth <= estimate["high"]) for estimate, truth in known]
    return {"reported": len(known), "covering": sum(covered), "auc_covers": covered[0] if covered else None}


def facts(verdict: dict[str, Any]) -> dict[str, str]:
    """The lines a stage prints."""
    ranks, truth, bands = verdict["ranking"], verdict["calibration"], verdict["intervals"]
    return {
        "AUC of model and oracle": f"{ranks['model_auc']:.3f} and {ranks['oracle_auc']:.3f}",
        "share of reachable lift": f"{ranks['reachable_lift_share']:.1%}",
        "expected over true default rate": f"{truth['expected_over_true']:.3f}",
        "slope of true log-odds on score": f"{truth['slope']:.3f}",
        "intervals that cover the truth": f"{bands['covering']} of {bands['reported']}",
    }
