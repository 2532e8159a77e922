"""Golden vectors: inputs that no person has, made from a model's thresholds and its features' ranges."""

import hashlib
import json
import math
from collections.abc import Sequence

import numpy as np

from saakh.fields import NUMBER_MAX
from saakh.golden import outcome
from saakh.scorecard import Scorecard
from saakh.spec import FeatureSpec
from saakh.trees import Trees

VECTORS_MIN, VECTORS_MAX = 256, 1_024
NEAR_ZERO = (0.0, -0.0, 1e-36, -1e-36)

Value = float | None


def golden_json(scorecard: Scorecard, trees: Trees) -> bytes:
    """The member `golden.json`: vectors of inputs with what the scorecard makes of each."""
    vectors = inputs(scorecard.manifest.features, trees)
    scored = [{"inputs": v} | outcome(scorecard.score(dict(zip(scorecard.features, v, strict=True)))) for v in vectors]
    content = {"features": list(scorecard.features), "vectors": scored}
    return (json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n").encode()


def inputs(specs: Sequence[FeatureSpec], trees: Trees) -> list[list[Value]]:
    """The vectors: first one with everything missing, then each feature goes through its values in an order of its own.

    There are as many as the feature with the most values needs, between 256 and 1,024.
    """
    values = [candidates(spec, trees.threshold[trees.feature == i]) for i, spec in enumerate(specs)]
    count = min(max(VECTORS_MIN, 1 + max(map(len, values))), VECTORS_MAX)
    columns = [_in_turn(spec.name, own, count - 1) for spec, own in zip(specs, values, strict=True)]
    return [[None] * len(specs), *(list(row) for row in zip(*columns, strict=True))]


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
