"""The words of letters, one file a language in `data/letters`, checked for being whole before any is used."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from features.columns import Category
from features.declare import Unit
from pipeline.params import Section, problems, read_yaml
from saakh.errors import ConfigError
from saakh.offers import Ground

FOLDER = Path(__file__).parents[2] / "data" / "letters"
Line = Annotated[str, Field(min_length=1)]
FILLED = {
    "reference": {"reference", "day"},
    "asked": {"amount"},
    "offer_heading": {"number", "lender", "amount", "months"},
    "instalments": {"count", "amount"},
    "rate": {"month", "year"},
    "late": {"rate"},
    "cooling": {"days"},
    "unseen": {"what"},
    "score": {"points", "categories"},
    "changes_heading": {"points"},
    "change": {"before", "after"},
    "window": {"days"},
}
"""Which names each text has in braces."""
RIGHTS = ("review", "contest", "correct", "withdraw", "complain")


class Outcomes(Section):
    """The first sentence, by outcome."""

    offer: Line
    refer: Line
    decline: Line


class Facts(Section):
    """What each figure of an offer is called."""

    lender: Line
    instalments: Line
    rate: Line
    charges: Line
    net: Line
    paid: Line
    cost: Line
    apr: Line
    late: Line
    cooling: Line


class Texts(Section):
    """All words of a letter in one language. `untranslated` is said when a reason is there in English alone."""

    language: Annotated[str, Field(pattern="^[a-z]{2}$")]
    title: Line
    reference: Line
    asked: Line
    outcome: Outcomes
    offers_heading: Line
    offer_heading: Line
    facts: Facts
    instalments: Line
    rate: Line
    late: Line
    cooling: Line
    why_heading: Line
    grounds: Mapping[Ground, Line]
    reasons_heading: Line
    no_reasons: Line
    unseen: Line
    changes_heading: Line
    change: Line
    window: Line
    change_note: Line
    units: Mapping[str, str]
    untranslated: str
    score: Line
    categories: Mapping[Category, Line]
    rights_heading: Line
    rights: Mapping[str, Line]
    contact_heading: Line
    officer: Line

    @model_validator(mode="after")
    def _whole(self) -> Self:
        said: dict[str, Any] = {"grounds": (self.grounds, Ground), "categories": (self.categories, Category)}
        said["units"] = (self.units, [unit.value[0] for unit in Unit])
        for key, (texts, names) in (said | {"rights": (self.rights, RIGHTS)}).items():
            if missing := [str(name) for name in names if name not in texts]:
                raise ValueError(f"{key} has no text for {', '.join(missing)}")
        for key, names in FILLED.items():
            if found := set(re.findall(r"{(\w*)}", getattr(self, key))) ^ names:
                raise ValueError(
                    f"{key} must name {', '.join(sorted(names))} in braces; see {', '.join(sorted(found))}"
                )
        return self


def languages() -> tuple[str, ...]:
    """The languages there are letters in."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def read_texts(language: str) -> Texts:
    """The words of one language; a `ConfigError` lists the languages there are."""
    if language not in languages():
        raise ConfigError(f"no letters in '{language[:20]}'; there are {', '.join(languages())}")
    path = FOLDER / f"{language}.yaml"
    try:
        return Texts.model_validate(read_yaml(path))
    except ValidationError as error:
        raise ConfigError(f"{path}: {problems(error)}") from None
