"""Records of what became of versions: numbered files that are signed, never changed and never removed.

An approval is signed by who approves; a retirement by the key of the audit log, as an erasure's receipt is. The audit
log names the digest of each.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field, TypeAdapter, ValidationError

from pipeline.audit.records import RETIREMENTS, Actor, Count, Day, Digest, Moment, Short, Version
from pipeline.erase.receipt import Signed
from pipeline.release.errors import ReleaseError
from pipeline.workspace import Workspace, whole

FOLDER = "release"
DOMAIN = b"saakh/release/1\n"
"""What comes before a record when it is signed, so that no signature made for another thing fits."""
Note = Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]


class Recorded(Signed):
    """What every record names: when, and which scorecard, by version and digests."""

    at: Moment
    scorecard: Version
    artefact: Digest
    manifest: Digest

    def said(self) -> bytes:
        """What is signed."""
        return DOMAIN + self.model_dump_json(exclude={"signature"}).encode()


class Approval(Recorded):
    """A scorecard became the champion, in place of `former` (the digest of its manifest).

    `act` tells a release from a return to an earlier champion; `model_version` is its number in MLflow's registry.
    """

    kind: Literal["approval"] = "approval"
    act: Literal["release", "rollback"]
    model_version: Annotated[str, Field(pattern="^[0-9]{1,9}$")]
    former: Digest | None
    approver: Actor
    note: Note


class Retirement(Recorded):
    """A version was wound down: why, what became of its data, and who had been given it and must be told."""

    kind: Literal["retirement"] = "retirement"
    why: Annotated[str, Field(pattern=f"^({'|'.join(RETIREMENTS)})$")]
    data: Literal["sealed", "destroyed"]
    copy_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None
    sealed_until: Day | None
    recipients: tuple[Short, ...]
    files_removed: Count


Record = Approval | Retirement
_RECORD: TypeAdapter[Record] = TypeAdapter(Annotated[Record, Field(discriminator="kind")])


def write_record(ws: Workspace, record: Record, signer: Ed25519PrivateKey | None) -> Path:
    """Sign a record and write it as the next; returns where."""
    last = max((int(path.stem.rsplit("-", 1)[1]) for path in _paths(ws)), default=0)
    path = ws.stage(FOLDER) / f"record-{last + 1:06d}.json"
    with whole(path) as out:
        out.write_bytes(record.signed(signer).model_dump_json().encode() + b"\n")
    return path


def records(ws: Workspace) -> Iterator[Record]:
    """Every record, the last first, each borne out by its signature where it has one."""
    return (_read(path) for path in reversed(_paths(ws)))


def approval_of(ws: Workspace, manifest: str) -> Approval | None:
    """The last approval of the scorecard with this manifest."""
    found = (r for r in records(ws) if isinstance(r, Approval) and r.manifest == manifest)
    return next(found, None)


def _paths(ws: Workspace) -> list[Path]:
    return sorted((ws.root / FOLDER).glob("record-*.json"))


def _read(path: Path) -> Record:
    body = path.read_bytes()
    try:
        record = _RECORD.validate_json(body)
    except ValidationError:
        raise ReleaseError(f"{path} is no record of a release: it was edited, or is another file") from None
    try:
        if record.key is not None:
            by = Ed25519PublicKey.from_public_bytes(bytes.fromhex(record.key))
            by.verify(bytes.fromhex(record.signature or ""), record.said())
    except InvalidSignature:
        raise ReleaseError(f"{path} does not bear out its signature: it was edited; put back what was there") from None
    return record
