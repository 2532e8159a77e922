"""The search for a less discriminatory alternative: many models, and of those as accurate the one that is fairest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.arrays import Flags, Floats
from models.discrimination import Estimate
from models.fairness import gaps
from models.resampling import interval, resampled
from pipeline.fairness.candidates import Candidate, applied, candidates, kinds, told_by
from pipeline.fairness.groups import Grouping
from pipeline.fairness.measured import Scores, cut_offs
from pipeline.membership.shadow import Fit
from pipeline.minimise.paired import area, areas, losses
from pipeline.params import Params
from pipeline.sample import Sample
from pipeline.summary import Tell, quiet
from pipeline.train import learn
from saakh.errors import ContractError
from saakh.spec import FeatureSpec

APPROVED_LEAST, APPROVED_OTHERWISE = 0.05, 0.5
"""Cut-offs that approve nearly all or none cannot tell groups apart; where all do, half are taken to be approved."""


@dataclass(frozen=True)
class Steered:
    """What the search goes by: the groups large enough for it, and the shares approved at the model's own cut-offs."""

    groupings: tuple[Grouping, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Tried:
    """A candidate out of fold: area, its loss against the model, and the disparity of each attribute."""

    candidate: Candidate
    auc: float
    loss: float
    by_attribute: dict[str, float]

    @property
    def disparity(self) -> float:
        """That of the attribute treated most unalike."""
        return max(self.by_attribute.values())


def search(
    params: Params,
    specs: Sequence[FeatureSpec],
    sample: Sample,
    scores: Scores,
    groupings: Sequence[Grouping],
    tell: Tell = quiet,
    fit: Fit = learn,
) -> dict[str, Any]:
    """What was tried, the frontier, and the alternative found, if any. Chosen out of fold, then held to later loans."""
    dev, most = scores.development, params.fairness.candidates
    steered = Steered(
        tuple(_large(g, sample, dev, params.fairness.people_min) for g in groupings), _shares(params, scores, dev)
    )
    steered = Steered(tuple(g for g in steered.groupings if len(g.names) > 1), steered.shares)
    if not most or not steered.groupings:
        return {"candidates": 0, "alternative": None}
    told, (categories, families) = told_by(specs, sample.x, steered.groupings, dev), kinds(specs)
    names = [g.attribute for g in steered.groupings]
    base = _tried(Candidate(), scores.log_odds, scores.log_odds, sample, scores, steered)
    tried: list[tuple[Tried, Floats]] = []
    for number, one in enumerate(candidates(categories, families, names, most, params.seed)):
        tell("learning candidates", number, most)
        changed = applied(one, params, specs, sample, told)
        if not changed[1]:
            continue
        tried.append(_learned(one, fit(*changed), sample, scores, steered))
    if not tried:
        return {"candidates": 0, "alternative": None}
    within = [t for t in tried if t[0].loss <= params.fairness.loss_auc_max]
    best = min(within, key=lambda t: (t[0].disparity, t[0].loss, t[0].candidate.words()), default=None)
    found = _found(base, [t for t, _ in tried], names, steered)
    if best is None:
        return found | {"best": None, "alternative": None}
    enough = best[0].disparity <= (1 - params.fairness.less_min) * base.disparity
    sides = _confirmed(params, sample, scores, best[1], steered)
    words = best[0].candidate.words() if enough else None
    return found | {"best": _said(best[0]) | {"sides": sides}, "alternative": words}


def _found(base: Tried, tried: Sequence[Tried], names: Sequence[str], steered: Steered) -> dict[str, Any]:
    """What was tried, and what none of it beats on both accuracy and disparity."""
    return {
        "candidates": len(tried),
        "shares_approved": list(steered.shares),
        "attributes": list(names),
        "as_trained": _said(base),
        "cloud": [[t.auc, t.disparity] for t in tried],
        "frontier": [_said(t) for t in frontier([base, *tried])],
    }


def frontier(tried: Sequence[Tried]) -> list[Tried]:
    """Those that no other beats on both: from the most accurate to the fairest."""
    best: list[Tried] = []
    for one in sorted(tried, key=lambda t: (-t.auc, t.disparity, t.candidate.words())):
        if not best or one.disparity < best[-1].disparity:
            best.append(one)
    return best


def approved(log_odds: Floats, shares: Sequence[float]) -> Flags:
    """Who is approved when so many are, the safest first (loans × shares): models are compared at equal approval."""
    cuts = np.quantile(log_odds, shares, method="inverted_cdf")
    return np.asarray(log_odds[:, None] <= cuts[None, :])


def _learned(one: Candidate, found: Any, sample: Sample, scores: Scores, steered: Steered) -> tuple[Tried, Floats]:
    if not np.array_equal(found.split.development, scores.development):
        raise ContractError("a candidate learned from other loans than the model did; rerun `saakh train`")
    return _tried(one, found.log_odds, scores.log_odds, sample, scores, steered), found.log_odds


def _tried(one: Candidate, log_odds: Floats, own: Floats, sample: Sample, scores: Scores, steered: Steered) -> Tried:
    dev = scores.development
    pair = np.stack([own[dev], log_odds[dev]], axis=1)
    whole, some = area(pair, sample.bad[dev], scores.fold[dev])
    found = _disparities(log_odds, dev, steered)(np.ones((1, int(dev.sum()))))[0]
    by = dict(zip((g.attribute for g in steered.groupings), found.tolist(), strict=True))
    return Tried(one, float(some), float(whole - some), by)


def _disparities(log_odds: Floats, rows: Flags, steered: Steered) -> Callable[[Floats], Floats]:
    """Each attribute's disparity on some loans, as a function of weights (samples × loans)."""
    inside = approved(log_odds[rows], steered.shares)

    def figures(weights: Floats) -> Floats:
        return np.stack([gaps(inside, g.code[rows], len(g.names), weights) for g in steered.groupings], axis=1)

    return figures


def _confirmed(
    params: Params, sample: Sample, scores: Scores, log_odds: Floats, steered: Steered
) -> dict[str, dict[str, Any]]:
    """On each side what the alternative loses and what disparity it takes away, each with its interval by person."""
    found = {}
    for side, rows in scores.sides.items():
        bad, fold = sample.bad[rows], scores.fold[rows]
        who = np.unique(sample.person[rows], return_inverse=True)[1].astype(np.int64)
        pair = np.stack([log_odds[rows], scores.log_odds[rows]], axis=1)
        how = params.evaluate
        loss = losses(areas(pair, bad, fold, who), 1, how.confidence, how.resamples, params.seed)[0]
        found[side] = {"loss": asdict(loss)} | _lessened(params, who, rows, scores.log_odds, log_odds, steered)
    return found


def _lessened(
    params: Params, who: np.ndarray, rows: Flags, own: Floats, other: Floats, steered: Steered
) -> dict[str, Any]:
    """The worst attribute's disparity as trained and of the alternative, and by how much of it that is less."""
    before, after = (_disparities(log_odds, rows, steered) for log_odds in (own, other))

    def figures(weights: Floats) -> Floats:
        first, second = before(weights).max(axis=1), after(weights).max(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.stack([first, second, 1 - second / first], axis=1)

    value, how = figures(np.ones((1, len(who))))[0], params.evaluate
    drawn = resampled(figures, who, how.resamples, params.seed)
    names = ("as_trained", "alternative", "less_share")
    return {
        n: asdict(_estimate(v, drawn[:, i], how.confidence)) for i, (n, v) in enumerate(zip(names, value, strict=True))
    }


def _estimate(value: float, drawn: Floats, confidence: float) -> Estimate:
    return interval(float(value), drawn, confidence)


def _large(by: Grouping, sample: Sample, rows: Flags, people_min: int) -> Grouping:
    """The grouping with its large groups alone."""
    large = [g for g in range(len(by.names)) if len(np.unique(sample.person[rows & (by.code == g)])) >= people_min]
    place = {g: i for i, g in enumerate(large)}
    code = np.array([place.get(g, -1) for g in by.code.tolist()], dtype=np.int64)
    return Grouping(by.attribute, tuple(by.names[g] for g in large), code)


def _shares(params: Params, scores: Scores, rows: Flags) -> tuple[float, ...]:
    """The shares that the model's own cut-offs approve, but for those that approve nearly all or none."""
    every = [float((scores.log_odds[rows] <= cut["log_odds"]).mean()) for cut in cut_offs(params)]
    kept = [share for share in every if APPROVED_LEAST <= share <= 1 - APPROVED_LEAST]
    return tuple(kept) or (APPROVED_OTHERWISE,)


def _said(tried: Tried) -> dict[str, Any]:
    said: Mapping[str, Any] = tried.candidate.asked()
    return {
        "what": tried.candidate.words(),
        "asked": said,
        "auc": tried.auc,
        "loss": tried.loss,
        "disparity": tried.disparity,
        "by_attribute": tried.by_attribute,
    }
