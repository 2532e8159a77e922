"""The membership audit: shadow models learned and attacked, and what that tells of everybody, by outcome and group."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from models.arrays import Flags, Floats
from models.discrimination import auc
from models.membership import attacks, halves, sureness, told
from pipeline.membership.shadow import Fit, seen
from pipeline.params import Params
from pipeline.sample import Sample
from pipeline.summary import Tell, quiet
from pipeline.train import learn
from saakh.spec import FeatureSpec

PEOPLE_MIN = 10
"""Of fewer nothing is said."""
EVERYBODY, DEFAULTERS, OTHERS = "everybody", "defaulters", "never bad"


def audit(
    params: Params,
    specs: Sequence[FeatureSpec],
    sample: Sample,
    groups: Mapping[str, Flags],
    tell: Tell = quiet,
    fit: Fit = learn,
) -> dict[str, Any]:
    """What `membership.json` holds, but for verdict and digests. `groups` are loans of named groups of people."""
    who = np.unique(sample.person, return_inverse=True)[1].astype(np.int64)
    people, shadows = int(who.max()) + 1, params.membership.shadows
    taught = halves(people, shadows, params.seed)
    said = np.empty((shadows, len(who)))
    for number in range(shadows):
        tell("learning shadow models", number, shadows)
        said[number] = seen(params, specs, sample, taught[number][who], fit)
    tell("attacking", shadows, shadows)
    scores = attacks(sureness(said, sample.bad), taught[:, who], who)
    measured, withheld = [], []
    for name, some in whom(sample.bad, groups, who):
        if some.sum() < PEOPLE_MIN:
            withheld.append(name)
        else:
            measured.append({"who": name, "people": int(some.sum())} | _figures(params, scores, taught, some))
    return {
        "seed": params.seed,
        "shadows": shadows,
        "people": people,
        "loans": len(who),
        "loans_a_shadow": round(float(taught[:, who].sum(axis=1).mean())),
        "shadow_auc": _ranked(said, sample, taught[:, who], params.evaluate.confidence),
        "told": measured,
        "withheld": withheld,
    }


def whom(bad: Flags, groups: Mapping[str, Flags], who: np.ndarray) -> Iterator[tuple[str, Flags]]:
    """Whom the attack is measured on: everybody, those with a bad loan and those without, and each group."""
    people = int(who.max()) + 1
    defaulted = np.bincount(who, bad, people) > 0
    yield from ((EVERYBODY, np.ones(people, dtype=bool)), (DEFAULTERS, defaulted), (OTHERS, ~defaulted))
    for name, loans in groups.items():
        yield name, np.bincount(who, loans, people) > 0


def _figures(params: Params, scores: Mapping[str, Floats], taught: Flags, some: Flags) -> dict[str, Any]:
    how: dict[str, Any] = {"confidence": params.evaluate.confidence, "resamples": params.evaluate.resamples}
    found = told({n: score[:, some] for n, score in scores.items()}, taught[:, some], **how, seed=params.seed)
    return {n: asdict(f.estimate) | {"attack": f.attack, "by_attack": f.by_attack} for n, f in found.items()}


def _ranked(said: Floats, sample: Sample, taught: Flags, confidence: float) -> float | None:
    """How well a shadow ranks loans it did not learn from, on average."""
    found = [
        auc(score[out], sample.bad[out], sample.person[out], confidence).value
        for score, out in zip(said, ~taught, strict=True)
    ]
    there = [value for value in found if value is not None]
    return float(np.mean(there)) if there else None
