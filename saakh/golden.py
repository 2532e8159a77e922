"""Golden vectors: inputs with the outcome each must have, in the scorecard itself, for any runtime to replay."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from saakh.errors import ArtifactError
from saakh.fields import Fields, parse_json

if TYPE_CHECKING:
    from saakh.scorecard import Score, Scorecard

MEMBER = "golden.json"
BYTES_MAX = 16 * 1024 * 1024
TOLERANCE = 1e-8
OUTCOME = ("points", "pd", "log_odds", "contributions", "band", "reasons", "missing", "problems")
SINCE_2 = ("unseen", "handling")
"""What protocol 1 did not say of a score."""
Numbers = list[float | None]


@dataclass(frozen=True, slots=True)
class Verification:
    """How many golden vectors were reproduced, and the largest difference in points."""

    vectors: int
    largest_difference: float


class Vector(NamedTuple):
    """A golden vector: an applicant who never was, the categories refused, and what it is `said` to come to."""

    row: dict[str, float | None]
    refused: tuple[str, ...]
    said: Fields


def outcome(score: "Score", features: Sequence[str]) -> dict[str, Any]:
    """What a golden vector says of a score; numbers to the tenth decimal, `contributions` as their sum in points.

    `problems` are the places of features by kind of problem.
    """
    kinds = sorted(set(score.problems.values()))
    problems = {kind: [i for i, name in enumerate(features) if score.problems.get(name) == kind] for kind in kinds}
    return {
        "points": round(score.points, 10),
        "pd": round(score.pd, 10),
        "log_odds": round(score.log_odds, 10),
        "contributions": round(sum(score.contributions.values()), 10),
        "band": score.band,
        "reasons": [reason.code for reason in score.reasons],
        "missing": score.missing,
        "problems": problems,
        "unseen": score.unseen,
        "handling": score.handling,
    }


def replay(scorecard: "Scorecard", body: bytes) -> Verification:
    """Score every vector, one by one and all at once, and compare; an `ArtifactError` names the first that differs."""
    vectors = read(scorecard, body)
    rows, refused = [v.row for v in vectors], [v.refused for v in vectors]
    _refuse_unknown(scorecard, refused)
    largest = max(_difference(scorecard, vector) for vector in vectors)
    together = scorecard.score_many(rows, refused).points
    for points, vector in zip(together.tolist(), vectors, strict=True):
        _must_equal(vector.said, "points", points)
    return Verification(len(vectors), largest)


def read(scorecard: "Scorecard", body: bytes) -> list[Vector]:
    """The vectors in `golden.json`: inputs, refusals, and what is said to come out; an `ArtifactError` when it is none.

    Inputs are places in the `values` of their feature; in protocol 1 they were the values themselves.
    """
    if len(body) > BYTES_MAX:
        raise ArtifactError(f"{MEMBER} is larger than {BYTES_MAX:,} bytes")
    is_placed = scorecard.manifest.protocol > 1
    field = Fields(parse_json(body, MEMBER), MEMBER, "features", "vectors", *(["values"] if is_placed else []))
    if field.raw["features"] != list(scorecard.features):
        raise ArtifactError(f"{MEMBER} is about other features than the scorecard's")
    if not field.raw["vectors"]:
        raise ArtifactError(f"{MEMBER} holds no vectors: nothing to verify the scorecard by")
    values = [_numbers(Fields({"it": v}, at, "it"), "it") for v, at in field.each("values")] if is_placed else None
    said = [
        Fields(*item, "inputs", *OUTCOME, *(["refused", *SINCE_2] if is_placed else []))
        for item in field.each("vectors")
    ]
    return [Vector(_row(scorecard.features, vector, values), _refused(vector), vector) for vector in said]


def _row(features: tuple[str, ...], vector: Fields, values: list[Numbers] | None) -> dict[str, float | None]:
    inputs = _numbers(vector, "inputs") if values is None else _placed(vector, values)
    if len(inputs) != len(features):
        raise ArtifactError(f"{vector.where} does not have one input for each feature")
    return dict(zip(features, inputs, strict=True))


def _placed(vector: Fields, values: list[Numbers]) -> Numbers:
    places = [place for place, _ in vector.each("inputs")]
    if len(places) != len(values) or not all(
        type(place) is int and 0 <= place < len(own) for place, own in zip(places, values, strict=True)
    ):
        raise ArtifactError(f"{vector.where}.inputs are not places in the values of each feature")
    return [own[place] for place, own in zip(places, values, strict=True)]


def _numbers(field: Fields, key: str) -> Numbers:
    return [Fields({"value": value}, where, "value").maybe_number("value") for value, where in field.each(key)]


def _refused(vector: Fields) -> tuple[str, ...]:
    if "refused" not in vector.raw:
        return ()
    return tuple(Fields({"it": item}, where, "it").text("it") for item, where in vector.each("refused"))


def _refuse_unknown(scorecard: "Scorecard", refused: list[tuple[str, ...]]) -> None:
    if not {category for some in refused for category in some} <= set(scorecard.categories):
        raise ArtifactError(f"{MEMBER} refuses a category that no input of the scorecard belongs to")


def _difference(scorecard: "Scorecard", vector: Vector) -> float:
    score = scorecard.score(vector.row, vector.refused)
    got = outcome(score, scorecard.features)
    if scorecard.manifest.protocol == 1:
        got["problems"] = score.problems  # which were named then
    for key in (*OUTCOME, *(key for key in SINCE_2 if key in vector.said.raw)):
        _must_equal(vector.said, key, got[key])
    return abs(float(got["points"]) - vector.said.number("points"))


def _must_equal(vector: Fields, key: str, got: Any) -> None:
    same = abs(got - vector.number(key)) <= TOLERANCE if isinstance(got, float) else got == vector.raw[key]
    if not same:
        raise ArtifactError(f"{vector.where} is not reproduced: '{key}' differs; do not use this scorecard")
