"""From loans to the smallest consent request: search quickly, retrain the booster where it counts, look later once."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pipeline.minimise.boosters import NOTHING, Boosters, Loss
from pipeline.minimise.choice import Search, frontier, kept_again, ladder, search
from pipeline.minimise.later import both, confirmed
from pipeline.minimise.privacy import REQUIRED, SENSITIVITY, Request, burden, told
from pipeline.minimise.study import Study, study
from pipeline.params import Params
from pipeline.sample import Sample
from pipeline.summary import Tell, quiet
from saakh.spec import FeatureSpec

TRIED_MAX = 5
"""Requests the booster is asked about before all categories are asked for: each further one is one more choice."""


def minimise(params: Params, specs: Sequence[FeatureSpec], sample: Sample, tell: Tell = quiet) -> dict[str, Any]:
    """What `minimise.json` holds, but for the digests of what it was learned from."""
    chosen, data = params.minimise, study(params, specs, sample)
    found = search(data, chosen.repeats, lambda done: tell("every request, quickly", done, chosen.repeats))
    boosters, everything = Boosters(data, chosen.repeats), found.requests[-1]
    earned = _earned(boosters, everything, tell)
    tried = _tried(boosters, found)
    request = tried[-1][0]
    tell("with all rounds", len(everything), len(everything))
    later = both(params, specs, sample, [spec.name for spec in specs if spec.category in request])
    often = kept_again(found, chosen.loss_auc_max, chosen.standard_errors, params.evaluate.resamples, params.seed)
    return {
        "seed": params.seed,
        "asked": chosen.model_dump(),
        "loans": len(data.bad),
        "bads": int(data.bad.sum()),
        "people": int(data.who.max()) + 1,
        "quick": {"columns": found.columns, "penalty_rows": found.penalty, "auc": float(found.areas.value[-1])},
        "booster": {"auc": boosters.area(boosters.of(everything))},
        "everything": told(everything, data.specs),
        "categories": [_category(data, found, c, loss) | {"kept_again_share": often[c]} for c, loss in earned.items()],
        "recommended": told(request, data.specs),
        "by_figure_alone": list(found.requests[ladder(found, chosen.loss_auc_max, 0.0)[0]]),
        "tried": [_request(r) | _quick(found, r) | _boosted(loss) for r, loss in tried],
        "confirmed": confirmed(params, sample, later),
        "frontier": [_request(found.requests[k]) | _point(found, k) for k in frontier(found)],
        "cloud": [[burden(r), float(a)] for r, a in zip(found.requests, found.areas.value, strict=True)],
    }


def _earned(boosters: Boosters, everything: Request, tell: Tell) -> dict[str, Loss]:
    """What the booster loses without each category."""
    whole = boosters.of(everything)
    without = {c: boosters.of(other for other in everything if other != c) for c in everything}
    for done, columns in enumerate([whole, *without.values()]):
        tell("without each category", done, len(everything) + 1)
        boosters.scores(columns)
    return dict(zip(everything, boosters.losses(list(without.values()), whole), strict=True))


def _tried(boosters: Boosters, found: Search) -> list[tuple[Request, Loss]]:
    """The requests the booster was asked about, best first, up to the one it agrees to."""
    chosen, everything = boosters.study.params.minimise, found.requests[-1]
    tried: list[tuple[Request, Loss]] = []
    for k in ladder(found, chosen.loss_auc_max, chosen.standard_errors)[:TRIED_MAX]:
        request = found.requests[k]
        if request == everything:
            break
        loss = boosters.losses([boosters.of(request)], boosters.of(everything))[0]
        tried.append((request, loss))
        if (loss.estimate.value or 0.0) <= chosen.loss_auc_max:
            return tried
    return [*tried, (everything, NOTHING)]


def _category(data: Study, found: Search, category: str, loss: Loss) -> dict[str, Any]:
    without = tuple(c for c in found.requests[-1] if c != category)
    asked = {"category": category, "sensitivity": SENSITIVITY[category], "is_required": category == REQUIRED}
    size = {key: value for key, value in told([category], data.specs).items() if key in ("tables", "columns")}
    earns = (loss.estimate.value or 0.0) >= data.params.minimise.worth_auc
    return asked | size | _quick(found, without) | _boosted(loss) | {"earns_its_place": earns}


def _request(request: Request) -> dict[str, Any]:
    return {"categories": list(request), "burden": burden(request)}


def _quick(found: Search, request: Request) -> dict[str, Any]:
    """A request's loss by the quick learner; one it did not look at, as without the lender's own record, has none."""
    if request not in found.requests:
        return {"quick_loss": None, "quick_error": None}
    k = found.requests.index(request)
    return {"quick_loss": float(found.loss[k]), "quick_error": float(found.error[k])}


def _boosted(loss: Loss) -> dict[str, Any]:
    return {"loss": asdict(loss.estimate), "error": loss.error, "spread": loss.spread}


def _point(found: Search, k: int) -> dict[str, Any]:
    return {"auc": float(found.areas.value[k]), "loss": float(found.loss[k]), "error": float(found.error[k])}
