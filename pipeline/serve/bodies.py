"""What the service takes and gives, as types; the OpenAPI document is made from them and from the scorecard."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt
from pydantic_core import to_json

from pipeline.serve.held import InService
from saakh.scorecard import Score, Scorecard
from saakh.spec import FeatureSpec

INPUTS_MAX = 5_000
CATEGORIES_MAX = 64
Problem = Literal["not_a_number", "not_finite", "out_of_range"]
Name = Annotated[str, Field(max_length=120)]
Value = StrictFloat | StrictInt | StrictBool | None


class Body(BaseModel):
    """A closed object: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Applicant(Body):
    """One applicant: inputs by name, and the categories of consent that were refused."""

    inputs: Annotated[dict[Name, Value], Field(max_length=INPUTS_MAX)]
    refused: Annotated[list[Name], Field(max_length=CATEGORIES_MAX)] = []


class Named(Body):
    """The scorecard that answered."""

    name: str
    version: str
    sha256: str


class ReasonGiven(Body):
    """One principal reason: what its inputs changed together, in points, and which of them were missing."""

    code: str
    text: str
    points: float
    features: tuple[str, ...]
    unknown: tuple[str, ...]


class Scored(Body):
    """A score with its reasons; the same fields, of the same meaning, as the runtime's."""

    scorecard: Named
    points: float
    pd: Annotated[float, Field(ge=0, le=1)]
    band: str
    baseline: float
    reasons: list[ReasonGiven]
    missing: int
    problems: dict[str, Problem]
    refused: tuple[str, ...]


OWN = tuple(name for name in Scored.model_fields if name != "scorecard")


class ContributionGiven(Body):
    """What one input did to the score: its value as it was used (null: missing), and points against the baseline."""

    feature: str
    description: str
    family: str
    unit: str
    value: float | None
    points: float


class Explained(Scored):
    """A score with every contribution, from the input that lowered it most; baseline + their sum = points."""

    contributions: list[ContributionGiven]


class Health(Body):
    """The service answers."""

    status: Literal["ok"] = "ok"


class Version(Named):
    """What is in service, and what it asks for."""

    protocol: int
    as_of: str
    catalogue_fingerprint: str
    signature: str
    service: str
    features: list[str]
    categories: list[str]


def scored(score: Score, by: InService, **more: Any) -> bytes:
    """A score as the JSON of `Scored`, or with `contributions` of `Explained`.

    Written from the runtime's own objects, whose fields these types repeat: making models of them would cost more
    than the score itself.
    """
    return to_json({"scorecard": by.named(), **{name: getattr(score, name) for name in OWN}, **more})


def contributions(score: Score, applicant: Applicant, by: InService) -> list[dict[str, Any]]:
    """Each input's part in a score, as `Scorecard.explain` has it, from the one that lowered it most."""
    hidden = set(score.refused)
    specs = sorted(by.card.manifest.features, key=lambda spec: score.contributions[spec.name])
    used = {s.name for s in specs if s.name not in score.problems and s.category not in hidden}
    return [
        {
            "feature": spec.name,
            "description": spec.description,
            "family": spec.family,
            "unit": spec.unit,
            "value": _number(applicant.inputs.get(spec.name)) if spec.name in used else None,
            "points": score.contributions[spec.name],
        }
        for spec in specs
    ]


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def inputs_schema(card: Scorecard) -> dict[str, Any]:
    """The schema of `inputs`, naming each of the scorecard's."""
    properties = {spec.name: _described(spec) for spec in card.manifest.features}
    return {"type": "object", "title": "Inputs", "properties": properties, "additionalProperties": False}


def refused_schema(card: Scorecard) -> dict[str, Any]:
    """The schema of `refused`: the categories that the scorecard reads."""
    items = {"type": "string", "enum": list(card.categories)}
    return {"type": "array", "title": "Refused", "items": items, "maxItems": CATEGORIES_MAX, "default": []}


def _described(spec: FeatureSpec) -> dict[str, Any]:
    """A value out of range is no error but a problem that the answer reports, so the range is told in words."""
    ends = ("−∞" if spec.low is None else f"{spec.low:g}", "∞" if spec.high is None else f"{spec.high:g}")
    text = f"{spec.description} Unit: {spec.unit}; range: {ends[0]} to {ends[1]}; consent: {spec.category}."
    return {"type": ["number", "boolean", "null"], "description": text}
