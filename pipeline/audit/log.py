"""The log itself: lines that each name the hash of the line before, appended under a lock, whole or not at all.

An append writes the next head beside the present one, then the line, then moves the head into place. Whatever stops it
in between, the two heads and the length of the log tell what happened, and nothing that was signed is lost.
"""

import fcntl
import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.audit.heads import UNSIGNED, Head, public_of, read_head, signed, write_head
from pipeline.audit.records import GENESIS, AuditError, Entry, Key, Record, Recovery, hash_of, line_of, parse
from saakh.errors import MissingInputError

LINE_MAX = 1 << 20
"""No record is longer: the shapes bound how many names one holds."""
_TRY = "put back a copy that verifies, or move both away and begin a new log"


@dataclass(frozen=True)
class Verified:
    """A log that bears out its hashes and its head. Its `hash`, kept elsewhere, is an anchor: no later log lacks it."""

    count: int
    hash: str
    key: str | None
    kinds: dict[str, int]
    first_at: str
    last_at: str
    is_interrupted: bool


@dataclass(frozen=True)
class _Found:
    """What lies on the disk: how long the log is, its head, and the head of an append that was stopped."""

    path: Path
    size: int
    head: Head | None
    coming: Head | None

    def settled(self) -> tuple[Head | None, int]:
        """The head of the last whole append, and how many bytes of an unfinished one follow."""
        start = self.head.size if self.head else 0
        coming = self.coming.size if self.coming else 0
        if self.size == start:
            return self.head, 0
        if start < self.size == coming:
            return self.coming, 0
        if start < self.size < coming:
            return self.head, self.size - start
        raise self._broken()

    def left(self) -> tuple[Head | None, int]:
        """The same, once the last line has borne out the head: what an append may build on."""
        head, torn = self.settled()
        if head is not None:
            with self.path.open("rb") as stream:
                stream.seek(max(0, head.size - LINE_MAX))
                tail = stream.read(head.size - stream.tell())
            if tail[-1:] != b"\n" or hash_of(tail[:-1].rsplit(b"\n", 1)[-1]) != head.hash:
                raise _another_end(self.path)
        return head, torn

    def _broken(self) -> AuditError:
        if self.head is None:
            return AuditError(f"{self.path} has no head: {head_of(self.path).name} was taken away; {_TRY}")
        said = f"its head names {self.head.count:,} records in {self.head.size:,} bytes, and there are {self.size:,}"
        if self.size < self.head.size:
            return AuditError(f"{self.path} was cut short: {said}; {_TRY}")
        return AuditError(f"{self.path} goes on after its end: {said}; {_TRY}")


def head_of(path: Path) -> Path:
    """Where the head of a log lies."""
    return path.with_name(f"{path.name}.head")


def append(
    path: Path,
    actor: str,
    entries: Sequence[Entry],
    signer: Ed25519PrivateKey | None = None,
    trusted: Collection[str | None] = (),
) -> Head:
    """Append records and sign the new head; an `AuditError`, and nothing written, when the log is not as it was left.

    Args:
        path: the log; its head lies beside it. Both begin with the first record.
        actor: who acts.
        entries: what is said, one record each.
        signer: the key; None leaves the head unsigned.
        trusted: public keys that may have signed the present head; without, the signer's own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.parent, fcntl.LOCK_EX) as folder:
        found = _find(path, trusted or (public_of(signer),))
        head, torn = found.left()
        if head is found.coming is not None:
            _coming(path).replace(head_of(path))
            os.fsync(folder)
        if torn:
            os.truncate(path, head.size if head else 0)
            entries = [Recovery(cut=torn), *entries]
        after, lines = _continued(head, actor, entries, signer)
        write_head(_coming(path), after)
        os.fsync(folder)
        try:
            _write(path, lines)
        except OSError:
            _coming(path).unlink()
            raise
        _coming(path).replace(head_of(path))
        os.fsync(folder)
    return after


def ready(path: Path, signer: Ed25519PrivateKey | None) -> None:
    """Raise what an append would raise, before the work that it would be about."""
    if path.parent.is_dir():
        with _locked(path.parent, fcntl.LOCK_SH):
            _find(path, (public_of(signer),)).left()


def verify(path: Path, trusted: Collection[str | None] = (UNSIGNED,), anchors: Collection[str] = ()) -> Verified:
    """Read the whole log; an `AuditError` names the first record that was edited, dropped or moved, or the cut.

    Args:
        path: the log.
        trusted: the public keys that may have signed the head; `UNSIGNED` among them for a log without a key.
        anchors: hashes that earlier verifications gave: a log rolled back or written anew lacks them.
    """
    if not path.parent.is_dir():
        raise _none(path)
    with _locked(path.parent, fcntl.LOCK_SH):
        found = _find(path, trusted)
    kinds, lacking, first, record, last = Counter[str](), set(anchors), "", None, GENESIS
    for record, last in walk(path, found.size):
        kinds[record.entry.kind] += 1
        first = first or record.at
        lacking.discard(last)
    head, torn = found.settled()
    if torn:
        raise AuditError(
            f"{path} ends in {torn:,} bytes of an append that was stopped; the next append cuts them off and records it"
        )
    if head is None:
        raise _none(path)
    if record is None or (head.count, head.hash) != (kinds.total(), last):
        raise _another_end(path)
    if lacking:
        raise AuditError(
            f"{path} lacks {len(lacking)} of the anchors: it was rolled back or written anew since; {_TRY}"
        )
    return Verified(head.count, last, head.key, dict(kinds), first, record.at, found.coming is not None)


def walk(path: Path, size: int | None = None) -> Iterator[tuple[Record, str]]:
    """Each record with its hash, in order; an `AuditError` at the first that does not follow the one before.

    Stops after `size` bytes (for others may append meanwhile), and before a last line that has no end.
    """
    if not path.is_file():
        return
    at, previous = 0, GENESIS
    with path.open("rb") as stream:
        for index, raw in enumerate(stream):
            at += len(raw)
            if raw[-1:] != b"\n" or (size is not None and at > size):
                return
            line = raw[:-1]
            record = parse(line, index)
            if record.index != index or record.previous != previous:
                raise _out_of_place(record, index)
            previous = hash_of(line)
            yield record, previous


def _out_of_place(record: Record, index: int) -> AuditError:
    if record.index > index:
        return AuditError(f"records {index} to {record.index - 1} are missing before record {record.index}")
    if record.index < index:
        return AuditError(f"record {record.index} stands in place {index}: it was moved, or put in again")
    before = f"record {index - 1}" if index else "the beginning of a log"
    return AuditError(f"record {index} does not follow {before}: one of the two was edited or replaced")


def change_key(path: Path, actor: str, signer: Ed25519PrivateKey, former: str | None) -> Head:
    """Verify the whole log under its former key (`UNSIGNED`: none), and sign it with another from here on."""
    trusted = (former, str(public_of(signer)))
    verify(path, trusted)
    return append(path, actor, [Key(former=former, key=trusted[1])], signer, trusted)


def _another_end(path: Path) -> AuditError:
    return AuditError(f"{path} does not end in the record its head names: its last line or its head was edited; {_TRY}")


def _none(path: Path) -> MissingInputError:
    return MissingInputError(f"no audit log at {path}; it begins with the first stage that is run")


def _coming(path: Path) -> Path:
    return path.with_name(f"{path.name}.head.next")


def _find(path: Path, trusted: Collection[str | None]) -> _Found:
    size = path.stat().st_size if path.exists() else 0
    return _Found(path, size, read_head(head_of(path), trusted), read_head(_coming(path), trusted))


def _continued(
    head: Head | None, actor: str, entries: Sequence[Entry], signer: Ed25519PrivateKey | None
) -> tuple[Head, bytes]:
    """The head after these entries, and their lines."""
    start, previous, size = (head.count, head.hash, head.size) if head else (0, GENESIS, 0)
    at, lines = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), []
    for index, entry in enumerate(entries, start):
        line = line_of(Record(index=index, previous=previous, at=at, actor=actor, entry=entry))
        previous = hash_of(line)
        lines.append(line + b"\n")
    size += sum(map(len, lines))
    after = Head(count=start + len(lines), size=size, hash=previous, key=public_of(signer))
    return signed(after, signer), b"".join(lines)


def _write(path: Path, body: bytes) -> None:
    """Append to the file and see it on the disk; when that fails, the file is as it was."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        before, left = os.fstat(handle).st_size, memoryview(body)
        try:
            while left:
                left = left[os.write(handle, left) :]
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, before)
            raise
    finally:
        os.close(handle)


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[int]:
    """The folder, held against other processes' appends until the block ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, how)
        yield handle
    finally:
        os.close(handle)
