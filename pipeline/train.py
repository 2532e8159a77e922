"""Train: learn the default model on earlier applications, and score each of them by boosters that did not see it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from models.arrays import Codes, Flags, Floats
from models.boosting import Grown, Inputs, Settings, column_share_for, leaf_rows_for, leaves_for
from models.default import NOTHING, Fitted, Rows, fit, shards_for
from models.ranges import Spread, spreads
from models.refusals import withheld
from models.shards import Growing
from models.splits import Split, out_of_time, refuse_shared_people, time_blocks
from pipeline import reject_inference, tracking
from pipeline.columns import columns
from pipeline.engines import write_table
from pipeline.params import Params
from pipeline.pseudonyms import SLOTS, shard_of
from pipeline.question import refuse_other_policies
from pipeline.sample import Sample, digests, read_sample, read_specs, with_declined
from pipeline.sides import returning, scores, sides
from pipeline.spread import growing
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.tuned import mark_of
from pipeline.workspace import Workspace, digest, read_json, write_json, write_text
from saakh.errors import ConsentError, ContractError
from saakh.spec import FeatureSpec

GAP_SHARE_MAX = 0.1
SHARDS = "shards.json"


@dataclass(frozen=True)
class Learned:
    """A fitted model with all it came from; `log_odds` are NaN for loans on neither side.

    `inputs` are what the model reads, and `spreads` how they are spread over the development people. Features that say
    nothing were `dropped`, others `set_aside`, with the reason. `inference` tells of the declined learned from.
    """

    split: Split
    fold: Codes
    shards: int
    settings: Settings
    inputs: Inputs
    dropped: dict[str, str]
    set_aside: dict[str, str]
    fitted: Fitted
    log_odds: Floats
    spreads: list[Spread | None]
    inference: dict[str, Any] | None = None


@dataclass(frozen=True)
class Prepared:
    """What a model is learned from: `rows` of development, their columns `kept` of the sample, and the settings."""

    split: Split
    rows: Rows
    shards: int
    settings: Settings
    kept: list[int]
    inputs: Inputs
    dropped: dict[str, str]
    set_aside: dict[str, str]


def run(params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Write the model, the scores and `train/train.json`, and log the run with MLflow."""
    with timed("train") as summary:
        _refuse_other_purposes(ws)
        refuse_other_policies(params, read_json(ws.need("derive", "derive.json")), "derive")
        specs = read_specs(ws)
        sample = read_sample(ws, specs)
        if params.train.reject_inference != "none":
            sample = with_declined(ws, specs, sample)
        tell("fitting", 0, 2)
        with growing(params) as where:
            learned = learn(params, specs, sample, known_shards(ws), where)
        account = write(params, ws, specs, sample, learned)
        tell("logging the run", 1, 2)
        tracking.log_training(params, ws)
        sides = account["split"]
        summary.rows_in = len(sample.bad) + sample.indeterminate
        summary.counts = {side: sides[side]["rows"] for side in ("development", "out_of_time")}
        summary.rows_out = sum(summary.counts.values())
        summary.counts |= {f"excluded: {why}": rows for why, rows in sides["excluded"].items()}
        summary.facts = {
            "out of time from": sides["out_of_time_from"][:10],
            "features": f"{len(learned.inputs.names)} used of {len(specs)}",
            "trees": _in_words(learned),
        } | reject_inference.facts(learned.inference)
    return summary


def learn(
    params: Params,
    specs: Sequence[FeatureSpec],
    sample: Sample,
    known: Mapping[str, Grown] = NOTHING,
    where: Growing | None = None,
    split: Split | None = None,
) -> Learned:
    """Split by time and person, unless `split` does; fit on development, score both sides.

    Shards that are `known` are not grown again.
    """
    ready = prepared(params, specs, sample, split)
    split, kept, inputs, rows = ready.split, ready.kept, ready.inputs, ready.rows
    dev, later, aside = split.development, split.out_of_time | split.known_person, dict(ready.set_aside)
    prior = params.train.linear_prior
    fitted = fit(rows, inputs, ready.settings, params.threads, known, where, prior)
    inference = None
    if sample.declined is not None:
        again = partial(fit, inputs=inputs, settings=ready.settings, threads=params.threads, growing=where, prior=prior)
        fitted, inference = reject_inference.taught(sample, split, rows, ready.shards, kept, fitted, again)
    read = [kept[i] for i in fitted.places]
    aside |= {name: "the model does not read it" for name in inputs.names if name not in fitted.model.names}
    scored = np.full(len(dev), np.nan)
    scored[dev] = fitted.out_of_fold
    x, refusals = sample.x[np.ix_(later, np.array(read))], sample.refusals.columns(read).rows(later)
    scored[later] = fitted.model.log_odds(x, refusals)
    told = spreads(withheld(rows.x, rows.refusals), rows.person, fitted.places)
    chosen = as_inputs([specs[i] for i in read])
    return Learned(
        split, rows.fold, ready.shards, ready.settings, chosen, ready.dropped, aside, fitted, scored, told, inference
    )


def prepared(params: Params, specs: Sequence[FeatureSpec], sample: Sample, split: Split | None = None) -> Prepared:
    """Development loans with their folds and shards, the columns to learn from, and the settings that suit them."""
    split = split or split_by_time(params, sample)
    dev = split.development
    _refuse_one_class(sample.bad[dev])
    dropped, aside, kept = columns(params, specs, sample.x, sample.applied[dev], np.flatnonzero(dev))
    fold = time_blocks(sample.applied[dev], sample.person[dev], params.train.folds)
    refuse_shared_people(sample.person[dev], fold, "folds")
    shards = params.train.shards or shards_for(int(dev.sum()), int(sample.bad[dev].sum()))
    shard = shard_of((sample.key[dev] % np.uint64(SLOTS)).astype(np.int64), shards)
    settings = settings_for(params, int(dev.sum()), len(kept), shards)
    x, refusals = sample.x[np.ix_(dev, np.array(kept))], sample.refusals.columns(kept).rows(dev)
    rows = Rows(x, sample.bad[dev], sample.person[dev], fold, shard, sample.key[dev], refusals)
    return Prepared(split, rows, shards, settings, kept, as_inputs([specs[i] for i in kept]), dropped, aside)


def split_by_time(params: Params, sample: Sample) -> Split:
    """The split, with a gap for outcomes that were not yet known where there are loans to spare for it."""
    gap, most = params.train.gap_days, 1.0
    if gap is None:
        gap, most = params.label.performance_window_days, GAP_SHARE_MAX
    split = out_of_time(sample.applied, sample.person, params.train.out_of_time_share, gap, most)
    used = split.development | split.out_of_time
    refuse_shared_people(sample.person[used], split.out_of_time[used].astype(np.int64), "out-of-time split")
    return split


def settings_for(params: Params, rows: int, columns: int, shards: int) -> Settings:
    """What trees are grown with; sizes left open follow the number of development rows, of a shard's, and columns."""
    chosen = params.train
    return Settings(
        leaves=chosen.leaves or leaves_for(rows),
        leaf_rows_min=chosen.leaf_rows_min or leaf_rows_for(rows // shards),
        leaf_bads_min=chosen.leaf_bads_min,
        column_share=chosen.column_share or column_share_for(columns),
        lambda_l2=chosen.lambda_l2,
        learning_rate=chosen.learning_rate,
        rounds_max=max(1, min(chosen.rounds_max, chosen.trees_max // shards)),
        seed=params.seed,
    )


def as_inputs(specs: Sequence[FeatureSpec]) -> Inputs:
    """The specs as a booster knows them."""
    return Inputs(tuple(s.name for s in specs), tuple(s.risk for s in specs), tuple((s.low, s.high) for s in specs))


def catalogue_fingerprint(specs: Sequence[FeatureSpec]) -> str:
    """One SHA-256 over names and fingerprints, in the order of the model."""
    return hashlib.sha256("".join(f"{s.name} {s.fingerprint}\n" for s in specs).encode()).hexdigest()


def write(
    params: Params, ws: Workspace, specs: Sequence[FeatureSpec], sample: Sample, learned: Learned
) -> dict[str, Any]:
    """Write the files; returns what `train.json` holds."""
    folder = ws.stage("train")
    fitted = learned.fitted
    write_text(folder / "model.txt", fitted.model.text)
    write_json(folder / SHARDS, {name: asdict(grown) for name, grown in fitted.grown.items()})
    write_table(folder / "scores.parquet", scores(sample, learned.split, learned.fold, learned.log_odds))
    write_table(folder / "returning.parquet", returning(sample, learned.split, learned.log_odds))
    account = {
        "model_sha256": digest(folder / "model.txt"),
        "scores_sha256": digest(folder / "scores.parquet"),
        "returning_sha256": digest(folder / "returning.parquet"),
        "catalogue_fingerprint": catalogue_fingerprint([s for s in specs if s.name in learned.inputs.names]),
        "columns": list(learned.inputs.names),
        "dropped": [{"name": name, "reason": reason} for name, reason in learned.dropped.items()],
        "set_aside": learned.set_aside,
        "monotone": dict(zip(learned.inputs.names, learned.inputs.monotone, strict=True)),
        "spreads": {
            name: None if spread is None else {of: list(ends) for of, ends in asdict(spread).items()}
            for name, spread in zip(learned.inputs.names, learned.spreads, strict=True)
        },
        "inputs": digests(ws),
        "as_of": params.as_of.isoformat(),
        "seed": params.seed,
        "policy": params.policies,
        "tuned": mark_of(params),
        "parameters": asdict(learned.settings)
        | {"folds": params.train.folds, "shards": learned.shards}
        | asdict(fitted.choices),
        "calibration": asdict(fitted.model.calibration),
        "shards": list(fitted.grown),
        "split": sides(sample, learned.split),
        "out_of_fold_log_loss": fitted.losses,
        "reject_inference": learned.inference,
    }
    write_json(folder / "train.json", account)
    return account


def known_shards(ws: Workspace) -> dict[str, Grown]:
    """The shards of the last training, by digest of all they were grown from."""
    path = ws.root / "train" / SHARDS
    if not path.exists():
        return {}
    return {digest: Grown(told["text"], tuple(told["without"])) for digest, told in read_json(path).items()}


def _in_words(learned: Learned) -> str:
    chosen, settings = learned.fitted.choices, learned.settings
    return (
        f"{learned.shards} × {chosen.rounds} of {settings.leaves} leaves, {chosen.tree_weight:.0%} of the blend with a "
        f"logistic; calibration: {chosen.calibrator}"
    )


def _refuse_other_purposes(ws: Workspace) -> None:
    purpose = read_json(ws.need("cohort", "cohort.json"))["purpose"]
    if purpose != "train":
        raise ConsentError(
            f"the people in this cohort agreed to '{purpose}', which is not training; set cohort.purpose to train and "
            "run again from `saakh cohort`"
        )


def _refuse_one_class(bad: Flags) -> None:
    if bad.all() or not bad.any():
        kind = "bad" if bad.any() else "good"
        raise ContractError(
            f"all {len(bad)} development loans are {kind}: there is nothing to tell apart; check the label definition"
        )
