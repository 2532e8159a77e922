"""What `saakh consent` shows: what is open, why, and receipts. Pseudonyms only, and never by the wall clock."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from features.columns import PURPOSES, Category
from pipeline.console import out
from pipeline.engines import Embedded
from pipeline.ledger import whose
from pipeline.ledger.receipt import read_house, receipts
from pipeline.ledger.why import Answer, Asked, answer, moment, status
from pipeline.params import Params
from pipeline.policy import read_policies
from pipeline.workspace import Workspace, write_text
from saakh.errors import ConfigError, ConsentError

HOUSE = Path("data/contracts/house.yaml")
"""Who the house is, for receipts."""


def print_status(params: Params, given: str, at: datetime | None = None) -> None:
    """Print what a person's consents open, by category and purpose, at a moment (by default the run's `as_of`)."""
    ws, asked_at, policies = Workspace(params.workspace), _utc(at or params.as_of), read_policies(params.policy)
    with closing(Embedded(params.threads, params.memory_gb)) as engine:
        person = whose.person(engine, ws, given, params)
        answers = status(whose.consents_of(engine, ws, person), asked_at, policies)
    _show([f"person {person} at {moment(asked_at)} UTC", *_status(answers)])


def print_why(params: Params, given: str, category: str, purpose: str | None = None) -> None:
    """Print the gate's conditions for one application and category, one a line, up to the first that fails."""
    purpose = purpose or params.cohort.purpose
    _known("category", category, [c.value for c in Category])
    _known("purpose", purpose, PURPOSES)
    ws, policies = Workspace(params.workspace), read_policies(params.policy)
    with closing(Embedded(params.threads, params.memory_gb)) as engine:
        application = whose.application(engine, ws, given, params)
        held = whose.consents_of(engine, ws, application.person)
    found = answer(held, asked(application, category, purpose, params), policies)
    _show([f"application {application.name} of person {application.person}", *_why(found)])


def print_receipts(params: Params, given: str, to: Path | None = None, house: Path = HOUSE) -> None:
    """Print a person's receipts as JSON-LD, or write them to a file that its owner alone may read."""
    ws, stated = Workspace(params.workspace), read_house(house)
    with closing(Embedded(params.threads, params.memory_gb)) as engine:
        person = whose.person(engine, ws, given, params)
        held = whose.consents_of(engine, ws, person)
    if not held:
        raise ConsentError(f"person {person} has no consent artefact, so there is no receipt to give")
    text = json.dumps(receipts(held, stated, _utc(params.as_of)), indent=2, ensure_ascii=False) + "\n"
    if to is None:
        out.print(text, markup=False, emoji=False, soft_wrap=True, end="")  # `:receipt:` is also an emoji's name
        return
    write_text(to, text, mode=0o600)
    out.print(f"Wrote {to}", markup=False, emoji=False, soft_wrap=True)


def asked(application: whose.Application, category: str, purpose: str, params: Params) -> Asked:
    """The question that the run asks for an application: a score at its snapshot, anything else at `as_of`."""
    at = application.snapshot_at if purpose == "score" else _utc(params.as_of)
    event_at = application.applied_at if category == Category.CREDIT.value else None
    return Asked(category, purpose, at, application.snapshot_at, event_at)


def _status(answers: Sequence[Answer]) -> Iterator[str]:
    if not answers:
        yield "  no artefact: everything is closed"
    for found in answers:
        said = f"closed: {found.reason}"
        if found.is_open:
            artefacts = ", ".join(row["artefact_id"] for row in found.artefacts)
            said = f"open until {moment(found.until, 'withdrawn')} by {artefacts}"
        yield f"  {found.asked.category:<14}{found.asked.purpose:<10}{said}"
    named = {found.asked.purpose for found in answers}
    if others := [purpose for purpose in PURPOSES if purpose not in named]:
        yield f"  nothing was agreed to for {', '.join(others)}"


def _why(found: Answer) -> Iterator[str]:
    asked, verdict = found.asked, "open" if found.is_open else "closed"
    yield f"{asked.category} for {asked.purpose}, asked at {moment(asked.at)} UTC: {verdict}"
    width = max(len(step.condition) for step in found.steps)
    for step in found.steps:
        said = f"yes, {step.left} artefact{'s' * (step.left != 1)}" if step.holds else f"no: {step.said}"
        yield f"  {step.condition:<{width}}  {said}"
    for row in found.artefacts:
        covers = f"{moment(row['data_from'], 'any time')} to {moment(row['data_to'], 'any time')}"
        yield f"  artefact {row['artefact_id']} opens {covers}, until {moment(row['expires_at'], 'withdrawn')}"


def _known(what: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise ConfigError(f"no {what} of that name; there are {', '.join(known)}")


def _utc(at: datetime) -> datetime:
    """Canonical times are UTC without a zone; a time that carries none is taken as UTC."""
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at


def _show(lines: Sequence[str]) -> None:
    for line in lines:
        out.print(line, markup=False, emoji=False, soft_wrap=True)
