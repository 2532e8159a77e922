"""Worlds without events: the same people, loans and outcomes, with features drawn straight from what shows of a person.

For studies that need hundreds of worlds or millions of applications in minutes. How each feature depends on what is
shown is measured once on a world with events (`measure`) and kept in `measured.json`: its quantiles, how its normal
score loads on shown traits, life stage, and length of history, and which factors the rest shares with other features.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from pipeline.workspace import read_json, write_text
from pipeline.world.clock import DAY, Span
from pipeline.world.draws import Draws, Flags, Floats, Ints
from pipeline.world.knobs import Knobs
from pipeline.world.part import Drawn, Part, drawn
from pipeline.world.traits import CLARITY, STAGES

MEASURED = Path(__file__).with_name("measured.json")
LEVELS = (0.0, 0.003, 0.01, 0.03, *(round(0.05 * k, 2) for k in range(1, 20)), 0.97, 0.99, 0.997, 0.9995, 1.0)
FACTORS = 40
LASTING = 0.6
"""The share of a feature's own variation that a person keeps from one application to the next."""


@dataclass(frozen=True)
class Measured:
    """How features follow from what shows: one row a feature in each list.

    `own` is the spread no other feature shares; `is_whole` marks counts and flags.
    """

    names: Sequence[str]
    families: Sequence[str]
    missing: Sequence[float]
    quantiles: Sequence[Sequence[float]]
    loadings: Sequence[Sequence[float]]
    factors: Sequence[Sequence[float]]
    own: Sequence[float]
    is_whole: Sequence[bool]


@dataclass(frozen=True)
class Sample:
    """Applications × features (NaN where missing), and the truth about each application."""

    x: Floats
    names: Sequence[str]
    families: Sequence[str]
    person: Ints
    applied_at: Ints
    log_odds: Floats
    pd: Floats
    is_bad: Flags
    is_granted: Flags
    propensity: Floats


@lru_cache(maxsize=1)
def measured() -> Measured:
    """What was measured on the base world with events."""
    return Measured(**read_json(MEASURED))


def sample(first: int, last: int, seed: int, knobs: Knobs, span: Span, how: Measured | None = None) -> Sample:
    """The applications of people `first` to `last` by number, without a single event."""
    how = how or measured()
    told = drawn(Part(0, first, last, seed, knobs, span))
    lent = told.loans
    return Sample(
        x=_features(told, how),
        names=how.names,
        families=how.families,
        person=told.people.numbers[lent.who],
        applied_at=lent.applied_at,
        log_odds=lent.log_odds,
        pd=lent.pd,
        is_bad=lent.is_bad,
        is_granted=lent.is_accepted,
        propensity=lent.propensity,
    )


def measure(what: Floats, x: Floats, names: Sequence[str], families: Sequence[str]) -> Measured:
    """Learn from features `x` of a world with events and the `drivers` of the same applications, row by row."""
    scores = np.stack([normal_scores(column) for column in x.T], axis=1)
    known = ~np.isnan(scores)
    loadings = np.stack([_regression(what[k], s[k]) for k, s in zip(known.T, scores.T, strict=True)])
    rest = np.where(known, scores - what @ loadings.T, 0.0)
    spread = rest.T @ rest / np.maximum(known.T.astype(np.float64) @ known, 1.0)
    value, vector = np.linalg.eigh(spread)
    factors = vector[:, -FACTORS:] * np.sqrt(np.maximum(value[-FACTORS:], 0.0))
    own = np.sqrt(np.maximum(np.diag(spread) - (factors**2).sum(axis=1), 0.0))
    quantiles = [np.quantile(c[~np.isnan(c)], LEVELS) if (~np.isnan(c)).any() else 0.0 * np.array(LEVELS) for c in x.T]
    missing = np.isnan(x).mean(axis=0)
    is_whole = [bool((c[~np.isnan(c)] % 1 == 0).all()) for c in x.T]
    return Measured(
        names=list(names),
        families=list(families),
        missing=_rounded(missing),
        quantiles=_rounded(np.array(quantiles)),
        loadings=_rounded(loadings),
        factors=_rounded(factors),
        own=_rounded(own),
        is_whole=is_whole,
    )


def keep(how: Measured, path: Path = MEASURED) -> None:
    """Write what was measured, one line a list."""
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in asdict(how).items()]
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def drivers(told: Drawn) -> Floats:
    """What shows at each application (applications × drivers): a constant, traits, strain, stage, length of history."""
    folk, lent = told.people, told.loans
    who, day = lent.who, lent.applied_at // DAY
    strain = folk.stress_shown[who, told.days.span.period_of(day)]
    traits = [folk.shown[name][who] for name in CLARITY if name != "stress"]
    stages = [(folk.stage[who] == stage).astype(np.float64) for stage in range(1, len(STAGES))]
    works = [(folk.work[who] == work).astype(np.float64) for work in (0, 2, 3)]
    history = np.log((day - told.days.start[who] + 1.0) / 120)
    return np.stack([np.ones(len(who)), *traits, strain, *stages, *works, history], axis=1)


def _features(told: Drawn, how: Measured) -> Floats:
    lent = told.loans
    level = drivers(told) @ np.array(how.loadings).T
    shared = np.stack([_mixed_normal(told, f"factor.{k}") for k in range(len(how.factors[0]))], axis=1)
    level += shared @ np.array(how.factors).T
    for k, (name, spread) in enumerate(zip(how.names, how.own, strict=True)):
        level[:, k] = ndtr(level[:, k] + spread * _mixed_normal(told, name))
        level[:, k] = np.interp(level[:, k], LEVELS, how.quantiles[k])
        if how.is_whole[k]:
            level[:, k] = np.rint(level[:, k])
        level[lent.draws.chance(f"missing.{name}", how.missing[k]), k] = np.nan
    return level


def _mixed_normal(told: Drawn, name: str) -> Floats:
    """Standard normal, partly the person's own for good and partly of the application."""
    lasting = told.people.draws.normal(f"feature.{name}")[told.loans.who]
    return np.sqrt(LASTING) * lasting + np.sqrt(1 - LASTING) * told.loans.draws.normal(f"feature.{name}")


def normal_scores(values: Floats) -> Floats:
    """Ranks as standard normal values, equal values in a fixed haphazard order; missing stays missing."""
    known = np.flatnonzero(~np.isnan(values))
    scores = np.full(len(values), np.nan)
    order = np.lexsort((Draws.of(0, known).uniform("ties"), values[known]))
    scores[known[order]] = ndtri((np.arange(len(known)) + 0.5) / max(len(known), 1))
    return scores


def _regression(what: Floats, score: Floats) -> Floats:
    if not len(score):
        return np.zeros(what.shape[1])
    return np.asarray(np.linalg.lstsq(what, score, rcond=None)[0], np.float64)


def _rounded(values: Floats) -> Any:
    """Four significant digits: more would pretend a precision the sample has not."""
    return np.vectorize(lambda v: float(f"{v:.4g}"))(values).tolist()
