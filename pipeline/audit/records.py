"""What the audit log may hold: one closed shape a kind of record, made of digests, counts and names that code gives.

No shape has room for free text, so none has room for a person's value. A record is one line of JSON in one byte form.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from features.columns import PURPOSES, Category
from pipeline.sections import Section
from saakh.errors import ConfigError, SaakhError

GENESIS = hashlib.sha256(b"saakh/audit/log/1\n").hexdigest()
"""What the first record names as the hash before it: the format and its version."""
SHARED = ("scorecard", "scores", "table", "features", "model", "report", "receipts", "audit_log")
"""What can be shared."""
WHYS = (
    *("co_lending", "credit_bureau", "servicing", "collection", "model_validation", "regulator", "auditor"),
    *("research", "applicant_request", "court_order"),
)
"""Why it can be shared: a closed list, for a sentence would have room for a name."""
RETIREMENTS = ("superseded", "expired", "stopped", "law", "purpose_ended")
"""Why a version is retired: another took its place, its day came, monitoring or a law stopped it, nothing needs it."""
ERASURES = ("request", "withdrawal", "purpose_ended")
"""Why people are erased."""


ACTOR = "^[A-Za-z][A-Za-z0-9._@+-]{0,63}$"
ERROR = "^[A-Z][A-Za-z]{1,39}$"
WORDS = "^[a-z_]+([ .:-]+[a-z_]+)*$"
FILE = "^[a-z_]+(-[0-9]{1,6}([.][0-9]{1,6}){2})?([.][a-z]+)+$"


class AuditError(SaakhError):
    """The audit log or its head is not as it was written: edited, cut, reordered, or signed by another key."""

    exit_code = 13


def _one_of(names: Iterable[str]) -> Any:
    return Field(pattern=f"^({'|'.join(names)})$")


def _in_order(entries: dict[str, Any]) -> dict[str, Any]:
    if len(entries) > 1 and list(entries) != sorted(entries):
        raise ValueError("names must be in order")
    return entries


Count = Annotated[int, Field(strict=True, ge=0, le=10**12)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Moment = Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]
Day = Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Actor = Annotated[str, Field(pattern=ACTOR)]
Word = Annotated[str, Field(pattern="^[a-z]+(_[a-z]+)*$", max_length=40)]
Words = Annotated[str, Field(pattern=WORDS, max_length=64)]
"""What a count is called: lower-case letters only, so that no number and no id fits."""
Short = Annotated[str, Field(pattern="^[a-z]+[0-9]{0,3}(-[a-z]+[0-9]{0,3})*(-[0-9]{4})?$", max_length=48)]
"""A name that a house gives: a policy (`in-rbi-2025`), a recipient (`credit-bureau`)."""
File = Annotated[str, Field(pattern=FILE, max_length=64)]
"""A file that a stage names: `features.parquet`, `scorecard-0.1.0.saakh`."""
Version = Annotated[str, Field(pattern="^[0-9]{1,6}([.][0-9]{1,6}){2}([a-z.+-][a-z0-9.+-]{0,15})?$")]
Kind = Annotated[str, Field(pattern=ERROR)]
Purpose = Annotated[str, _one_of(PURPOSES)]
Counts = Annotated[dict[Words, Count], Field(max_length=1_000), AfterValidator(_in_order)]
Opened = Annotated[dict[Annotated[str, _one_of(c.value for c in Category)], Count], AfterValidator(_in_order)]
Folders = Annotated[dict[Word, Digest], Field(max_length=100), AfterValidator(_in_order)]
Files = Annotated[dict[File, Digest], Field(max_length=1_000), AfterValidator(_in_order)]
Policies = Annotated[dict[Short, Digest | None], Field(max_length=100), AfterValidator(_in_order)]


class Asked(Section):
    """What every act on data says first: as of when, for which purpose, under which policies (with their digests)."""

    as_of: Moment
    purpose: Purpose
    policies: Policies


class Stage(Asked):
    """A stage ended well: on which folders, with which parameters, what it wrote, and what it counted.

    `inputs` and `tree` are digests of whole folders, `outputs` of the single files at the top of the stage's own.
    """

    kind: Literal["stage"] = "stage"
    stage: Word
    version: Version
    params: Digest
    inputs: Folders
    outputs: Files
    tree: Digest
    rows_in: Count
    rows_out: Count
    counts: Counts


class Run(Asked):
    """A command ran these stages and finished, or a stage failed with this kind of error; of that no more is said."""

    kind: Literal["run"] = "run"
    stages: Annotated[tuple[Word, ...], Field(max_length=100)]
    failed: Word | None
    error: Kind | None


class Consent(Asked):
    """How many applications had each category opened by a consent, and how many artefacts opened it where counted."""

    kind: Literal["consent"] = "consent"
    applications: Count
    opened: Opened
    artefacts: Opened


class Export(Asked):
    """A file was made to leave the house: which, and its digest."""

    kind: Literal["export"] = "export"
    file: File
    artefact: Digest


class Share(Asked):
    """A recipient was given an artefact; `rows` counts the applicants in it, none in a scorecard."""

    kind: Literal["share"] = "share"
    recipient: Short
    what: Annotated[str, _one_of(SHARED)]
    artefact: Digest
    rows: Count
    why: Annotated[str, _one_of(WHYS)]


class Erasure(Asked):
    """People were erased: rows removed by table, pseudonyms replaced, stages rebuilt, the receipt, what was sealed."""

    kind: Literal["erasure"] = "erasure"
    why: Annotated[str, _one_of(ERASURES)]
    people: Count
    removed: Counts
    replaced: Count
    rebuilt: Annotated[tuple[Word, ...], Field(max_length=100)]
    receipt: Digest
    sealed_until: Day | None


class Retention(Asked):
    """Sealed copies were looked through: so many destroyed, for their day had come, and so many kept."""

    kind: Literal["retention"] = "retention"
    destroyed: Count
    kept: Count
    receipt: Digest | None


class Signing(Asked):
    """A scorecard was signed: its digest before and after, and the public key."""

    kind: Literal["signing"] = "signing"
    before: Digest
    artefact: Digest
    key: Digest


class Scoring(Asked):
    """A scorecard, whose signature was verified or not, scored so many applicants: on which features, to which file."""

    kind: Literal["scoring"] = "scoring"
    scorecard: Version
    artefact: Digest
    is_verified: bool
    features: Digest
    scores: Digest
    rows: Count


class Release(Asked):
    """A scorecard became the champion, or again, in place of another: approved by whom, in which signed record."""

    kind: Literal["release"] = "release"
    act: Annotated[str, _one_of(("release", "rollback"))]
    scorecard: Version
    artefact: Digest
    former: Digest | None
    approver: Actor
    record: Digest


class Retire(Asked):
    """A version was wound down: its data sealed or destroyed, so many recipients to be told, in which record."""

    kind: Literal["retire"] = "retire"
    scorecard: Version
    artefact: Digest
    why: Annotated[str, _one_of(RETIREMENTS)]
    data: Annotated[str, _one_of(("sealed", "destroyed"))]
    sealed_until: Day | None
    recipients: Count
    record: Digest


class Key(Section):
    """From here on heads are signed by another key."""

    kind: Literal["key"] = "key"
    former: Digest | None
    key: Digest


class Recovery(Section):
    """An append was interrupted before its line was whole: so many bytes were cut off."""

    kind: Literal["recovery"] = "recovery"
    cut: Count


Entry = Annotated[
    Stage
    | Run
    | Consent
    | Export
    | Share
    | Erasure
    | Retention
    | Signing
    | Scoring
    | Release
    | Retire
    | Key
    | Recovery,
    Field(discriminator="kind"),
]


class Record(Section):
    """One line of the log: its place, the hash of the line before it, when, who, and what."""

    index: Count
    previous: Digest
    at: Moment
    actor: Actor
    entry: Entry


E = TypeVar("E", bound=Section)
_RECORD = TypeAdapter(Record)
_parse, _write = _RECORD.validate_json, _RECORD.dump_json


def line_of(record: Record) -> bytes:
    """A record's line, without its end: keys as declared here, names in order, no spaces, ASCII."""
    return _write(record)


def hash_of(line: bytes) -> str:
    """The SHA-256 of a line, without its end."""
    return hashlib.sha256(line).hexdigest()


def parse(line: bytes, index: int) -> Record:
    """The record a line holds; an `AuditError` when it is none, or not in its one byte form."""
    try:
        record = _parse(line)
    except ValidationError:
        raise AuditError(f"record {index} is no record of the audit log: its line was edited") from None
    if _write(record) != line:
        raise AuditError(f"record {index} is not in the one form the log writes: its line was edited")
    return record


def entry(shape: type[E], /, **fields: Any) -> E:
    """A record's content; a `ConfigError` names what does not fit its shape, never the value."""
    ordered = {k: dict(sorted(v.items())) if isinstance(v, dict) else v for k, v in fields.items()}
    try:
        return shape(**ordered)
    except ValidationError as error:
        faults = sorted({_fault(fault) for fault in error.errors(include_url=False)})
        raise ConfigError(
            f"the audit log has no place for this {shape.__name__.lower()}: {'; '.join(faults)}"
        ) from None


def _fault(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "a key it does not know"
    at, is_pattern = fault["loc"][0], fault["type"] == "string_pattern_mismatch"
    return f"{at}: must match {fault['ctx']['pattern']}" if is_pattern else f"{at}: {fault['type'].replace('_', ' ')}"
