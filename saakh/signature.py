"""The signature of a scorecard: Ed25519 over its manifest, which holds the digest of every other member.

Checking one needs the library of `saakh[verify]`, imported only when a key to trust is given.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from saakh.errors import ArtifactError, ConfigError, MissingInputError
from saakh.fields import Fields, parse_json
from saakh.manifest import MEMBER as MANIFEST

MEMBER = "signature.json"
ALGORITHM = "ed25519"
DOMAIN = b"saakh/scorecard/manifest/1\n"
"""What comes before a manifest when it is signed, so that no signature made for another thing fits."""
BYTES_MAX = 1_000
KEY_BYTES_MAX = 10_000
_HEX = re.compile("[0-9a-fA-F]{64}")

Key = str | PathLike[str]
Trust = Key | Iterable[Key]
"""A public key, or several: each the path of a PEM file, or 64 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Whose signature a scorecard carries: the `key` id (None: nobody's), and whether it was verified."""

    key: str | None
    is_verified: bool

    def __str__(self) -> str:
        if self.key is None:
            return "unsigned"
        return f"signed by key {self.key}" if self.is_verified else "signed, not verified"


UNSIGNED = Signed(None, is_verified=False)


def key_id(public: bytes) -> str:
    """What a key is called: half the SHA-256 of its 32 bytes, too short to pass for a key."""
    return hashlib.sha256(public).hexdigest()[:32]


def said(manifest: bytes) -> bytes:
    """What is signed."""
    return DOMAIN + manifest


def member(public: bytes, signature: bytes) -> bytes:
    """The member `signature.json`, in the one form it is written in."""
    content = {"algorithm": ALGORITHM, "key": key_id(public), "signature": signature.hex()}
    return (json.dumps(content, indent=1) + "\n").encode()


def check(members: Mapping[str, bytes], trust: Trust | None = None) -> Signed:
    """Whose signature these members carry; with `trust`, one of these keys must have signed, or `ArtifactError`.

    Without the library, with `trust`, a `ConfigError` names the extra that brings it.
    """
    keys = None if trust is None else _public_keys(trust)
    body = members.get(MEMBER)
    if body is None:
        if keys is None:
            return UNSIGNED
        raise ArtifactError(
            "not signed, and a key to trust was given; sign it with `saakh sign`, or take it from who did"
        )
    key, signature = _read(body)
    if keys is None:
        return Signed(key, is_verified=False)
    if key not in keys:
        raise ArtifactError(f"signed by key {key}, which is not among those trusted: {', '.join(keys)}")
    _verify(keys[key], signature, said(members.get(MANIFEST, b"")))
    return Signed(key, is_verified=True)


def _read(body: bytes) -> tuple[str, bytes]:
    """The key id and the signature in a member; one that is not in the one form is an `ArtifactError`."""
    if len(body) > BYTES_MAX:
        raise ArtifactError(f"{MEMBER} is larger than {BYTES_MAX:,} bytes")
    field = Fields(parse_json(body, MEMBER), MEMBER, "algorithm", "key", "signature")
    field.text("algorithm", ALGORITHM)
    return field.text("key", "[0-9a-f]{32}"), bytes.fromhex(field.text("signature", "[0-9a-f]{128}"))


def _public_keys(trust: Trust) -> dict[str, bytes]:
    """The trusted keys by id; none at all is an error, never trust in everybody."""
    given = [trust] if isinstance(trust, str | PathLike) else list(trust)
    if not given:
        raise ConfigError("an empty list of keys to trust: give a key, or None to check digests alone")
    keys = [_public_key(key) for key in given]
    return {key_id(key): key for key in keys}


def _public_key(named: Key) -> bytes:
    if isinstance(named, str) and _HEX.fullmatch(named):
        return bytes.fromhex(named)
    path = Path(named)
    if not path.is_file():
        raise MissingInputError(f"no key at {str(path)[:200]}; a key to trust is a PEM file, or 64 hexadecimal digits")
    with path.open("rb") as stream:
        pem = stream.read(KEY_BYTES_MAX)
    if b"PRIVATE" in pem:
        raise ConfigError(f"{path} holds a private key, which a lending service must not have; name its public half")
    return _from_pem(path, pem)


def _from_pem(path: Path, pem: bytes) -> bytes:
    _need_library()
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError(f"{path} holds no public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(f"{path} holds a key of another kind than Ed25519")
    return key.public_bytes_raw()


def _verify(public: bytes, signature: bytes, body: bytes) -> None:
    _need_library()
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, body)
    except InvalidSignature:
        raise ArtifactError(
            "the manifest does not bear out its signature: one of them was changed after signing; do not use this file"
        ) from None


def _need_library() -> None:
    try:
        import cryptography.hazmat.primitives  # noqa: F401, PLC0415
    except ImportError:
        raise ConfigError(
            "checking a signature needs the library 'cryptography', which is not installed; "
            "pip install 'saakh[verify]', or load without `trust` to check digests alone"
        ) from None
