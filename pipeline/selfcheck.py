"""Selfcheck: is a model too good to be true? Leaks in columns, permuted outcomes, sides that can be told apart."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from math import sqrt
from typing import Any

import numpy as np
from scipy.special import stdtrit

from models.adversarial import told_apart
from models.arrays import Floats
from models.discrimination import auc
from models.leaks import Loans, leaks
from pipeline import train
from pipeline.doubts import reasons, verdict, warnings
from pipeline.evaluate import AUC_SUSPECT
from pipeline.params import Params
from pipeline.sample import Sample, read_sample, read_specs
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, digest, read_json, write_json
from saakh.spec import FeatureSpec

REFITS_FULL = 30
"""One refit's AUC on permuted outcomes swings by 0.02; the mean of thirty tells."""
SURENESS = 0.999
APART_MAX = 0.8


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Write `selfcheck/selfcheck.json`. What it finds does not stop the run: the report and the scorecard say it."""
    with timed("selfcheck") as summary:
        specs = read_specs(ws)
        sample = read_sample(ws, specs)
        found = selfcheck(params, specs, sample, tell)
        metrics = read_json(ws.need("evaluate", "metrics.json"))
        found |= {"model_sha256": digest(ws.need("train", "model.txt"))} | too_good(metrics)
        found["verdict"] = verdict(found)
        write_json(ws.stage("selfcheck") / "selfcheck.json", found)
        summary.rows_in = summary.rows_out = len(sample.bad)
        summary.counts = {"columns": len(specs), "leaks": len(found["leaks"]), "refits": found["permuted"]["refits"]}
        summary.facts = facts(found)
    return summary


def selfcheck(params: Params, specs: Sequence[FeatureSpec], sample: Sample, tell: Tell = quiet) -> dict[str, Any]:
    """Leaks, permuted outcomes and the sides' distance, as plain JSON values."""
    split = train.split_by_time(params, sample)
    loans = Loans(
        sample.x,
        [spec.name for spec in specs],
        sample.bad,
        sample.person,
        sample.applied,
        split.development,
        split.out_of_time,
    )
    used = split.development | split.out_of_time
    told = told_apart(sample.x[used], split.out_of_time[used], sample.person[used], params.seed)
    shared = len(np.intersect1d(sample.person[split.development], sample.person[split.out_of_time]))
    return {
        "leaks": [asdict(leak) for leak in leaks(loans)],
        "people_on_both_sides": shared,
        "adversarial": {"auc": told.auc, "limit": APART_MAX, "columns": [specs[i].name for i in told.columns]},
        "permuted": permuted(params, specs, sample, tell),
    }


def permuted(params: Params, specs: Sequence[FeatureSpec], sample: Sample, tell: Tell = quiet) -> dict[str, Any]:
    """The whole of training on outcomes dealt out anew: the mean AUC on later loans must be 0.5 but for chance.

    A t test of the mean over refits, since a single one swings too widely to tell (and their spread is the error).
    """
    refits, areas = params.selfcheck.refits, []
    for number in range(refits):
        tell("refitting on permuted outcomes", number, refits)
        order = np.random.default_rng([params.seed, number]).permutation(len(sample.bad))
        dealt = replace(sample, bad=sample.bad[order])
        learned = train.learn(params, specs, dealt)
        later = learned.split.out_of_time
        area = auc(learned.log_odds[later], dealt.bad[later], dealt.person[later], params.evaluate.confidence)
        if area.value is not None:
            areas.append(area.value)
    return {"refits": refits, "full": refits >= REFITS_FULL} | mean_and_reach(np.array(areas))


def mean_and_reach(areas: Floats) -> dict[str, float | None]:
    """The mean of refits' AUCs, and how far from 0.5 it may lie by chance; None below two."""
    if len(areas) < 2:
        return {"mean_auc": float(areas.mean()) if len(areas) else None, "reach": None}
    t = float(stdtrit(len(areas) - 1, 0.5 + SURENESS / 2))
    return {"mean_auc": float(areas.mean()), "reach": t * float(areas.std(ddof=1)) / sqrt(len(areas))}


def too_good(metrics: dict[str, Any]) -> dict[str, Any]:
    """The AUC out of time against what phone data can do at all."""
    return {"auc_out_of_time": metrics["out_of_time"]["auc"]["value"], "auc_suspect": AUC_SUSPECT}


def facts(found: dict[str, Any]) -> dict[str, str]:
    """The lines a stage prints."""
    of = found["permuted"]
    lines = {"verdict": found["verdict"]}
    if of["mean_auc"] is not None:
        reach = "" if of["reach"] is None else f", by chance within 0.5 ± {of['reach']:.3f}"
        lines["AUC on permuted outcomes"] = f"{of['mean_auc']:.3f} on average of {of['refits']} refits{reach}"
    lines["AUC earlier against later"] = f"{found['adversarial']['auc']:.3f}"
    lines |= {f"failed {i}": text for i, text in enumerate(reasons(found), 1)}
    return lines | {f"warning {i}": text for i, text in enumerate(warnings(found), 1)}
