"""Models that may rank as well and treat groups more alike: other seeds, fewer inputs, directions not held to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from typing import Any

import numpy as np

from models.arrays import Flags, Floats
from pipeline.fairness.groups import Grouping
from pipeline.minimise.ranks import levels
from pipeline.params import Params
from pipeline.proxies.audit import declared as features_of
from pipeline.sample import Sample
from saakh.spec import FeatureSpec

TOLD_SHARES = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5)
"""Of all features, the shares that are left out because they tell most of an attribute."""
SEEDS = 8
MIXED_SEEDS = 1_000


@dataclass(frozen=True)
class Candidate:
    """What is changed, beside the seed.

    Categories left out; families whose directions are not held to; for an attribute, the share of features left out
    that tell most of it.
    """

    seed: int = 0
    without: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    told: tuple[tuple[str, float], ...] = ()

    def words(self) -> str:
        """The change in words."""
        said = [f"without {name}" for name in self.without]
        said += [f"without the {share:.0%} of features that tell most of {name}" for name, share in self.told]
        said += [f"no directions in {name}" for name in self.free]
        return ", ".join([*said, *([f"seed +{self.seed}"] if self.seed else [])]) or "as trained"

    def asked(self) -> dict[str, Any]:
        """The change as values."""
        return {"seed": self.seed, "without": self.without, "free": self.free, "told": dict(self.told)}


def candidates(
    categories: Sequence[str], families: Sequence[str], attributes: Sequence[str], most: int, seed: int
) -> list[Candidate]:
    """So many different candidates: one change each first, in turns of their kinds, then several at a time, drawn."""
    singles = chain.from_iterable(
        zip_longest(
            (Candidate(told=((name, share),)) for share in TOLD_SHARES for name in attributes),
            (Candidate(without=(name,)) for name in categories if len(categories) > 1),
            (Candidate(free=some) for some in (tuple(families), *((name,) for name in families))),
            (Candidate(seed=k) for k in range(1, SEEDS + 1)),
        )
    )
    found = dict.fromkeys(c for c in singles if c is not None)
    rng = np.random.default_rng(seed)
    while len(found) < most:
        found[_mixed(rng, categories, families, attributes)] = None
    return list(found)[:most]


def _mixed(
    rng: np.random.Generator, categories: Sequence[str], families: Sequence[str], attributes: Sequence[str]
) -> Candidate:
    without = [c for c in categories if rng.random() < 0.2]
    free = [f for f in families if rng.random() < 0.2]
    told = [(a, TOLD_SHARES[rng.integers(len(TOLD_SHARES))]) for a in attributes if rng.random() < 0.6]
    kept = without if len(without) < len(categories) else without[:-1]
    return Candidate(int(rng.integers(1, MIXED_SEEDS)), tuple(kept), tuple(free), tuple(told))


def told_by(
    specs: Sequence[FeatureSpec], x: Floats, groupings: Sequence[Grouping], rows: Flags
) -> dict[str, list[str]]:
    """For each attribute the features, those first that tell most of it: rank correlation with one of its groups."""
    names, ranks = features_of(specs), levels(x[rows])
    found = {}
    for by in groupings:
        known = by.code[rows] >= 0
        telling = _telling(ranks[known], by.code[rows][known], len(by.names))
        best: dict[str, float] = {}
        for name, tells in zip(names, telling.tolist(), strict=True):
            best[name] = max(best.get(name, 0.0), tells)
        found[by.attribute] = sorted(best, key=lambda name: (-best[name], name))
    return found


def _telling(ranks: Floats, code: np.ndarray, count: int) -> Floats:
    inside = np.stack([code == g for g in range(count)], axis=1).astype(np.float64)
    centred, sides = ranks - ranks.mean(axis=0), inside - inside.mean(axis=0)
    size = np.sqrt(np.einsum("rc,rc->c", centred, centred))[:, None] * np.sqrt((sides**2).sum(axis=0))[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        together = np.abs(np.einsum("rc,rg->cg", centred, sides)) / size
    return np.asarray(np.nan_to_num(np.round(together, 9)).max(axis=1), dtype=np.float64)


def applied(
    one: Candidate, params: Params, specs: Sequence[FeatureSpec], sample: Sample, told: Mapping[str, Sequence[str]]
) -> tuple[Params, list[FeatureSpec], Sample]:
    """What `train` learns the candidate from."""
    out = set(chain.from_iterable(told[name][: max(1, round(share * len(told[name])))] for name, share in one.told))
    at = [
        i
        for i, (spec, feature) in enumerate(zip(specs, features_of(specs), strict=True))
        if spec.category not in one.without and feature not in out
    ]
    kept = [replace(specs[i], risk=0) if specs[i].family in one.free else specs[i] for i in at]
    return (
        params.model_copy(update={"seed": params.seed + one.seed}),
        kept,
        replace(sample, x=sample.x[:, at], refusals=sample.refusals.columns(at)),
    )


def kinds(specs: Sequence[FeatureSpec]) -> Iterator[tuple[str, ...]]:
    """The categories there are, then the families that hold directions."""
    yield tuple(sorted({spec.category for spec in specs}))
    yield tuple(sorted({spec.family for spec in specs if spec.risk}))
