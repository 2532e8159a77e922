"""Keyed pseudonyms: HMAC-SHA256 under one derived key a domain, so that no two kinds of id can be joined by value.

The key stays outside the data and is never shown: whoever holds both could test guesses of a phone number.
"""

import hmac
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.params import Ingest
from saakh.errors import ConfigError, MissingInputError

KEY_BYTES = 32
ORIGIN_METRES = 5_000_000
PSEUDONYM_BYTES = 16
_REMEMBERED = 1_000_000
_NONE = pa.array([], pa.string())
_TRY = "make a key with `saakh key FILE` and set ingest.key_file to that file, or put it into the environment and set"


class Pseudonyms:
    """The pseudonyms under one key. The same id always gets the same pseudonym; another key gives quite others."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ConfigError(f"a key for pseudonyms has {KEY_BYTES} bytes; make one with `saakh key FILE`")
        self._key = key
        self._known: dict[str, tuple[pa.Array, pa.Array]] = {}

    def __repr__(self) -> str:
        return "Pseudonyms(key not shown)"

    def one(self, domain: str, identifier: str) -> str:
        """The pseudonym of an id: 128 bits as 32 hexadecimal characters."""
        return _pseudonym(self._domain_key(domain), identifier)

    def many(self, domain: str, identifiers: pa.Array) -> pa.Array:
        """The pseudonyms of ids, best each once; they are remembered from batch to batch. Missing stays missing."""
        known, digests = self._known.get(domain, (_NONE, _NONE))
        if len(known) > _REMEMBERED:
            known, digests = _NONE, _NONE
        at = pc.index_in(identifiers, value_set=known)
        fresh = pc.unique(identifiers.filter(pc.and_(at.is_null(), identifiers.is_valid())))
        if len(fresh):
            key = self._domain_key(domain)
            made = pa.array([_pseudonym(key, identifier) for identifier in fresh.to_pylist()], pa.string())
            later = pc.add(pc.index_in(identifiers, value_set=fresh), pa.scalar(len(known), pa.int32()))
            at = pc.coalesce(at, later)
            known, digests = pa.concat_arrays([known, fresh]), pa.concat_arrays([digests, made])
            self._known[domain] = known, digests
        return digests.take(at)

    def column(self, domain: str, identifiers: pa.Array) -> pa.Array:
        """The pseudonyms of a column of text, plain or dictionary-encoded; as a dictionary with int32 indices."""
        coded = identifiers if pa.types.is_dictionary(identifiers.type) else pc.dictionary_encode(identifiers)
        digests = self.many(domain, coded.dictionary)
        given = digests.is_valid().take(coded.indices)
        indices = pc.if_else(given, coded.indices.cast(pa.int32()), pa.scalar(None, pa.int32()))
        return pa.DictionaryArray.from_arrays(indices, digests.fill_null(""))

    def origins(self, people: Sequence[str | None]) -> npt.NDArray[np.int64]:
        """Each person's secret origin: metres east and north, shape (people, 2), uniform within 5,000 km either way."""
        key = self._domain_key("origin")
        digests = b"".join(_digest(key, person or "")[:16] for person in people)
        drawn = np.frombuffer(digests, ">u8").reshape(-1, 2) % np.uint64(2 * ORIGIN_METRES + 1)
        return drawn.astype(np.int64) - ORIGIN_METRES

    def _domain_key(self, domain: str) -> bytes:
        return _digest(self._key, f"saakh/{domain}")


def read_key(ingest: Ingest) -> bytes:
    """The key that `ingest.key_file` or `ingest.key_env` names; a `ConfigError` says how to come by one."""
    if (ingest.key_file is None) == (ingest.key_env is None):
        count = "neither" if ingest.key_file is None else "both"
        raise ConfigError(f"pseudonyms need a key, and {count} of ingest.key_file and key_env is set; {_TRY} key_env")
    if ingest.key_file is not None:
        return _parse(_read_text(ingest.key_file), str(ingest.key_file))
    name = str(ingest.key_env)
    text = os.environ.get(name, "")
    if not text.strip():
        raise ConfigError(f"pseudonyms need a key, and the environment variable {name} is empty; {_TRY} {name}")
    return _parse(text, f"the environment variable {name}")


def new_key(path: Path) -> None:
    """Write a new random key, readable by its owner alone; a file that is there is never overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{path} is there already; a new key would orphan every pseudonym made with it") from None
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(KEY_BYTES) + "\n")


def _pseudonym(key: bytes, identifier: str) -> str:
    return _digest(key, identifier)[:PSEUDONYM_BYTES].hex()


def _digest(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _read_text(path: Path) -> str:
    if not path.is_file():
        raise MissingInputError(f"no key at {path}, which ingest.key_file names; make one with `saakh key {path}`")
    return path.read_text(encoding="ascii", errors="replace")


def _parse(text: str, where: str) -> bytes:
    if not re.fullmatch(f"[0-9a-fA-F]{{{2 * KEY_BYTES}}}", text.strip()):
        raise ConfigError(
            f"{where} does not hold a key of {2 * KEY_BYTES} hexadecimal digits; make one: `saakh key FILE`"
        )
    return bytes.fromhex(text.strip())
