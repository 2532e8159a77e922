"""A scorecard: loaded from one file, it scores and explains. Every member is checked first; nothing in it is run."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from saakh import archive, golden, linear, signature, trees
from saakh.additive import Additive
from saakh.errors import ArtifactError
from saakh.inputs import Inputs
from saakh.linear import Linear
from saakh.manifest import MEMBER, ArrayRef, Manifest, Part
from saakh.reasons import Reason, Reasons
from saakh.refusals import Refusals
from saakh.scale import Bands, probabilities, probability
from saakh.signature import UNSIGNED, Signed, Trust
from saakh.spec import FeatureSpec
from saakh.trees import Array, Trees

if TYPE_CHECKING:
    from saakh.application import Application
    from saakh.decide import Decision
    from saakh.terms import Terms

TERMS = "decision.json"
MEAN_TOLERANCE = 1e-9
Rows = Array | Iterable[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Score:
    """One applicant's score.

    `points` = `baseline` + the sum of `contributions` (points by feature; positive: better). `pd` is the probability of
    default and `log_odds` its log-odds, of bad. `missing` counts inputs that were absent, None or NaN; `problems` names
    those that could not be and were taken as missing: not_a_number, not_finite or out_of_range, by feature. Inputs of
    the categories that were `refused` are neither: they were not looked at, and contribute exactly 0.
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
    refused: tuple[str, ...] = ()


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
    """A scorecard in memory. Between calls it keeps tables alone, never an applicant's, so threads may share it."""

    def __init__(
        self,
        manifest: Manifest,
        model: Additive,
        golden_vectors: bytes,
        signed: Signed = UNSIGNED,
        terms: "Terms | None" = None,
    ) -> None:
        self.manifest = manifest
        self.signature = signed
        self.terms = terms
        self.model = model
        self.golden_vectors = golden_vectors
        self._inputs = Inputs(manifest.features)
        self._refusals = Refusals(manifest.features)
        if abs(model.mean - manifest.baseline_log_odds) > MEAN_TOLERANCE:
            raise ArtifactError("the baseline in the manifest is not the mean of its parts")
        self._reasons = Reasons(manifest.features, manifest.reasons)
        self._bands = Bands(manifest.bands)
        self._points_per_unit = -manifest.scale.factor * manifest.calibration.slope
        self.baseline = manifest.scale.points(self._calibrated(model.mean))

    @classmethod
    def from_members(cls, members: Mapping[str, bytes], trust: Trust | None = None) -> Self:
        """The scorecard in a file's members, each checked against the digest in the manifest.

        With `trust` the signature is checked too, and before anything else is read.
        """
        if MEMBER not in members:
            raise ArtifactError(f"not a scorecard: it has no {MEMBER}")
        signed = signature.check(members, trust)
        manifest = Manifest.from_bytes(members[MEMBER])
        _check_digests(manifest, members)
        inputs, parts = len(manifest.features), {part.kind: part for part in manifest.parts}
        grown = Trees.of(inputs, **_arrays(members, parts["trees"], trees.ARRAYS))
        straight = Linear.none()
        if part := parts.get("linear"):
            straight = Linear.of(inputs, part.intercept, **_arrays(members, part, linear.ARRAYS))
        found = Additive(grown, straight, inputs)
        return cls(manifest, found, members[golden.MEMBER], signed, _terms(members))

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

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories of consent its inputs belong to: those an applicant may refuse."""
        return self._refusals.categories

    def score(self, row: Mapping[str, Any], refused: Collection[str] = ()) -> Score:
        """Score and explain one applicant.

        `row` maps features to numbers; None, NaN and absent features are missing, which is never an error. `refused`
        are categories of consent the applicant refused: what the row holds of them is not looked at, and refusing
        neither costs nor gains a point. A key that is no feature, or a category the scorecard does not read, is a
        `ContractError`.
        """
        x, problems = self._inputs.of(row)
        withheld = self._refusals.inputs(refused)
        if withheld:
            x[list(withheld)] = np.nan
            problems = {name: what for name, what in problems.items() if self._inputs.place[name] not in withheld}
        raw, effects = self.model.both(x, withheld)
        log_odds = self._calibrated(float(raw))
        points = self.manifest.scale.points(log_odds)
        contributions = self._in_points(effects)
        return Score(
            points=points,
            pd=probability(log_odds),
            log_odds=log_odds,
            band=self._bands.of(points),
            reasons=self._reasons.of(x, contributions),
            contributions=dict(zip(self._inputs.names, contributions.tolist(), strict=True)),
            baseline=self.baseline,
            missing=int(np.count_nonzero(np.isnan(x))) - len(problems) - len(withheld),
            problems=problems,
            refused=tuple(sorted(set(refused))) if withheld else (),
        )

    def score_many(self, rows: Rows, refused: Sequence[Collection[str]] | None = None) -> Scores:
        """Score many applicants: rows as `score` takes them, or numbers [rows, features] in the order of `features`.

        `refused` has one set of categories for each row; None when nobody refused anything.
        """
        x, is_problem = self._inputs.of_many(rows)
        raw, withheld = np.empty(len(x)), np.zeros(len(x), int)
        for some, inputs in self._refusals.groups(refused, len(x)):
            raw[some] = self.model.log_odds(self._withholding(x, is_problem, some, inputs), inputs)
            withheld[some] = len(inputs)
        log_odds = raw * self.manifest.calibration.slope + self.manifest.calibration.intercept
        points = self.manifest.scale.offset - self.manifest.scale.factor * log_odds
        problems = is_problem.sum(axis=1)
        missing = np.isnan(x).sum(axis=1) - problems - withheld
        return Scores(points, probabilities(log_odds), log_odds, self._bands.of_many(points), missing, problems)

    def explain(self, row: Mapping[str, Any], refused: Collection[str] = ()) -> tuple[Contribution, ...]:
        """What each input did to one applicant's score, from the one that lowered it most."""
        x, _ = self._inputs.of(row)
        withheld = self._refusals.inputs(refused)
        x[list(withheld)] = np.nan
        points = self._in_points(self.model.both(x, withheld)[1])
        order = np.argsort(points, kind="stable").tolist()
        return tuple(_contribution(self.manifest.features[i], float(x[i]), float(points[i])) for i in order)

    def explain_many(self, rows: Rows, refused: Sequence[Collection[str]] | None = None) -> Array:
        """Contributions in points [rows, features]; with `baseline` each row adds up to its score."""
        x, is_problem = self._inputs.of_many(rows)
        out = np.empty_like(x)
        for some, inputs in self._refusals.groups(refused, len(x)):
            out[some] = self._in_points(self.model.effects_of(self._withholding(x, is_problem, some, inputs), inputs))
        return out

    def decide(
        self,
        row: Mapping[str, Any],
        application: "Application | Mapping[str, Any]",
        refused: Collection[str] = (),
        left: Mapping[str, int] | None = None,
    ) -> "Decision":
        """Score an applicant and decide on what is asked for, by the lending terms the scorecard carries.

        `application` is an `Application` or the mapping it is read from; `left` is what a lender can still lend, by
        name. A scorecard without terms is an `ArtifactError`.
        """
        from saakh.application import Application  # noqa: PLC0415 - who only scores does not wait for it
        from saakh.decide import decide  # noqa: PLC0415

        if self.terms is None:
            raise ArtifactError("this scorecard carries no lending terms: it scores, and does not decide")
        asked = application if isinstance(application, Application) else Application.from_dict(application)
        score = self.score(row, refused)
        return decide(self.terms, asked, score.pd, score.points, score.missing, len(score.problems), left)

    def verify(self) -> golden.Verification:
        """Replay the golden vectors; an `ArtifactError` says which one is not reproduced."""
        return golden.replay(self, self.golden_vectors)

    def _withholding(self, x: Array, is_problem: Array, some: Array, inputs: frozenset[int]) -> Array:
        """The rows in `some`, without what they withhold."""
        if not inputs:
            return x if len(some) == len(x) else x[some]
        at = np.ix_(some, np.array(sorted(inputs)))
        x[at], is_problem[at] = np.nan, False
        return x[some]

    def _in_points(self, effects: Array) -> Array:
        return effects * self._points_per_unit + 0.0  # never a negative zero

    def _calibrated(self, raw: float) -> float:
        return raw * self.manifest.calibration.slope + self.manifest.calibration.intercept


def load(path: str | PathLike[str], trust: Trust | None = None) -> Scorecard:
    """Load a scorecard; an `ArtifactError` says why a file is not one, or not whole any more.

    `trust` is the public key that must have signed it (a PEM file or 64 hexadecimal digits), or several, of which one
    must; it needs `saakh[verify]`. Without it digests alone are checked, and `signature` says what was not verified.
    """
    try:
        return Scorecard.from_members(archive.read(Path(path)), trust)
    except ArtifactError as error:
        raise ArtifactError(f"{path}: {error}") from None


def _contribution(spec: FeatureSpec, value: float, points: float) -> Contribution:
    known = None if np.isnan(value) else value
    return Contribution(spec.name, spec.description, spec.family, spec.unit, known, points)


def _terms(members: Mapping[str, bytes]) -> "Terms | None":
    if TERMS not in members:
        return None
    from saakh.terms_json import read_bytes  # noqa: PLC0415 - who only scores does not wait for it

    return read_bytes(members[TERMS])


def _check_digests(manifest: Manifest, members: Mapping[str, bytes]) -> None:
    if set(manifest.members) != set(members) - {MEMBER, signature.MEMBER}:
        raise ArtifactError("the manifest does not list the members that are there")
    if golden.MEMBER not in members:
        raise ArtifactError(f"no {golden.MEMBER}: nothing to verify it by")
    for name, member in manifest.members.items():
        body = members[name]
        if len(body) != member.bytes or hashlib.sha256(body).hexdigest() != member.sha256:
            raise ArtifactError(f"member '{name}' does not have the digest the manifest gives")


def _arrays(members: Mapping[str, bytes], part: Part, dtypes: Mapping[str, str]) -> dict[str, Array]:
    if set(part.arrays) != set(dtypes):
        raise ArtifactError(f"a part of kind '{part.kind}' has the arrays {', '.join(dtypes)}")
    return {name: _array(members, ref, dtypes[name]) for name, ref in part.arrays.items()}


def _array(members: Mapping[str, bytes], ref: ArrayRef, dtype: str) -> Array:
    body = members.get(ref.member)
    if body is None or ref.dtype != dtype or len(body) != ref.length * np.dtype(dtype).itemsize:
        raise ArtifactError(f"array '{ref.member[:60]}' is not {ref.length} values of type {dtype}")
    return np.frombuffer(body, dtype).astype(np.dtype(dtype).newbyteorder("="))
