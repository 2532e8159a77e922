"""The container of a scorecard: a zip of stored members that has exactly one byte representation.

Any zip tool opens it. `unpack` packs what it read again and compares, so a duplicate name, a second directory, a
compressed or encrypted member, a comment, bytes before or after: none of it is a scorecard.
"""

import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

from saakh.errors import ArtifactError, MissingInputError

BYTES_MAX = 64 * 1024 * 1024
MEMBERS_MAX = 64
NAME = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+)*\.[a-z0-9]+")

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_LOCAL_SIGNATURE, _CENTRAL_SIGNATURE, _END_SIGNATURE = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION, _MADE_ON_UNIX, _STORED, _FIRST_OF_1980, _PLAIN_FILE = 10, 3 << 8 | 10, 0, 0x21, 0o100644 << 16


def pack(members: Mapping[str, bytes]) -> bytes:
    """The members as one zip: sorted by name, stored, dated 1 January 1980. Same members, same bytes, anywhere."""
    bodies: list[bytes] = []
    directory: list[bytes] = []
    at = 0
    for name, body in sorted(members.items()):
        label = name.encode("ascii")
        common = (_VERSION, 0, _STORED, 0, _FIRST_OF_1980, zlib.crc32(body), len(body), len(body), len(label), 0)
        head = _LOCAL.pack(_LOCAL_SIGNATURE, *common) + label
        rest = (0, 0, 0, _PLAIN_FILE, at)
        directory += [_CENTRAL.pack(_CENTRAL_SIGNATURE, _MADE_ON_UNIX, *common, *rest), label]
        bodies += [head, body]
        at += len(head) + len(body)
    size, count = sum(map(len, directory)), len(members)
    end = _END.pack(_END_SIGNATURE, 0, 0, count, count, size, at, 0)
    return b"".join((*bodies, *directory, end))


def unpack(raw: bytes) -> dict[str, bytes]:
    """The members of a packed scorecard by name; an `ArtifactError` for anything `pack` would not have written."""
    if len(raw) > BYTES_MAX:
        raise ArtifactError(f"larger than the {BYTES_MAX:,} bytes a scorecard may have")
    if not raw.startswith(_LOCAL_SIGNATURE):
        raise ArtifactError("not a scorecard: the file does not begin like a zip archive")
    members: dict[str, bytes] = {}
    at = 0
    while raw.startswith(_LOCAL_SIGNATURE, at):
        name, body, at = _member(raw, at)
        members[name] = body
        if len(members) > MEMBERS_MAX:
            raise ArtifactError(f"more than the {MEMBERS_MAX} members a scorecard may have")
    if pack(members) != raw:
        raise ArtifactError(
            "truncated, repacked or changed since it was exported; copy it again from where it was written"
        )
    return members


def _member(raw: bytes, at: int) -> tuple[str, bytes, int]:
    try:
        *_, checksum, size, _, label, _ = _LOCAL.unpack_from(raw, at)
        start = at + _LOCAL.size + label
        name = raw[at + _LOCAL.size : start].decode("ascii")
    except (struct.error, UnicodeDecodeError):
        raise ArtifactError("damaged: the header of a member is not readable") from None
    if not NAME.fullmatch(name):
        raise ArtifactError("damaged: a member has a name no scorecard uses")
    body = raw[start : start + size]
    if len(body) != size or zlib.crc32(body) != checksum:
        raise ArtifactError(f"damaged: member '{name}' is not what was written; copy the file again")
    return name, body, start + size


def read(path: Path) -> dict[str, bytes]:
    """The members of the scorecard at `path`; no more than `BYTES_MAX` bytes are ever read."""
    if not path.is_file():
        raise MissingInputError(f"no scorecard at {path}; `saakh export` writes one, named scorecard-<version>.saakh")
    with path.open("rb") as stream:
        return unpack(stream.read(BYTES_MAX + 1))
