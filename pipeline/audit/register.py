"""The sharing register: who was given what, when and why. It is read from the audit log, and only from a whole one."""

import csv
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from pipeline.audit.heads import UNSIGNED
from pipeline.audit.log import verify, walk
from pipeline.audit.records import Record, Share
from pipeline.workspace import whole


@dataclass(frozen=True)
class Shared:
    """One line of the register; `record` is its place in the log, `rows` how many applicants the artefact holds."""

    record: int
    at: str
    by: str
    recipient: str
    what: str
    artefact: str
    rows: int
    why: str
    policies: str


def shares(
    path: Path, trusted: Collection[str | None] = (UNSIGNED,), recipient: str | None = None, artefact: str | None = None
) -> list[Shared]:
    """Every share, or those with one recipient or of one artefact (its digest), from a log that is verified first."""
    count = verify(path, trusted).count
    found = [_line(record, record.entry) for record, _ in walk(path) if isinstance(record.entry, Share)]
    asked = (recipient, artefact)
    return [
        line
        for line in found
        if line.record < count
        and all(want in (None, got) for want, got in zip(asked, (line.recipient, line.artefact), strict=True))
    ]


def write_register(lines: list[Shared], out: Path) -> None:
    """Write the register as CSV, whole or not at all."""
    with whole(out) as temporary, temporary.open("w", encoding="ascii", newline="") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(Shared)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(asdict, lines))


def _line(record: Record, share: Share) -> Shared:
    return Shared(
        record=record.index,
        at=record.at,
        by=record.actor,
        recipient=share.recipient,
        what=share.what,
        artefact=share.artefact,
        rows=share.rows,
        why=share.why,
        policies=" ".join(share.policies),
    )
