"""A scorecard: loaded from one file, it scores and explains. Every member is checked first; nothing in it is run."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np

from saakh import archive, golden
from saakh.errors import ArtifactError
from saakh.inputs import Inputs
from saakh.lookup import Lookup
from saakh.manifest import MEMBER, ArrayRef, Manifest
from saakh.reasons import Reason, Reasons
from saakh.scale import Bands, probabilities, probability
from saakh.spec import FeatureSpec
from saakh.trees import ARRAYS, Array, Trees

BLOCK_ROWS = 64
MEAN_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Score:
    """One applicant's score.

    `points` = `baseline` + the sum of `contributions` (points by feature; positive: better). `pd` is the probability of
    default and `log_odds` its log-odds, of bad. `missing` counts inputs that were absent, None or NaN; `problems` names
    those that could not be and were taken as missing: not_a_number, not_finite or out_of_range, by feature.
    """

    points: float
    pd: float
    log_odds: float
    band: str
    reasons: tuple[Reason, ...]
    contributions: dict[str, float]
    baseline: float
    missing: int
    problems: dict[str, str]


@dataclass(frozen=True, eq=False)
class Scores:
    """Many applicants' scores: arrays [rows] that mean what they mean in `Score`; `problems` is their number."""

    points: Array
    pd: Array
    log_odds: Array
    band: Array
    missing: Array
    problems: Array


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one input did to a score: `value` as it was used (None: missing) and `points` against the baseline."""

    feature: str
    description: str
    family: str
    unit: str
    value: float | None
    points: float


class Scorecard:
    """A scorecard in memory. It holds no state of its own between calls, so threads may share it."""

    def __init__(self, manifest: Manifest, trees: Trees, golden_vectors: bytes) -> None:
        self.manifest = manifest
        self.trees = trees
        self.golden_vectors = golden_vectors
        self._inputs = Inputs(manifest.features)
        self._lookup = Lookup(trees, len(manifest.features))
        if abs(self._lookup.mean - manifest.baseline_log_odds) > MEAN_TOLERANCE:
            raise ArtifactError("the baseline in the manifest is not the mean of its trees")
        self._reasons = Reasons(manifest.features, manifest.reasons)
        self._bands = Bands(manifest.bands)
        self._points_per_unit = -manifest.scale.factor * manifest.calibration.slope
        self.baseline = manifest.scale.points(self._calibrated(self._lookup.mean))

    @classmethod
    def from_members(cls, members: Mapping[str, bytes]) -> Self:
        """The scorecard in a file's members, each checked against the digest in the manifest."""
        if MEMBER not in members:
            raise ArtifactError(f"not a scorecard: it has no {MEMBER}")
        manifest = Manifest.from_bytes(members[MEMBER])
        _check_digests(manifest, members)
        (arrays,) = manifest.parts
        if set(arrays) != set(ARRAYS):
            raise ArtifactError(f"a part of trees has the arrays {', '.join(ARRAYS)}")
        read = {name: _array(members, ref, ARRAYS[name]) for name, ref in arrays.items()}
        trees = Trees.of(len(manifest.features), **read)
        return cls(manifest, trees, members[golden.MEMBER])

    @property
    def name(self) -> str:
        """What the scorecard is called."""
        return self.manifest.name

    @property
    def version(self) -> str:
        """Its semantic version. Major: inputs changed; minor: refitted, rescaled; patch: texts."""
        return self.manifest.version

    @property
    def features(self) -> tuple[str, ...]:
        """The names of its inputs, in order."""
        return self._inputs.names

    def score(self, row: Mapping[str, Any]) -> Score:
        """Score and explain one applicant.

        `row` maps features to numbers; None, NaN and absent features are missing, which is never an error. A key that
        is no feature is a `ContractError`.
        """
        x, problems = self._inputs.of(row)
        patterns = self._lookup.patterns(x)
        log_odds = self._calibrated(float(self._lookup.log_odds(patterns)))
        points = self.manifest.scale.points(log_odds)
        contributions = self._in_points(patterns)
        return Score(
            points=points,
            pd=probability(log_odds),
            log_odds=log_odds,
            band=self._bands.of(points),
            reasons=self._reasons.of(x, contributions),
            contributions=dict(zip(self._inputs.names, contributions.tolist(), strict=True)),
            baseline=self.baseline,
            missing=int(np.count_nonzero(np.isnan(x))) - len(problems),
            problems=problems,
        )

    def score_many(self, rows: Array | Iterable[Mapping[str, Any]]) -> Scores:
        """Score many applicants: rows as `score` takes them, or numbers [rows, features] in the order of `features`."""
        x, problems = self._inputs.of_many(rows)
        raw = np.empty(len(x))
        for block in _blocks(x):
            raw[block] = self._lookup.log_odds(self._lookup.patterns(x[block]))
        log_odds = raw * self.manifest.calibration.slope + self.manifest.calibration.intercept
        points = self.manifest.scale.offset - self.manifest.scale.factor * log_odds
        missing = np.isnan(x).sum(axis=1) - problems
        return Scores(points, probabilities(log_odds), log_odds, self._bands.of_many(points), missing, problems)

    def explain(self, row: Mapping[str, Any]) -> tuple[Contribution, ...]:
        """What each input did to one applicant's score, from the one that lowered it most."""
        x, _ = self._inputs.of(row)
        points = self._in_points(self._lookup.patterns(x))
        order = np.argsort(points, kind="stable").tolist()
        return tuple(_contribution(self.manifest.features[i], float(x[i]), float(points[i])) for i in order)

    def explain_many(self, rows: Array | Iterable[Mapping[str, Any]]) -> Array:
        """Contributions in points [rows, features]; with `baseline` each row adds up to its score."""
        x, _ = self._inputs.of_many(rows)
        out = np.empty_like(x)
        for block in _blocks(x):
            out[block] = self._in_points(self._lookup.patterns(x[block]))
        return out

    def verify(self) -> golden.Verification:
        """Replay the golden vectors; an `ArtifactError` says which one is not reproduced."""
        return golden.replay(self, self.golden_vectors)

    def _in_points(self, patterns: Array) -> Array:
        return self._lookup.effects_of(patterns) * self._points_per_unit + 0.0  # never a negative zero

    def _calibrated(self, raw: float) -> float:
        return raw * self.manifest.calibration.slope + self.manifest.calibration.intercept


def load(path: str | PathLike[str]) -> Scorecard:
    """Load a scorecard; an `ArtifactError` says why a file is not one, or not whole any more."""
    try:
        return Scorecard.from_members(archive.read(Path(path)))
    except ArtifactError as error:
        raise ArtifactError(f"{path}: {error}") from None


def _contribution(spec: FeatureSpec, value: float, points: float) -> Contribution:
    known = None if np.isnan(value) else value
    return Contribution(spec.name, spec.description, spec.family, spec.unit, known, points)


def _blocks(x: Array) -> Iterator[slice]:
    """Rows in blocks small enough for a processor's cache."""
    return (slice(start, start + BLOCK_ROWS) for start in range(0, len(x), BLOCK_ROWS))


def _check_digests(manifest: Manifest, members: Mapping[str, bytes]) -> None:
    if set(manifest.members) != set(members) - {MEMBER}:
        raise ArtifactError("the manifest does not list the members that are there")
    if golden.MEMBER not in members:
        raise ArtifactError(f"no {golden.MEMBER}: nothing to verify it by")
    for name, member in manifest.members.items():
        body = members[name]
        if len(body) != member.bytes or hashlib.sha256(body).hexdigest() != member.sha256:
            raise ArtifactError(f"member '{name}' does not have the digest the manifest gives")


def _array(members: Mapping[str, bytes], ref: ArrayRef, dtype: str) -> Array:
    body = members.get(ref.member)
    if body is None or ref.dtype != dtype or len(body) != ref.length * np.dtype(dtype).itemsize:
        raise ArtifactError(f"array '{ref.member[:60]}' is not {ref.length} values of type {dtype}")
    return np.frombuffer(body, dtype).astype(np.dtype(dtype).newbyteorder("="))
