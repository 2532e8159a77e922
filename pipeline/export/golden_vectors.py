"""Golden vectors: inputs that no person has, made from a model's thresholds and its features' ranges."""

import hashlib
import json
import math
from collections.abc import Sequence

import numpy as np

from saakh.additive import Additive
from saakh.fields import NUMBER_MAX
from saakh.golden import outcome
from saakh.linear import FAR, Linear
from saakh.scorecard import Scorecard
from saakh.spec import FeatureSpec

VECTORS_MIN, VECTORS_MAX = 1_000, 1_024
REFUSED_EACH, SETS = 4, 8
NEAR_ZERO = (0.0, -0.0, 1e-36, -1e-36)

Value = float | None


def golden_json(scorecard: Scorecard) -> bytes:
    """The member `golden.json`: vectors of inputs with what the scorecard makes of each."""
    vectors = inputs(scorecard.manifest.features, scorecard.model)
    withheld = refusals(scorecard.categories, len(vectors))
    values = [_distinct(column) for column in zip(*vectors, strict=True)]
    places = [{repr(value): i for i, value in enumerate(own)} for own in values]
    scored = [
        {"inputs": [place[repr(value)] for place, value in zip(places, v, strict=True)], "refused": list(r)}
        | outcome(scorecard.score(dict(zip(scorecard.features, v, strict=True)), r), scorecard.features)
        for v, r in zip(vectors, withheld, strict=True)
    ]
    content = {"features": list(scorecard.features), "values": values, "vectors": scored}
    return (json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n").encode()


def _distinct(column: Sequence[Value]) -> list[Value]:
    """Each value once, in the order they come; 0.0 and −0.0 are two."""
    return list({repr(value): value for value in column}.values())


def refusals(categories: Sequence[str], count: int) -> list[tuple[str, ...]]:
    """What is refused in each vector: nothing in the first and then in three of four, else one to three categories."""
    some = []
    for i in range(count):
        number = i // REFUSED_EACH % SETS
        chosen = _shuffled(f"refused {number}", len(categories))[: 1 + number % 3]
        is_turn = i % REFUSED_EACH == REFUSED_EACH - 1
        some.append(tuple(sorted(categories[c] for c in chosen)) if is_turn else ())
    return some


def inputs(specs: Sequence[FeatureSpec], model: Additive) -> list[list[Value]]:
    """The vectors: first one with everything missing, then each feature goes through its values in an order of its own.

    There are as many as the feature with the most values needs, between 1,000 and 1,024.
    """
    trees, linear = model.trees, model.linear
    bends = [np.concatenate((trees.threshold[trees.feature == i], _bends(linear, i))) for i in range(len(specs))]
    values = [candidates(spec, own) for spec, own in zip(specs, bends, strict=True)]
    count = min(max(VECTORS_MIN, 1 + max(map(len, values))), VECTORS_MAX)
    columns = [_in_turn(spec.name, own, count - 1) for spec, own in zip(specs, values, strict=True)]
    return [[None] * len(specs), *(list(row) for row in zip(*columns, strict=True))]


def _bends(linear: Linear, feature: int) -> np.ndarray:
    """Where the transform of an input is at its centre, one scale off it, and at the end of its reach."""
    here = linear.feature == feature
    steps = np.array([0.0, 1.0, -1.0, FAR, -FAR])
    return (linear.center[here][:, None] + linear.scale[here][:, None] * steps).ravel()


def candidates(spec: FeatureSpec, thresholds: np.ndarray) -> list[Value]:
    """What a feature is tried with: missing, around zero, its range and beyond, each threshold and its neighbours."""
    low = -NUMBER_MAX if spec.low is None else spec.low
    high = NUMBER_MAX if spec.high is None else spec.high
    found: list[float] = [*NEAR_ZERO, low, high]
    found += [
        bound + step * max(1.0, abs(bound)) for bound, step in ((spec.low, -1), (spec.high, 1)) if bound is not None
    ]
    for threshold in np.unique(thresholds).tolist():
        found += [threshold, math.nextafter(threshold, -math.inf), math.nextafter(threshold, math.inf)]
    return [None, *(v for v in found if abs(v) <= NUMBER_MAX)]


def _in_turn(name: str, values: list[Value], count: int) -> list[Value]:
    """So many values, each as often as the next, in an order that a hash gives: the same on every machine."""
    rounds = range(-(-count // len(values)))
    return [values[i] for turn in rounds for i in _shuffled(f"{name} {turn}", len(values))][:count]


def _shuffled(key: str, count: int) -> list[int]:
    return sorted(range(count), key=lambda i: hashlib.sha256(f"{key} {i}".encode()).digest())
