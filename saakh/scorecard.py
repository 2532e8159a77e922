"""A scorecard: loaded from one file, it scores and explains. Every member is checked first; nothing in it is run."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from saakh import golden, linear, signature, trees
from saakh.additive import Additive
from saakh.errors import ArtifactError, ConfigError
from saakh.input_policy import HANDLINGS, InputPolicy
from saakh.inputs import Inputs
from saakh.linear import Linear
from saakh.manifest import MEMBER, Manifest
from saakh.members import arrays, check_digests
from saakh.reasons import Reason, Reasons
from saakh.refusals import Refusals
from saakh.results import Contribution, Score, Scores
from saakh.scale import Bands, probabilities, probability
from saakh.signature import UNSIGNED, Signed, Trust
from saakh.spec import FeatureSpec
from saakh.trees import Array, Trees

if TYPE_CHECKING:
    from saakh.application import Application
    from saakh.counterfactual import Counterfactual
    from saakh.decide import Decision
    from saakh.terms import Terms

TERMS = "decision.json"
MEAN_TOLERANCE = 1e-9
_ZERO = np.array(0.0)
Rows = Array | Iterable[Mapping[str, Any]]


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
        self._bands = Bands(manifest.bands)
        self._points_per_unit = -manifest.scale.factor * manifest.calibration.slope
        self._unit = np.array(self._points_per_unit)
        self._no_contributions = dict.fromkeys(self._inputs.names, 0.0)
        self._policy = InputPolicy(manifest.features, manifest.input_policy)
        self.reasons = Reasons(manifest.features, manifest.reasons, manifest.input_policy, model, self._points_per_unit)
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
        check_digests(manifest, members)
        inputs, parts = len(manifest.features), {part.kind: part for part in manifest.parts}
        grown = Trees.of(inputs, **arrays(members, parts["trees"], trees.ARRAYS))
        straight = Linear.none()
        if part := parts.get("linear"):
            straight = Linear.of(inputs, part.intercept, **arrays(members, part, linear.ARRAYS))
        found = Additive(grown, straight, inputs)
        if manifest.protocol > 1:
            found.refuse_off_grid()
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

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages its reasons are told in; English is always one."""
        return tuple(sorted(self.manifest.reasons.codes[0].texts))

    def score(
        self, row: Mapping[str, Any], refused: Collection[str] = (), ages: Mapping[str, float] | None = None
    ) -> Score:
        """Score and explain one applicant.

        `row` maps features to numbers; None, NaN and absent features are missing, which is never an error. `refused`
        are categories of consent the applicant refused: what the row holds of them is not looked at, and refusing
        neither costs nor gains a point. `ages` says how many days ago a source was last read, by the table its
        features are measured on; those not named count as fresh. A key that is no feature, a category or a table the
        scorecard does not read, is a `ContractError`.
        """
        x, problems, withheld = self._read(row, refused)
        read = self._policy.read(x, [self._inputs.place[name] for name in problems], withheld, ages)
        found = self.model.both(x, withheld)
        log_odds = self._calibrated(found.log_odds)
        points = self.manifest.scale.points(log_odds)
        contributions = self._in_points(found.effects)
        return Score(
            points=points,
            pd=probability(log_odds),
            log_odds=log_odds,
            band=self._bands.of(points),
            reasons=self.reasons.of(x, contributions, found, withheld),
            contributions=self._by_name(contributions),
            baseline=self.baseline,
            missing=read.missing,
            problems=problems,
            refused=tuple(sorted(set(refused))) if withheld else (),
            unseen=read.unseen,
            stale=read.stale,
            handling=read.handling,
            handled=read.handled,
        )

    def score_many(self, rows: Rows, refused: Sequence[Collection[str]] | None = None) -> Scores:
        """Score many applicants: rows as `score` takes them, or numbers [rows, features] in the order of `features`.

        `refused` has one set of categories for each row; None when nobody refused anything.
        """
        x, is_problem = self._inputs.of_many(rows)
        raw, strictest = np.empty(len(x)), np.zeros(len(x), np.int8)
        missing, unseen = np.zeros(len(x), int), np.zeros(len(x), int)
        for some, inputs in self._refusals.groups(refused, len(x)):
            part, *counted = self._settled(x, is_problem, some, inputs)
            strictest[some], missing[some], unseen[some] = counted
            raw[some] = self.model.log_odds(part, inputs)
        log_odds = raw * self.manifest.calibration.slope + self.manifest.calibration.intercept
        points = self.manifest.scale.offset - self.manifest.scale.factor * log_odds
        return Scores(
            points=points,
            pd=probabilities(log_odds),
            log_odds=log_odds,
            band=self._bands.of_many(points),
            missing=missing,
            problems=is_problem.sum(axis=1),
            unseen=unseen,
            handling=np.array(HANDLINGS)[strictest],
        )

    def explain(self, row: Mapping[str, Any], refused: Collection[str] = ()) -> tuple[Contribution, ...]:
        """What each input did to one applicant's score, from the one that lowered it most."""
        x, problems, withheld = self._read(row, refused)
        self._policy.read(x, [self._inputs.place[name] for name in problems], withheld, None)
        points = self._in_points(self.model.both(x, withheld).effects)
        order = np.argsort(points, kind="stable").tolist()
        return tuple(_contribution(self.manifest.features[i], float(x[i]), float(points[i])) for i in order)

    def explain_many(self, rows: Rows, refused: Sequence[Collection[str]] | None = None) -> Array:
        """Contributions in points [rows, features]; with `baseline` each row adds up to its score."""
        x, is_problem = self._inputs.of_many(rows)
        out = np.empty_like(x)
        for some, inputs in self._refusals.groups(refused, len(x)):
            out[some] = self._in_points(self.model.effects_of(self._settled(x, is_problem, some, inputs)[0], inputs))
        return out

    def reasons_many(self, rows: Rows, refused: Sequence[Collection[str]] | None = None) -> list[tuple[Reason, ...]]:
        """The principal reasons of many applicants, as `score` gives them."""
        x, is_problem = self._inputs.of_many(rows)
        out: list[tuple[Reason, ...]] = [()] * len(x)
        for some, inputs in self._refusals.groups(refused, len(x)):
            part = self._settled(x, is_problem, some, inputs)[0]
            for row, one in zip(some.tolist(), part, strict=True):
                found = self.model.both(one, inputs)
                out[row] = self.reasons.of(one, self._in_points(found.effects), found, inputs)
        return out

    def reason_texts(self, language: str) -> dict[str, str]:
        """What each reason code says in a language; a `ConfigError` lists the languages there are."""
        if language not in self.languages:
            there = ", ".join(self.languages)
            raise ConfigError(f"this scorecard's reasons are not told in '{language[:20]}'; there are {there}")
        return {code.code: code.texts[language] for code in self.manifest.reasons.codes}

    def counterfactual(self, row: Mapping[str, Any], refused: Collection[str] = ()) -> "Counterfactual":
        """The smallest change in what the applicant can change that reaches the next band; see `Counterfactual`."""
        from saakh.counterfactual import search  # noqa: PLC0415 - who only scores does not wait for it

        x, problems, withheld = self._read(row, refused)
        self._policy.read(x, [self._inputs.place[name] for name in problems], withheld, None)
        return search(self, x, withheld)

    def decide(
        self,
        row: Mapping[str, Any],
        application: "Application | Mapping[str, Any]",
        refused: Collection[str] = (),
        left: Mapping[str, int] | None = None,
        ages: Mapping[str, float] | None = None,
    ) -> "Decision":
        """Score an applicant and decide on what is asked for, by the lending terms the scorecard carries.

        `application` is an `Application` or the mapping it is read from; `left` is what a lender can still lend, by
        name; the others are as in `score`. A scorecard without terms is an `ArtifactError`.
        """
        from saakh.application import Application  # noqa: PLC0415 - who only scores does not wait for it
        from saakh.decide import decide  # noqa: PLC0415

        if self.terms is None:
            raise ArtifactError("this scorecard carries no lending terms: it scores, and does not decide")
        asked = application if isinstance(application, Application) else Application.from_dict(application)
        score = self.score(row, refused, ages)
        counted = (score.missing, len(score.problems))
        return decide(self.terms, asked, score.pd, score.points, *counted, left, score.handling)

    def vectors(self) -> list[golden.Vector]:
        """The golden vectors: inputs that no person has, what is refused in each, and what must come out."""
        return golden.read(self, self.golden_vectors)

    def verify(self) -> golden.Verification:
        """Replay the golden vectors; an `ArtifactError` says which one is not reproduced."""
        return golden.replay(self, self.golden_vectors)

    def _read(self, row: Mapping[str, Any], refused: Collection[str]) -> tuple[Array, dict[str, str], frozenset[int]]:
        """One applicant's inputs [features], what was wrong with which, and which of them are withheld."""
        x, problems = self._inputs.of(row)
        withheld = self._refusals.inputs(refused)
        if withheld:
            x[list(withheld)] = np.nan
            problems = {name: what for name, what in problems.items() if self._inputs.place[name] not in withheld}
        return x, problems, withheld

    def _settled(
        self, x: Array, is_problem: Array, some: Array, inputs: frozenset[int]
    ) -> tuple[Array, Array, Array, Array]:
        """The rows in `some` as they are scored; by row the strictest outcome and how many are missing and unseen."""
        part = self._withholding(x, is_problem, some, inputs)
        wrong, beyond = is_problem[some], self._policy.unseen(part)
        absent = np.isnan(part) & ~wrong
        absent[:, list(inputs)] = False
        strictest = self._policy.settle(part, {"missing": absent, "unseen": beyond, "out_of_range": wrong})
        return part, strictest, absent.sum(axis=1), beyond.sum(axis=1)

    def _withholding(self, x: Array, is_problem: Array, some: Array, inputs: frozenset[int]) -> Array:
        """The rows in `some`, without what they withhold."""
        if not inputs:
            return x if len(some) == len(x) else x[some]
        at = np.ix_(some, np.array(sorted(inputs)))
        x[at], is_problem[at] = np.nan, False
        return x[some]

    def _in_points(self, effects: Array) -> Array:
        points: Array = effects * self._unit
        points += _ZERO  # never a negative zero
        return points

    def _by_name(self, contributions: Array) -> dict[str, float]:
        """Contributions by feature: to fill in a copy takes half as long as to make a dictionary anew."""
        found = self._no_contributions.copy()
        found.update(zip(self._inputs.names, contributions.tolist(), strict=True))
        return found

    def _calibrated(self, raw: float) -> float:
        return raw * self.manifest.calibration.slope + self.manifest.calibration.intercept


def _contribution(spec: FeatureSpec, value: float, points: float) -> Contribution:
    known = None if np.isnan(value) else value
    return Contribution(spec.name, spec.description, spec.family, spec.unit, known, points)


def _terms(members: Mapping[str, bytes]) -> "Terms | None":
    if TERMS not in members:
        return None
    from saakh.terms_json import read_bytes  # noqa: PLC0415 - who only scores does not wait for it

    return read_bytes(members[TERMS])
