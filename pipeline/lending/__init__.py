"""Lending terms: files in `data/lending` that say who lends what to whom, compiled to what the runtime decides by."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.lending.schema import LendingTerms
from pipeline.params import problems, read_yaml
from saakh import terms_json
from saakh.errors import ConfigError
from saakh.terms import Terms

FOR_PEOPLE = {"title", "jurisdiction", "citation"}


def read_lending(path: Path) -> LendingTerms:
    """The lending terms in a YAML file; every fault is named by its key, with what was expected."""
    try:
        return LendingTerms.model_validate(read_yaml(path))
    except ValidationError as error:
        raise ConfigError(f"{path}: {problems(error)}") from None


def compiled(lending: LendingTerms) -> dict[str, Any]:
    """The content of `decision.json`; `saakh.terms_json` reads it."""
    said = lending.model_dump(mode="json", by_alias=True, exclude=FOR_PEOPLE)
    said["champion"] = _strategy(said["champion"])
    if said["experiment"]:
        said["experiment"]["challenger"] = _strategy(said["experiment"]["challenger"])
    return {"protocol": terms_json.PROTOCOL} | said


def decision_json(lending: LendingTerms) -> bytes:
    """The member `decision.json` of a scorecard; the same terms give the same bytes."""
    return (json.dumps(compiled(lending), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_terms(path: Path) -> Terms:
    """A file's lending terms as the runtime has them."""
    return terms_json.read_bytes(decision_json(read_lending(path)))


def _strategy(said: dict[str, Any]) -> dict[str, Any]:
    """Cut-offs as a list by rising months: JSON has no numbers for keys."""
    rows = sorted((int(months), edges) for months, edges in said["cutoffs"].items())
    return said | {"cutoffs": [{"months": months, "pd_up_to": edges} for months, edges in rows]}
