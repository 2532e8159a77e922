"""What the service takes and gives, as types; the OpenAPI document is made from them and from the scorecard."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictFloat, StrictInt
from pydantic_core import to_json

from pipeline.serve.held import InService
from saakh.application import NUMBER_MAX
from saakh.decide import Outcome
from saakh.input_policy import Handled, Handling
from saakh.offers import Ground, Offer
from saakh.scorecard import Score, Scorecard
from saakh.spec import FeatureSpec

INPUTS_MAX = 5_000
CATEGORIES_MAX = 64
Problem = Literal["not_a_number", "not_finite", "out_of_range"]
Name = Annotated[str, Field(max_length=120)]
Value = StrictFloat | StrictInt | StrictBool | None
LENDERS_MAX = 64
AGE_MAX = 1_000_000
Age = Annotated[StrictFloat | StrictInt, Field(ge=0, le=AGE_MAX)]


def _day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError("not a day, as in 2026-06-01") from None
    return text


Day = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"}),
    AfterValidator(_day),
]


def _whole(value: object) -> object:
    """2.0 is a whole number in JSON as 2 is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
Minor = Annotated[StrictInt, Field(ge=0, le=NUMBER_MAX), WHOLE]
"""Money in minor units."""


class Body(BaseModel):
    """A closed object: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Applicant(Body):
    """One applicant: inputs by name, categories of consent that were refused, days since each table was last read."""

    inputs: Annotated[dict[Name, Value], Field(max_length=INPUTS_MAX)]
    refused: Annotated[list[Name], Field(max_length=CATEGORIES_MAX)] = []
    ages: Annotated[dict[Name, Age], Field(max_length=INPUTS_MAX)] = {}


class Requested(Body):
    """What is asked for, as `saakh.application.Application` has it; money in minor units, a month's where it recurs."""

    id: Name
    on: Day
    amount_minor: Annotated[StrictInt, Field(ge=1, le=NUMBER_MAX), WHOLE]
    months: Annotated[StrictInt, Field(ge=1, le=NUMBER_MAX), WHOLE] | None = None
    income_minor: Minor | None = None
    obligations_minor: Minor = 0
    surplus_minor: Annotated[StrictInt, Field(ge=-NUMBER_MAX, le=NUMBER_MAX), WHOLE] | None = None
    channel: Name | None = None
    is_adult: StrictBool | None = None


class Asking(Applicant):
    """An applicant who asks for a loan; `left` is what a lender can still lend, by name."""

    application: Requested
    left: Annotated[dict[Name, Minor], Field(max_length=LENDERS_MAX)] = {}


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
    unseen: int
    stale: int
    handling: Handling
    handled: tuple[Handled, ...]


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


class DecisionGiven(Body):
    """What was decided: offers from the best, the grounds of a decline, why a person decides, who refused and why."""

    outcome: Outcome
    strategy: str
    offers: list[Offer]
    grounds: list[Ground]
    referrals: list[str]
    refused: dict[str, Ground]


class Decided(Scored):
    """A score and the decision by it."""

    decision: DecisionGiven


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
    values = {name: applicant.inputs.get(name) for name in used}
    rules = dict(zip(by.card.features, by.card.manifest.input_policy, strict=False))  # protocol 1 has none
    values |= {one.feature: rules[one.feature].worse for one in score.handled if one.outcome == "worst"}
    return [
        {
            "feature": spec.name,
            "description": spec.description,
            "family": spec.family,
            "unit": spec.unit,
            "value": _number(values.get(spec.name)),
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


def ages_schema(card: Scorecard) -> dict[str, Any]:
    """The schema of `ages`: days since each table that the scorecard reads from was last read."""
    days = {"type": "number", "minimum": 0, "maximum": AGE_MAX}
    properties = {spec.table: days for spec in card.manifest.features}
    return {"type": "object", "title": "Ages", "properties": properties, "additionalProperties": False, "default": {}}


def _described(spec: FeatureSpec) -> dict[str, Any]:
    """A value out of range is no error but a problem that the answer reports, so the range is told in words."""
    ends = ("−∞" if spec.low is None else f"{spec.low:g}", "∞" if spec.high is None else f"{spec.high:g}")
    text = f"{spec.description} Unit: {spec.unit}; range: {ends[0]} to {ends[1]}; consent: {spec.category}."
    return {"type": ["number", "boolean", "null"], "description": text}
