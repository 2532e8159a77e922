"""Release: make a verified scorecard the one that decides, once its evidence is whole and somebody else approved it.

`release/champion.saakh` is what a service reads; beside it lie each released version and the signed records. MLflow's
aliases `champion` and `former-champion` say the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from pipeline import audit
from pipeline.audit.heads import read_private
from pipeline.params import Params
from pipeline.release.errors import ReleaseError
from pipeline.release.gates import lacking
from pipeline.release.records import FOLDER, Approval, approval_of, write_record
from pipeline.release.registry import promote, registered
from pipeline.stops import stop_files
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.verify import replayed
from pipeline.workspace import Workspace, whole
from saakh import archive, signature, stops
from saakh.errors import ArtifactError, ConfigError
from saakh.scorecard import Scorecard
from saakh.stops import digests_of

CHAMPION = "champion.saakh"


@dataclass(frozen=True)
class Candidate:
    """A scorecard that may become the champion: its members, verified, and what it is known by."""

    card: Scorecard
    members: Mapping[str, bytes]
    digests: Mapping[str, str]

    @property
    def manifest(self) -> str:
        """The digest that its signature does not change."""
        return self.digests["manifest_sha256"]


@dataclass(frozen=True)
class Approver:
    """Who approves: a name, a note, and the key that signs both."""

    name: str
    note: str
    key: Ed25519PrivateKey

    @classmethod
    def of(cls, name: str, note: str, key_file: Path) -> "Approver":
        """An approver whose private key is in a file."""
        return cls(name, note, read_private(key_file, "--key"))


def run(
    params: Params, ws: Workspace, path: Path, trust: Sequence[str], approver: Approver, tell: Tell = quiet
) -> Summary:
    """Make the scorecard at `path` the champion; a `ReleaseError` names all that it lacks."""
    audit.ready(params, ws)
    with timed("release") as summary:
        tell("verifying", 0, 3)
        candidate, former = read_candidate(path, trust), champion(ws)
        _refuse_own_approval(candidate, approver)
        _refuse_again(ws, candidate, former)
        tell("looking through the evidence", 1, 3)
        number, bundle = registered(ws, candidate.card, candidate.members)
        if missing := lacking(candidate.card, bundle, ws):
            raise ReleaseError(f"{path} is not released, for {len(missing)} reasons: {'; '.join(missing)}")
        tell("releasing", 2, 3)
        _put(kept(ws, candidate.card.version), candidate)
        _enthrone(params, ws, candidate, former, approver, Approved("release", number))
        _say(summary, ws, candidate, former)
    return summary


def rollback(params: Params, ws: Workspace, trust: Sequence[str], approver: Approver, tell: Tell = quiet) -> Summary:
    """Make the champion before the present one the champion again; it was verified then, and is once more."""
    audit.ready(params, ws)
    with timed("rollback") as summary:
        tell("verifying", 0, 2)
        present, before = champion(ws), _former(ws)
        candidate = read_candidate(kept(ws, before.scorecard), trust)
        if candidate.manifest != before.manifest:
            raise ReleaseError(f"{kept(ws, before.scorecard)} is not the scorecard that was released; restore it")
        _refuse_own_approval(candidate, approver)
        tell("going back", 1, 2)
        _enthrone(params, ws, candidate, present, approver, Approved("rollback", before.model_version))
        _say(summary, ws, candidate, present)
    return summary


def kept(ws: Workspace, version: str) -> Path:
    """Where a released version is kept."""
    return ws.root / FOLDER / f"scorecard-{version}.saakh"


def champion(ws: Workspace) -> Candidate | None:
    """The scorecard that decides now; its own signature is not checked again."""
    path = ws.root / FOLDER / CHAMPION
    return _candidate(path, None) if path.exists() else None


def read_candidate(path: Path, trust: Sequence[str]) -> Candidate:
    """A scorecard that is whole, gives its golden vectors, is signed by a trusted key, and is not stopped."""
    if not trust:
        raise ConfigError("a release needs a key to trust: name the public half of the one that signed (--trust)")
    found = _candidate(path, trust)
    try:
        replayed(found.card, dict(found.members))
        stops.refuse(found.members, (*stops.beside(path), *stop_files(path)))
    except ArtifactError as error:
        raise ArtifactError(f"{path}: {error}") from None
    return found


def now() -> str:
    """The moment, for records."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Approved:
    """What is done, to which registered model."""

    act: Literal["release", "rollback"]
    number: str


def _candidate(path: Path, trust: Sequence[str] | None) -> Candidate:
    try:
        members = archive.read(path)
        return Candidate(Scorecard.from_members(members, trust), members, digests_of(members))
    except ArtifactError as error:
        raise ArtifactError(f"{path}: {error}") from None


def _former(ws: Workspace) -> Approval:
    """The approval of the champion before the present one."""
    present = champion(ws)
    last = approval_of(ws, present.manifest) if present else None
    found = approval_of(ws, last.former) if last and last.former else None
    if found is None:
        raise ReleaseError(f"there is no former champion in {ws.root / FOLDER} to go back to")
    return found


def _refuse_own_approval(candidate: Candidate, approver: Approver) -> None:
    if candidate.card.signature.key == signature.key_id(approver.key.public_key().public_bytes_raw()):
        raise ReleaseError(
            "the key that approves is the one that signed the scorecard: whoever made it does not approve it; approve "
            "with another key (`saakh audit key FILE` makes one)"
        )


def _refuse_again(ws: Workspace, candidate: Candidate, former: Candidate | None) -> None:
    if former and former.manifest == candidate.manifest:
        raise ReleaseError(f"{candidate.card.version} is the champion already")
    place = kept(ws, candidate.card.version)
    if place.exists() and _candidate(place, None).manifest != candidate.manifest:
        raise ReleaseError(
            f"another scorecard was released as {candidate.card.version}: set export.version to a new one and export; "
            "`saakh diff` says which kind of version the change asks for"
        )


def _enthrone(
    params: Params, ws: Workspace, candidate: Candidate, former: Candidate | None, approver: Approver, what: Approved
) -> None:
    """Record, then tell MLflow, then put the file in place: a service takes up nothing that is not on record."""
    digests = {"artefact": candidate.digests["scorecard_sha256"], "manifest": candidate.manifest}
    before = approval_of(ws, former.manifest) if former else None
    said = {"approver": approver.name, "note": approver.note, "former": former.manifest if former else None}
    try:
        approval = Approval(
            at=now(), scorecard=candidate.card.version, act=what.act, model_version=what.number, **digests, **said
        )
    except ValidationError:
        raise ConfigError(
            "an approver is a short name as `asha.rao`, and a note a text of 1 to 2,000 characters without control ones"
        ) from None
    record = write_record(ws, approval, approver.key)
    audit.released(params, ws, approval, record)
    tags = {"scorecard": candidate.card.version, "approver": approver.name, "note": approver.note}
    promote(ws, what.number, before.model_version if before else None, tags | digests)
    _put(ws.root / FOLDER / CHAMPION, candidate)


def _put(path: Path, candidate: Candidate) -> None:
    with whole(path) as temporary:
        temporary.write_bytes(archive.pack(candidate.members))


def _say(summary: Summary, ws: Workspace, candidate: Candidate, former: Candidate | None) -> None:
    summary.facts = {
        "champion": f"{candidate.card.name} {candidate.card.version}, {candidate.card.signature}",
        "before": former.card.version if former else "none",
        "served from": str(ws.root / FOLDER / CHAMPION),
    }
