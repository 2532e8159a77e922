"""Whatever is done to an audit log by someone without the key is found: no tampered log verifies.

`make test` tampers with 600 logs, `make prove` (SAAKH_FULL=1) with 10,000.
"""

import hashlib
import json
import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audit import log
from pipeline.audit.heads import public_of
from pipeline.audit.records import GENESIS, AuditError
from saakh.errors import SaakhError
from tests.audit_log import entries
from tests.conftest import Claim

TAMPERED = 10_000 if os.environ.get("SAAKH_FULL") else 600
RECORDS, EARLIER = 24, 15
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
THIEF = Ed25519PrivateKey.from_private_bytes(bytes(32))
OURS = (public_of(KEY),)


@dataclass(frozen=True)
class Files:
    """What lies on the disk: the lines of the log, its head, and the head of an append that was stopped."""

    lines: tuple[bytes, ...]
    head: bytes | None
    coming: bytes | None = None

    @property
    def log(self) -> bytes:
        return b"".join(self.lines)

    def put(self, path: Path) -> None:
        path.write_bytes(self.log)
        for at, body in ((log.head_of(path), self.head), (path.with_name(f"{path.name}.head.next"), self.coming)):
            at.unlink(missing_ok=True)
            if body is not None:
                at.write_bytes(body)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Files, Files]:
    """A signed log as it was earlier, and as it is."""
    path, found = tmp_path_factory.mktemp("audit") / "audit.jsonl", []
    made = entries(RECORDS)
    for part in (made[:EARLIER], made[EARLIER:]):
        log.append(path, "asha", part, KEY)
        found.append(Files(tuple(path.read_bytes().splitlines(keepends=True)), log.head_of(path).read_bytes()))
    return found[0], found[1]


def flipped(body: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(body))
    return body[:at] + bytes([body[at] ^ draw.randrange(1, 256)]) + body[at + 1 :]


def edit_a_byte(now: Files, _: Files, draw: random.Random) -> Files:
    return replace(now, lines=(flipped(now.log, draw),))


def edit_bytes(now: Files, _: Files, draw: random.Random) -> Files:
    """Put in, take out or put others in the place of up to 40 bytes."""
    at, gone = draw.randrange(len(now.log)), draw.randrange(40)
    return replace(now, lines=(now.log[:at], draw.randbytes(draw.randrange(40)), now.log[at + gone :]))


def edit_a_value(now: Files, _: Files, draw: random.Random) -> Files:
    """Another actor, count or digest in a line that stays well formed."""
    at = draw.randrange(RECORDS)
    record = json.loads(now.lines[at])
    record["actor" if draw.random() < 0.5 else "at"] = draw.choice(["ravi", "2026-01-01T00:00:00Z"])
    return replaced(now, at, json.dumps(record, separators=(",", ":")).encode() + b"\n")


def replaced(now: Files, at: int, *lines: bytes) -> Files:
    return replace(now, lines=(*now.lines[:at], *lines, *now.lines[at + 1 :]))


def drop(now: Files, _: Files, draw: random.Random) -> Files:
    at, many = draw.randrange(RECORDS), draw.randrange(1, 4)
    return replace(now, lines=now.lines[:at] + now.lines[at + many :])


def swap(now: Files, _: Files, draw: random.Random) -> Files:
    lines, (one, other) = list(now.lines), draw.sample(range(RECORDS), 2)
    lines[one], lines[other] = lines[other], lines[one]
    return replace(now, lines=tuple(lines))


def duplicate(now: Files, _: Files, draw: random.Random) -> Files:
    at, to = draw.randrange(RECORDS), draw.randrange(RECORDS + 1)
    return replace(now, lines=(*now.lines[:to], now.lines[at], *now.lines[to:]))


def truncate(now: Files, _: Files, draw: random.Random) -> Files:
    whole_lines = draw.random() < 0.5
    left = now.lines[: draw.randrange(RECORDS)] if whole_lines else (now.log[: draw.randrange(len(now.log))],)
    return replace(now, lines=left)


def chained(lines: tuple[bytes, ...], at: int, previous: str, actor: str = "ravi") -> tuple[bytes, ...]:
    """Lines from a place on as a forger writes them: another actor, every hash put right."""
    made = []
    for index, line in enumerate(lines[at:], at):
        record = json.loads(line) | {"index": index, "previous": previous, "actor": actor}
        body = json.dumps(record, separators=(",", ":")).encode()
        previous = hashlib.sha256(body).hexdigest()
        made.append(body + b"\n")
    return lines[:at] + tuple(made)


def end(lines: tuple[bytes, ...], at: int) -> str:
    return hashlib.sha256(lines[at - 1][:-1]).hexdigest() if at else GENESIS


def chain_anew(now: Files, _: Files, draw: random.Random) -> Files:
    at = draw.randrange(RECORDS)
    return replace(now, lines=chained(now.lines, at, end(now.lines, at)))


def append_forged(now: Files, _: Files, draw: random.Random) -> Files:
    lines = (*now.lines, *now.lines[: draw.randrange(1, 4)])
    return replace(now, lines=chained(lines, RECORDS, end(now.lines, RECORDS)))


def append_bytes(now: Files, _: Files, draw: random.Random) -> Files:
    return replace(now, lines=(*now.lines, draw.randbytes(draw.randrange(1, 60))))


def edit_the_head(now: Files, _: Files, draw: random.Random) -> Files:
    return replace(now, head=flipped(now.head or b"", draw))


def head_for(lines: tuple[bytes, ...], key: Ed25519PrivateKey | None, claimed: Ed25519PrivateKey | None) -> bytes:
    """A head that fits these lines, signed by a key that says it is another's."""
    body = b"".join(lines)
    fits = log.Head(count=len(lines), size=len(body), hash=end(lines, len(lines)), key=public_of(claimed))
    made = log.signed(fits, key).model_dump_json()
    return made.encode() + b"\n"


def rewrite_and_sign_by_another_key(now: Files, before: Files, draw: random.Random) -> Files:
    lines = chain_anew(now, before, draw).lines
    return Files(lines, head_for(lines, THIEF, THIEF))


def rewrite_and_sign_in_our_name(now: Files, before: Files, draw: random.Random) -> Files:
    lines = draw.choice([chain_anew, append_forged])(now, before, draw).lines
    return Files(lines, head_for(lines, THIEF, KEY))


def rewrite_and_take_the_signature_away(now: Files, before: Files, draw: random.Random) -> Files:
    lines = chain_anew(now, before, draw).lines
    return Files(lines, head_for(lines, None, None))


def take_the_head_away(now: Files, _: Files, draw: random.Random) -> Files:
    return replace(now, head=None)


def put_an_old_head(now: Files, before: Files, draw: random.Random) -> Files:
    return replace(now, head=before.head)


def cut_and_call_it_stopped(now: Files, before: Files, draw: random.Random) -> Files:
    """The earlier log, its head in the place of the head of an append that was stopped."""
    return Files(before.lines, draw.choice([now.head, flipped(now.head or b"", draw)]), before.head)


def forge_a_stopped_append(now: Files, before: Files, draw: random.Random) -> Files:
    lines = append_forged(now, before, draw).lines
    return Files(lines, now.head, head_for(lines, THIEF, draw.choice([THIEF, KEY, None])))


def roll_back(now: Files, before: Files, draw: random.Random) -> Files:
    """The earlier log with its own head: whole, but without the anchor."""
    return before


Tamper = Callable[[Files, Files, random.Random], Files]
TAMPERS: tuple[Tamper, ...] = (
    *(edit_a_byte, edit_bytes, edit_a_value, drop, swap, duplicate, truncate, chain_anew, append_forged, append_bytes),
    *(edit_the_head, rewrite_and_sign_by_another_key, rewrite_and_sign_in_our_name, take_the_head_away),
    *(rewrite_and_take_the_signature_away, put_an_old_head, cut_and_call_it_stopped, forge_a_stopped_append, roll_back),
)


def test_every_tampered_log_is_found(tmp_path: Path, grown: tuple[Files, Files], claim: Claim) -> None:
    before, now = grown
    path, draw, anchor = tmp_path / "audit.jsonl", random.Random(20260601), [end(now.lines, RECORDS)]
    tried, missed = 0, Counter[str]()
    while tried < TAMPERED:
        tamper = TAMPERS[tried % len(TAMPERS)]
        tampered = tamper(now, before, draw)
        if (tampered.log, tampered.head) == (now.log, now.head):
            continue
        tampered.put(path)
        tried += 1
        try:
            log.verify(path, OURS, anchor)
            missed[tamper.__name__] += 1
        except SaakhError:
            pass
    now.put(path)
    assert log.verify(path, OURS, anchor).count == RECORDS
    claim(f"{TAMPERED:,} tampered audit logs", "100 % found", f"{TAMPERED - missed.total():,} found")
    assert not missed


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200), st.one_of(st.none(), st.binary(max_size=200)))
def test_files_of_any_bytes_are_refused_by_one_error_and_left_alone(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, head: bytes, coming: bytes | None
) -> None:
    path = tmp_path_factory.mktemp("any") / "audit.jsonl"
    Files((body,), head, coming).put(path)
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    for refused in (lambda: log.verify(path, OURS), lambda: log.append(path, "asha", entries(1), KEY)):
        with pytest.raises(AuditError):
            refused()
    assert before == {file.name: file.read_bytes() for file in path.parent.iterdir()}
