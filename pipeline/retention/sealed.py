"""The sealed store: what a law makes the house keep of people who are erased everywhere else.

Each copy is encrypted (AES-256-GCM) under a key of its own, which lies beside it wrapped under the store's key. Its
header says what it may be opened for, whose it is (a digest), under which policies and until when it is kept; copy and
key are bound to that header, so that whoever edits it can open neither. Without its wrapped key a copy cannot be read
by anybody, whatever other keys they hold: to destroy that key is to destroy the copy.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import Field, TypeAdapter, ValidationError

from pipeline.audit.records import Day, Digest, Short
from pipeline.params import Section
from pipeline.retention.errors import ErasureError
from pipeline.workspace import Workspace, whole

PURPOSES = ("statute", "court_order", "regulator", "dispute")
"""What a copy can be kept for, and opened for alone: a closed list, for a sentence would have room for a name."""
NONCE_BYTES = 12
_COPY, _KEY = b"saakh/sealed/copy/1\n", b"saakh/sealed/key/1\n"
_PERSON = b"saakh/erased/person/1\n"
_HEADER_MAX = 1 << 16


class Header(Section):
    """What is said openly of a copy: nothing that tells whose it is to anybody who does not know the pseudonym."""

    format: Literal["saakh/sealed/1"] = "saakh/sealed/1"
    id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    purpose: Annotated[str, Field(pattern=f"^({'|'.join(PURPOSES)})$")]
    person: Digest
    policies: tuple[Short, ...]
    sealed_on: Day
    destroy_by: Day

    def said(self) -> bytes:
        """The header's bytes, to which copy and key are bound."""
        return self.model_dump_json().encode()


class VersionHeader(Section):
    """What is said openly of the copy of a retired version; `version` is the digest of its scorecard's manifest."""

    format: Literal["saakh/sealed/version/1"] = "saakh/sealed/version/1"
    id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    purpose: Annotated[str, Field(pattern=f"^({'|'.join(PURPOSES)})$")]
    version: Digest
    policies: tuple[Short, ...]
    sealed_on: Day
    destroy_by: Day

    def said(self) -> bytes:
        """The header's bytes, to which copy and key are bound."""
        return self.model_dump_json().encode()


AnyHeader = Header | VersionHeader
_HEADER: TypeAdapter[AnyHeader] = TypeAdapter(Annotated[AnyHeader, Field(discriminator="format")])


def person_digest(pseudonym: str) -> str:
    """The digest that stands for a person in headers and receipts; who knows the pseudonym can tell."""
    return hashlib.sha256(_PERSON + pseudonym.encode()).hexdigest()


@dataclass(frozen=True)
class Store:
    """The sealed store of a workspace, under its key."""

    folder: Path
    key: bytes

    def __repr__(self) -> str:
        return f"Store({self.folder}, key not shown)"

    def seal(self, header: AnyHeader, body: bytes) -> None:
        """Seal a copy, readable by its owner alone even so; one of that id that is there already is left as it is."""
        if self._key_of(header.id).exists() and self._copy_of(header.id).exists():
            return
        own = AESGCM.generate_key(256)
        with whole(self._copy_of(header.id), 0o600) as out:
            out.write_bytes(header.said() + b"\n" + _encrypted(own, body, _COPY + header.said()))
        with whole(self._key_of(header.id), 0o600) as out:
            out.write_bytes(_encrypted(self.key, own, _KEY + header.said()))

    def headers(self) -> list[AnyHeader]:
        """The headers of the copies that can still be opened, each borne out by its key; in order of destruction."""
        held = [self._header(path) for path in self._copies() if self._key_of(path.stem).exists()]
        for header in held:
            self._own_key(header)
        return sorted(held, key=lambda header: (header.destroy_by, header.id))

    def open(self, name: str, purpose: str, today: date) -> bytes:
        """What a copy holds; only for the purpose it was sealed for, and before its day."""
        if not self._copy_of(name).exists() or not self._key_of(name).exists():
            raise ErasureError(f"no sealed copy '{name}' can be opened; `saakh retention list` shows those there are")
        header = self._header(self._copy_of(name))
        own = self._own_key(header)
        if header.purpose != purpose:
            raise ErasureError(
                f"the copy is sealed for the purpose {header.purpose} alone; it is not opened for another"
            )
        if date.fromisoformat(header.destroy_by) <= today:
            raise ErasureError(f"the copy was to be destroyed by {header.destroy_by}: run `saakh retention run`")
        body = self._copy_of(name).read_bytes().split(b"\n", 1)[1]
        return self._decrypted(own, body, _COPY + header.said(), name)

    def shred(self, name: str) -> None:
        """Destroy a copy's key: from here on nobody can read the copy."""
        path = self._key_of(name)
        with path.open("r+b") as stream:
            stream.write(os.urandom(path.stat().st_size))
            stream.flush()
            os.fsync(stream.fileno())
        path.unlink()
        self._settle()

    def shredded(self) -> list[str]:
        """The copies whose key is destroyed and whose file is still there."""
        return [path.stem for path in self._copies() if not self._key_of(path.stem).exists()]

    def remove(self, name: str) -> None:
        """Remove the file of a copy whose key is destroyed."""
        self._copy_of(name).unlink()
        self._settle()

    def _own_key(self, header: AnyHeader) -> bytes:
        wrapped = self._key_of(header.id).read_bytes()
        return self._decrypted(self.key, wrapped, _KEY + header.said(), header.id)

    def _decrypted(self, key: bytes, body: bytes, bound_to: bytes, name: str) -> bytes:
        try:
            return AESGCM(key).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], bound_to)
        except (InvalidTag, ValueError):
            raise ErasureError(
                f"the sealed copy {name} does not bear out its seal: its header, its key or itself was edited, or the "
                "store's key is another; put back what was there"
            ) from None

    def _header(self, path: Path) -> AnyHeader:
        with path.open("rb") as stream:
            line = stream.readline(_HEADER_MAX)
        try:
            header = _HEADER.validate_json(line)
        except ValidationError:
            raise ErasureError(f"{path.name} has no header of a sealed copy; put back what was there") from None
        if header.id != path.stem or header.said() + b"\n" != line:
            raise ErasureError(f"{path.name} has not the header it was sealed with; put back what was there")
        return header

    def _copies(self) -> Iterator[Path]:
        yield from sorted(self.folder.glob("*.sealed"))

    def _copy_of(self, name: str) -> Path:
        return self.folder / f"{Path(name).name}.sealed"

    def _key_of(self, name: str) -> Path:
        return self.folder / f"{Path(name).name}.key"

    def _settle(self) -> None:
        """See the folder's entries on the disk."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def store_of(ws: Workspace, key: bytes) -> Store:
    """The sealed store of a workspace."""
    return Store(ws.root / "sealed", key)


def _encrypted(key: bytes, body: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, body, bound_to)
