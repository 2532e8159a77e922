"""What a policy file may say: whose rule it is, since when, where it is written; what it bars, bounds and asks for."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from features.columns import PURPOSES, Sensitivity
from features.declare import REGISTRY
from features.graph import BY_COLUMN, loan_outcomes, social_graph
from features.joined import JOINED
from features.tables import BY_NAME
from pipeline.gate import Bounds
from pipeline.params import DAYS_MAX
from pipeline.sections import Section
from saakh.spec import Family

TABLES = {t.name: t for t in (*BY_NAME.values(), *JOINED, loan_outcomes, social_graph)}
EVERY = "every"
"""What a file calls all purposes at once."""
BOUNDED = {
    "life_days_max": "days from its start to its expiry",
    "age_days_max": "days from its start to the moment asked",
    "history_days_max": "days from the oldest event it covers to its start",
    "data_life_days_max": "days for which data may be kept",
    "fetch_type": "kind of fetch",
    "basis": "basis",
}
"""What each of a policy's bounds is about."""


def _table(name: str) -> str:
    if name not in TABLES:
        raise ValueError(f"no table '{name}'; there are {', '.join(TABLES)}")
    return name


def _column(name: str) -> str:
    table, _, column = name.partition(".")
    if table not in TABLES or column not in TABLES[table].by_name:
        raise ValueError(f"no column '{name}'; write table.column, as in devices.sim_id")
    return name


def _feature(name: str) -> str:
    if name not in REGISTRY and name not in BY_COLUMN:
        raise ValueError(f"no feature '{name}'; `saakh features list` shows them all")
    return name


def _purpose(name: str) -> str:
    if name not in (EVERY, *PURPOSES):
        raise ValueError(f"no purpose '{name}'; there are {', '.join((EVERY, *PURPOSES))}")
    return name


def _beyond_ordinary(sensitivity: Sensitivity) -> Sensitivity:
    if sensitivity not in (Sensitivity.SENSITIVE, Sensitivity.LIFE_EVENT):
        raise ValueError(f"'{sensitivity}' is no policy's to say: ordinary is allowed, protected is the audit's alone")
    return sensitivity


def _of_artefacts(bounds: Bounds) -> Bounds:
    for name, values in bounds:
        known = BY_NAME["consents"].column(name).values if isinstance(values, tuple) else ()
        if isinstance(values, tuple) and not (values and set(values) <= set(known)):
            raise ValueError(f"{name} must name one or several of {', '.join(known)}")
    return bounds


Most = int | tuple[str, ...]
Purpose = Annotated[str, AfterValidator(_purpose)]
Beyond = Annotated[Sensitivity, AfterValidator(_beyond_ordinary)]
Phrase = Annotated[str, Field(min_length=3)]
Line = Annotated[str, Field(min_length=1)]


class Barred(Section):
    """What may not be measured, whatever else a policy allows.

    `columns` are written `table.column`. A bar on a table or a column holds for the tables joined of it too.
    """

    tables: tuple[Annotated[str, AfterValidator(_table)], ...] = ()
    columns: tuple[Annotated[str, AfterValidator(_column)], ...] = ()
    families: tuple[Family, ...] = ()
    features: tuple[Annotated[str, AfterValidator(_feature)], ...] = ()
    sensitivities: tuple[Beyond, ...] = ()


class Allows(Section):
    """What needs leave: sensitivities beyond ordinary, and features of the graph of all people."""

    sensitivities: tuple[Beyond, ...] = ()
    social_graph: bool = False


class Hold(Section):
    """A duty to keep what is erased everywhere else, sealed and for no other use, for so many days, then destroy it."""

    days: int = Field(ge=1, le=DAYS_MAX)
    what: Line
    why: Line


class Retention(Section):
    """When a person's data must be erased, how long they may be kept at most, and what the law makes a house keep."""

    erase_on: tuple[Literal["withdrawal", "purpose_end", "expiry"], ...] = ()
    keep_days_max: int | None = Field(None, ge=0, le=DAYS_MAX)
    hold: Hold | None = None


class Reasons(Section):
    """What an applicant is told: at most so many reasons, none with a banned phrase, within so many days."""

    most: int | None = Field(None, ge=1)
    banned: tuple[Phrase, ...] = ()
    notice_days_max: int | None = Field(None, ge=0, le=DAYS_MAX)

    def phrase_in(self, reason: str) -> str:
        """The first banned phrase that a reason holds, whatever its capitals; nothing when it holds none."""
        return next((phrase for phrase in self.banned if phrase.casefold() in reason.casefold()), "")


class Policy(Section):
    """One policy. `asks` are duties that no stage can see to; they are shown, not checked."""

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    title: Line
    jurisdiction: Line
    in_force_from: date
    citation: Line
    barred: Barred = Barred()
    allows: Allows = Allows()
    bounds: dict[Purpose, Annotated[Bounds, AfterValidator(_of_artefacts)]] = Field(default_factory=dict)
    retention: Retention = Retention()
    reasons: Reasons = Reasons()
    residency: str = ""
    asks: tuple[Line, ...] = ()

    @model_validator(mode="after")
    def _of_one_mind(self) -> Self:
        if both := sorted(set(self.barred.sensitivities) & set(self.allows.sensitivities)):
            raise ValueError(f"bars and allows the same sensitivity: {', '.join(both)}")
        return self

    def bounds_for(self, purpose: str) -> Bounds:
        """What an artefact may be for a purpose: what holds for every purpose, and for this one."""
        return strictest_bounds(self.bounds[name] for name in (EVERY, purpose) if name in self.bounds)


def strictest_bounds(bounds: Iterable[Bounds]) -> Bounds:
    """All of these bounds at once: of numbers the smallest, of names those in all of them."""
    both: dict[str, Most] = {}
    for one in bounds:
        for name, most in one:
            if most is not None:
                both[name] = _stricter(both[name], most) if name in both else most
    return Bounds.model_validate(both)


def in_words(most: Most) -> str:
    """A bound's value as people read it."""
    return str(most) if isinstance(most, int) else " or ".join(most) or "nothing"


def _stricter(one: Most, other: Most) -> Most:
    if isinstance(one, int) and isinstance(other, int):
        return min(one, other)
    return tuple(n for n in one if n in other) if isinstance(one, tuple) and isinstance(other, tuple) else ()
