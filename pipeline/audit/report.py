"""What `saakh audit` does and prints: make a key, verify, sign anew, list records, and show the sharing register."""

import re
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from pipeline.audit import actor_of, path_of, share
from pipeline.audit.heads import UNSIGNED, new_pair, public_of, read_public, read_signer
from pipeline.audit.log import change_key, verify, walk
from pipeline.audit.records import Record, line_of
from pipeline.audit.register import shares, write_register
from pipeline.console import out, show
from pipeline.params import Params
from pipeline.summary import timed
from pipeline.workspace import Workspace, digest
from saakh.errors import ConfigError, MissingInputError

_UNSIGNED = "unsigned: no key is configured, so whoever may write the log can write it anew; only anchors would tell"
_INTERRUPTED = "the last append was stopped before it was done; nothing is lost, the next one completes it"
_LATE = "unsigned before that, so only from then on does the signature say who kept the log"


def make_key(path: Path) -> None:
    """Write a new pair of keys and say where the two halves are and who needs which."""
    public = new_pair(path)
    where = f"A new key is at {path}, for you alone: name it in audit.key_file, and keep it apart from the log."
    whose = f"Its public half is at {public}: give it to whoever verifies ({read_public(str(public))})."
    out.print(where, whose, sep="\n", soft_wrap=True)


def show_verified(params: Params, log: Path | None = None, key: str | None = None, anchors: Sequence[str] = ()) -> None:
    """Verify a log, the workspace's own when none is named, and say what it is and how far the proof reaches."""
    path = _path(params, log)
    if any(not re.fullmatch("[0-9a-f]{64}", anchor) for anchor in anchors):
        raise ConfigError("an anchor is the 64 hexadecimal digits that an earlier `saakh audit verify` printed")
    with timed("audit") as summary:
        verified = verify(path, _trusted(params, key), anchors)
        summary.rows_in = summary.rows_out = verified.count
        summary.counts = verified.kinds
        summary.facts = {
            "log": f"{path}, from {verified.first_at} to {verified.last_at}",
            "chain": "every record follows the one before; none edited, dropped or moved",
            "head": _UNSIGNED if verified.key is UNSIGNED else f"signed by {verified.key}",
            "anchor": f"{verified.hash} (keep it elsewhere: without it, a log rolled back with its head looks whole)",
        }
        if anchors:
            summary.facts["anchors"] = f"{len(anchors)} found"
        if verified.is_interrupted:
            summary.facts["interrupted"] = _INTERRUPTED
    show(summary)


def sign(params: Params, former: str | None = None) -> None:
    """Verify the log under its former key (none: unsigned) and sign its head with the configured one from here on."""
    signer = read_signer(params.audit)
    if signer is None:
        raise ConfigError("there is no key to sign with: set audit.key_file; make one with `saakh audit key FILE`")
    path = path_of(Workspace(params.workspace))
    head = change_key(path, actor_of(params), signer, read_public(former) if former else UNSIGNED)
    out.print(f"{path}: {head.count:,} records, signed by {head.key} from here on.", soft_wrap=True)
    if former is None:
        out.print(f"It was {_LATE}.")


def show_records(params: Params, kind: str | None = None, named: str | None = None, last: int | None = None) -> None:
    """Print records as the log holds them, of one kind, with one digest anywhere in them, or the last few."""
    path = path_of(Workspace(params.workspace))
    verify(path, _trusted(params, None))
    found = [record for record, _ in walk(path) if kind in (None, record.entry.kind) and _has(record, named)]
    for record in found[-last:] if last else found:
        out.print(Text(line_of(record).decode()), soft_wrap=True)


def show_register(
    params: Params, recipient: str | None = None, artefact: str | None = None, to: Path | None = None
) -> None:
    """Print who was given what, when and why, or write it as CSV."""
    lines = shares(path_of(Workspace(params.workspace)), _trusted(params, None), recipient, artefact)
    if to is not None:
        write_register(lines, to)
        out.print(f"Wrote {to}: {len(lines):,} shares.")
        return
    for line in lines:
        rows = f" of {line.rows:,} applicants" if line.rows else ""
        said = f"{line.at}  {line.recipient}  {line.what}{rows}  {line.why}  {line.artefact}  by {line.by}"
        out.print(Text(said), soft_wrap=True)
    out.print(f"{len(lines):,} shares.")


def enter_share(params: Params, recipient: str, what: str, artefact: Path, why: str, rows: int) -> None:
    """Enter a share into the register, and say under which digest."""
    if not artefact.is_file():
        raise MissingInputError(f"no file at {artefact}; a share is recorded by the digest of what is given")
    head = share(params, Workspace(params.workspace), recipient, what, artefact, why, rows)
    out.print(f"Recorded as share {head.count - 1:,}: {what} to {recipient}, {digest(artefact)}.", soft_wrap=True)


def _path(params: Params, log: Path | None) -> Path:
    return log or path_of(Workspace(params.workspace))


def _trusted(params: Params, key: str | None) -> tuple[str | None]:
    """The public key a head must be signed with: the one named, else that of the configured key, else none."""
    return (read_public(key),) if key else (public_of(read_signer(params.audit)),)


def _has(record: Record, named: str | None) -> bool:
    return named is None or named.encode() in line_of(record)
