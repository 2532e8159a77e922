"""The proxy audit: how well the features tell what they should not, what it takes to stop that, and what it costs."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from features.catalogue import all_features
from models.arrays import Codes, Flags, Floats
from models.discrimination import auc
from models.lone import threads_for
from pipeline.minimise.boosters import NOTHING, Boosters
from pipeline.minimise.later import Both, both, confirmed
from pipeline.minimise.ranks import apart
from pipeline.minimise.study import Study, study
from pipeline.params import Params
from pipeline.proxies.drop import Dropping, area_of, bundled, drop
from pipeline.proxies.giveaway import Giveaway, enough, giveaway, told_later
from pipeline.proxies.protected import Target
from pipeline.sample import Sample
from pipeline.summary import Tell, quiet
from pipeline.train import split_by_time
from saakh.errors import ConsentError
from saakh.spec import FeatureSpec

RANKED_MOST = 10
"""Features named of those that give a target away."""


def audit(
    params: Params, specs: Sequence[FeatureSpec], sample: Sample, targets: Sequence[Target], tell: Tell = quiet
) -> dict[str, Any]:
    """What `proxies.json` holds, but for the digests of what it was learned from."""
    data, split = study(params, specs, sample), split_by_time(params, sample)
    dev, later = split.development, split.out_of_time
    measured = [t for t in targets if enough(t.value, dev, params.proxies.side_min)]
    refuse_nothing(measured, targets, params)
    bundle, members = bundled(data, declared(data.specs))
    everything = np.arange(len(data.specs))
    first = _all(data, measured, dev, everything, 0, "before", tell)
    values = {t.name: t.value[dev] for t in measured}
    dropping = drop(data, bundle, values, {name: area_of(found) for name, found in first.items()}, tell)
    kept = dropping.columns()
    # other folds than those the choice was made on
    fresh = params.proxies.repeats
    before, after = (
        _all(data, measured, dev, columns, fresh, when, tell)
        for columns, when in ((everything, "before, on other folds"), (kept, "after"))
    )
    out = {feature for name in dropping.dropped for feature in members[name]}
    tell("the model without them", 0, 1)
    allowed = [spec.name for spec, feature in zip(specs, declared(specs), strict=True) if feature not in out]
    models = both(params, specs, sample, allowed)
    sides = {"before": (before, everything), "after": (after, kept)}
    return {
        "seed": params.seed,
        "asked": params.proxies.model_dump(),
        "loans": len(data.bad),
        "columns": len(data.specs),
        "targets": [
            _target(params, data, sample, t, dev, later, sides)
            | {"by_score": _by_score(params, sample, t, models)}
            | {"gives_away": _named(dropping, members, first[t.name], everything)}
            for t in measured
        ],
        "not_measured": [{"name": t.name, "kind": t.kind} for t in targets if t not in measured],
        "steps": [asdict(step) | {"bundles": len(step.bundles)} for step in dropping.steps],
        "leave_out": sorted(out),
        "columns_left": len(kept),
        "model": _model(data, kept, dropping) | {"confirmed": confirmed(params, sample, models)},
    }


def declared(specs: Sequence[FeatureSpec]) -> list[str]:
    """The declared feature each column belongs to: what `derive.leave_out` can name."""
    known = {column: feature.name for feature in all_features() for column in feature.columns}
    return [known.get(spec.name, spec.name) for spec in specs]


def refuse_nothing(measured: Sequence[Target], targets: Sequence[Target], params: Params) -> None:
    """A `ConsentError` when there is nobody to measure on: an audit that saw nothing must not look like one passed."""
    if not measured:
        raise ConsentError(
            f"none of {len(targets)} targets has {params.proxies.side_min} development loans on either side of people "
            "who agreed to `research`: ask for that purpose (category profile, and those of the life events' tables), "
            "or lower proxies.side_min"
        )


def _all(
    data: Study, targets: Sequence[Target], dev: Flags, columns: Codes, repeat: int, when: str, tell: Tell
) -> dict[str, Giveaway]:
    """How well these columns tell each target."""
    kept, found = apart(data.near, columns, data.params.train.alike_max), {}
    for done, target in enumerate(targets):
        tell(f"{target.name}, {when}", done, len(targets))
        found[target.name] = giveaway(data, target.value[dev], kept, repeat)
    return found


def _target(
    params: Params,
    data: Study,
    sample: Sample,
    target: Target,
    dev: Flags,
    later: Flags,
    sides: dict[str, tuple[dict[str, Giveaway], Codes]],
) -> dict[str, Any]:
    """What is said of one target: who it was measured on, and how well it is told before and after the drop."""
    known = int((~np.isnan(target.value[dev])).sum())
    said: dict[str, Any] = {"name": target.name, "kind": target.kind, "meaning": target.meaning, "loans": known}
    said["share"] = float(np.nanmean(target.value[dev]))
    for when, (found, columns) in sides.items():
        told = {"out_of_fold": asdict(found[target.name].auc), "out_of_time": None}
        if enough(target.value, later, params.proxies.side_min):
            kept = apart(data.near, columns, params.train.alike_max)
            told["out_of_time"] = asdict(_later(params, data, sample, target.value, found[target.name], kept, later))
        said[when] = told
    said["is_at_goal"] = area_of(sides["after"][0][target.name]) <= params.proxies.goal_auc
    return said


def _later(
    params: Params, data: Study, sample: Sample, value: Floats, found: Giveaway, kept: Codes, rows: Flags
) -> Any:
    x = sample.x[np.ix_(rows, data.at[kept])]
    confidence, threads = params.evaluate.confidence, threads_for(x.size, params.threads)
    return told_later(found, x, value[rows], sample.person[rows], confidence, threads)


def _by_score(params: Params, sample: Sample, target: Target, models: Both) -> dict[str, Any]:
    """How well the model's own score tells a target, out of fold: what reaches a decision."""
    rows = models.development & ~np.isnan(target.value)
    holds, person, fold = target.value[rows] > 0, sample.person[rows], models.fold[rows]
    scores = {"before": models.whole[rows], "after": models.some[rows]}
    return {when: asdict(auc(s, holds, person, params.evaluate.confidence, fold)) for when, s in scores.items()}


def _named(
    dropping: Dropping, members: dict[str, tuple[str, ...]], found: Giveaway, everything: Codes
) -> list[dict[str, Any]]:
    """The features that give a target away, by their share of what all together do, the worst first."""
    shares = dropping.shares(found, everything)
    worst = sorted(shares, key=lambda name: (-shares[name], name))[:RANKED_MOST]
    return [
        {"features": list(members[name]), "share": shares[name], "is_dropped": name in dropping.dropped}
        for name in worst
        if shares[name] > 0
    ]


def _model(data: Study, kept: Codes, dropping: Dropping) -> dict[str, Any]:
    """What the model loses: by the quick learner that the choice was made with, and by boosters learned again."""
    loss, boosters = NOTHING, Boosters(data, data.params.proxies.repeats)
    if dropping.dropped:
        whole = tuple(range(len(data.specs)))
        loss = boosters.losses([tuple(kept.tolist())], whole)[0]
    quick = dropping.steps[-1].loss if dropping.steps else 0.0
    return {"quick_loss": quick, "loss": asdict(loss.estimate), "error": loss.error, "spread": loss.spread}
