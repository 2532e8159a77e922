"""The head of an audit log: how far it goes and the hash it ends in, signed by Ed25519 under a key kept elsewhere."""

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from pydantic import Field, ValidationError

from pipeline.audit.records import AuditError, Count, Digest
from pipeline.params import Audit
from pipeline.sections import Section
from pipeline.workspace import whole
from saakh.errors import ConfigError, MissingInputError

DOMAIN = b"saakh/audit/head/1\n"
"""What comes before a head when it is signed, so that no signature made for another thing fits."""
KEY_ENV = "SAAKH_AUDIT_KEY"
UNSIGNED = None
"""In the place of a public key: a head that nobody signed."""
_HEX = re.compile("[0-9a-fA-F]{64}")
_TRY = "make one with `saakh audit key FILE`"


class Head(Section):
    """The log's end: records, bytes, hash of the last; `key` is the public half of the key that signed it."""

    count: Annotated[Count, Field(ge=1)]
    size: Count
    hash: Digest
    key: Digest | None
    signature: Annotated[str, Field(pattern="^[0-9a-f]{128}$")] | None = None

    def said(self) -> bytes:
        """What is signed."""
        return DOMAIN + self.model_dump_json(exclude={"signature"}).encode()


def signed(head: Head, signer: Ed25519PrivateKey | None) -> Head:
    """The head with its signature; as it is when there is no signer."""
    return head if signer is None else head.model_copy(update={"signature": signer.sign(head.said()).hex()})


def public_of(signer: Ed25519PrivateKey | None) -> str | None:
    """The public half of a key in hexadecimal digits."""
    return UNSIGNED if signer is None else signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def check(head: Head, where: Path, trusted: Collection[str | None]) -> None:
    """That a head was signed by one of these public keys; `UNSIGNED` among them lets it be unsigned."""
    if head.key is None:
        if UNSIGNED not in trusted:
            raise AuditError(
                f"{where} is not signed, and a key is named: either its signature was taken away, or it was begun "
                "without a key; then look it through and sign it once with `saakh audit sign`"
            )
        return
    if not set(trusted) - {UNSIGNED}:
        raise ConfigError(
            f"{where} is signed and there is no key: set audit.key_file or {KEY_ENV}; to verify, the public one is "
            "enough (--key)"
        )
    if head.key not in trusted:
        raise AuditError(
            f"{where} is signed by another key than the one named (keys are changed with `saakh audit sign`)"
        )
    try:
        by = Ed25519PublicKey.from_public_bytes(bytes.fromhex(head.key))
        by.verify(bytes.fromhex(head.signature or ""), head.said())
    except InvalidSignature:
        raise AuditError(f"{where} does not bear out its signature: it was edited, or another key was used") from None


def read_head(path: Path, trusted: Collection[str | None]) -> Head | None:
    """A head that bears out its signature; None when there is no file."""
    if not path.exists():
        return None
    body = path.read_bytes()
    try:
        head = Head.model_validate_json(body)
    except ValidationError:
        raise AuditError(f"{path} is no head of an audit log: it was edited") from None
    if _bytes(head) != body or (head.key is None) != (head.signature is None):
        raise AuditError(f"{path} is not in the one form a head is written in: it was edited")
    check(head, path, trusted)
    return head


def write_head(path: Path, head: Head) -> None:
    """Write a head whole or not at all."""
    with whole(path) as temporary:
        temporary.write_bytes(_bytes(head))


def _bytes(head: Head) -> bytes:
    return head.model_dump_json().encode() + b"\n"


def new_pair(path: Path) -> Path:
    """Write a new key, readable by its owner alone, and beside it the public half; nothing is ever overwritten."""
    public = path.with_name(f"{path.name}.pub")
    for there in (path, public):
        if there.exists():
            raise ConfigError(f"{there} is there already; name another file: heads signed with the old key need it")
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _create(path, secret, 0o600)
    _create(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), 0o644)
    return public


def _create(path: Path, body: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
        stream.write(body)


def read_signer(audit: Audit) -> Ed25519PrivateKey | None:
    """The key that `audit.key_file` or the environment names; None when neither does."""
    text = os.environ.get(KEY_ENV, "").strip()
    if audit.key_file is None:
        return _private(text, f"the environment variable {KEY_ENV}") if text else None
    if text:
        raise ConfigError(f"both audit.key_file and {KEY_ENV} name a key for the audit log; set one of them")
    return read_private(audit.key_file, "audit.key_file")


def read_private(path: Path, named_by: str) -> Ed25519PrivateKey:
    """The key in a file that `named_by` names."""
    return _private(_read(path, named_by), str(path))


def read_public(named: str) -> str:
    """The public key in a PEM file (of either half), or given as 64 hexadecimal digits; as such digits."""
    if _HEX.fullmatch(named):
        return named.lower()
    text = _read(Path(named), "--key")
    if "PRIVATE" in text:
        return str(public_of(_private(text, named)))
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError(f"{named} holds no public key in PEM; {_TRY} and name FILE.pub") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(f"{named} holds a key of another kind than Ed25519; {_TRY}")
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def _read(path: Path, named_by: str) -> str:
    if not path.is_file():
        raise MissingInputError(f"no key at {path}, which {named_by} names; make one with `saakh audit key FILE`")
    return path.read_text(encoding="ascii", errors="replace").strip()


def _private(text: str, where: str) -> Ed25519PrivateKey:
    """A key from PEM, or from its seed in hexadecimal digits."""
    if _HEX.fullmatch(text):
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))
    try:
        key = load_pem_private_key(text.encode(), None)
    except TypeError:
        raise ConfigError(f"{where} holds a key under a password; name one without, in a file of your own") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError(f"{where} holds neither a private key in PEM nor 64 hexadecimal digits; {_TRY}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{where} holds a key of another kind than Ed25519; {_TRY}")
    return key
