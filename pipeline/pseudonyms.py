"""Keyed pseudonyms: HMAC-SHA256 under one derived key a domain, so that no two kinds of id can be joined by value.

The key stays outside the data and is never shown: whoever holds both could test guesses of a phone number. Shard
numbers come from a key of their own, so that they outlive a change of the first.
"""

import hmac
import os
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.params import Ingest
from saakh.errors import ConfigError, MissingInputError

KEY_BYTES = 32
ORIGIN_METRES = 5_000_000
PSEUDONYM_BYTES = 16
PERSON = "person"
SLOTS = 5_040
"""A person has one of so many slots; every number up to 10 divides it, so that shards made of slots are even."""
SHARDS = pa.schema([pa.field("person_id", pa.string()), pa.field("slot", pa.int64())])
_REMEMBERED = 1_000_000
_NONE = pa.array([], pa.string())
_HEX = re.compile(f"[0-9a-fA-F]{{{2 * KEY_BYTES}}}")
_TRY = (
    "make a key with `saakh key new FILE` and set ingest.key_file to that file; or keep it in an environment variable "
    "that ingest.key_env names, or in the system's keyring under ingest.key_ring"
)


class Pseudonyms:
    """The pseudonyms under one key. The same id always gets the same pseudonym; another key gives quite others.

    With a key of shards, the slot of every person met is remembered too.
    """

    def __init__(self, key: bytes, shard_key: bytes | None = None) -> None:
        if len(key) != KEY_BYTES:
            raise ConfigError(f"a key for pseudonyms has {KEY_BYTES} bytes; make one with `saakh key new FILE`")
        self._key = key
        self._shard_key = shard_key
        self._known: dict[str, tuple[pa.Array, pa.Array]] = {}
        self._met: list[pa.Table] = []

    def __repr__(self) -> str:
        return "Pseudonyms(key not shown)"

    def one(self, domain: str, identifier: str) -> str:
        """The pseudonym of an id: 128 bits as 32 hexadecimal characters."""
        return str(self._made(domain, [identifier])[0].as_py())

    def many(self, domain: str, identifiers: pa.Array) -> pa.Array:
        """The pseudonyms of ids, best each once; they are remembered from batch to batch. Missing stays missing."""
        known, digests = self._known.get(domain, (_NONE, _NONE))
        if len(known) > _REMEMBERED:
            known, digests = _NONE, _NONE
        at = pc.index_in(identifiers, value_set=known)
        fresh = pc.unique(identifiers.filter(pc.and_(at.is_null(), identifiers.is_valid())))
        if len(fresh):
            made = self._made(domain, fresh.to_pylist())
            later = pc.add(pc.index_in(identifiers, value_set=fresh), pa.scalar(len(known), pa.int32()))
            at = pc.coalesce(at, later)
            known, digests = pa.concat_arrays([known, fresh]), pa.concat_arrays([digests, made])
            self._known[domain] = known, digests
        return digests.take(at)

    def column(self, domain: str, identifiers: pa.Array) -> pa.Array:
        """The pseudonyms of a column of text, plain or dictionary-encoded; as a dictionary with int32 indices."""
        coded = identifiers if pa.types.is_dictionary(identifiers.type) else pc.dictionary_encode(identifiers)
        if pc.count_distinct(coded.indices).as_py() < len(coded.dictionary):  # what was cut out of a larger table
            coded = coded.dictionary_decode().dictionary_encode()
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

    def slots(self) -> pa.Table:
        """Everyone met, in the order of pseudonyms, with the slot: below `SLOTS`, and moved by the shard key alone."""
        met = pa.concat_tables([SHARDS.empty_table(), *self._met])
        once = met.group_by("person_id").aggregate([("slot", "min")]).rename_columns(SHARDS.names)
        return once.select(SHARDS.names).sort_by("person_id")

    def for_recipient(self, recipient: str) -> "Pseudonyms":
        """What one recipient is given in place of the house's pseudonyms, under a key derived for that recipient."""
        return Pseudonyms(_digest(self._key, f"saakh/to/{recipient}"))

    def _domain_key(self, domain: str) -> bytes:
        return _digest(self._key, f"saakh/{domain}")

    def _made(self, domain: str, identifiers: Sequence[str]) -> pa.Array:
        key = self._domain_key(domain)
        made = pa.array([_digest(key, name)[:PSEUDONYM_BYTES].hex() for name in identifiers], pa.string())
        if domain == PERSON and self._shard_key is not None:
            drawn = [int.from_bytes(_digest(self._shard_key, name)[:8]) % SLOTS for name in identifiers]
            self._met.append(pa.table([made, pa.array(drawn, pa.int64())], SHARDS))
        return made


def shard_of(slots: npt.NDArray[np.int64], shards: int) -> npt.NDArray[np.int64]:
    """Which of so many shards each slot belongs to, from 0; even to the slot up to ten shards, nearly so beyond."""
    if not 1 <= shards <= SLOTS:
        raise ConfigError(f"there can be 1 to {SLOTS:,} shards, not {shards:,}")
    return slots % shards


def read_key(ingest: Ingest) -> bytes:
    """The key of pseudonyms that the parameters name; a `ConfigError` says how to come by one."""
    named = [name for name in ("key_file", "key_env", "key_ring") if getattr(ingest, name) is not None]
    if len(named) != 1:
        count = f"{' and '.join(named)} are set at once" if named else "ingest names none"
        raise ConfigError(f"pseudonyms need one key, and {count}; {_TRY}")
    return _key_from(ingest, "")


def read_shard_key(ingest: Ingest) -> bytes:
    """The key of shards; where the parameters name none, one that follows from the key of pseudonyms."""
    named = [name for name in _shard_places(ingest) if getattr(ingest, name) is not None]
    if len(named) > 1:
        raise ConfigError(f"shards need one key, and {' and '.join(named)} are set at once; leave one")
    return _key_from(ingest, "shard_") if named else _digest(read_key(ingest), "saakh/shard")


def has_shard_key(ingest: Ingest) -> bool:
    """Whether the parameters name a key of shards, so that these do not follow from the key of pseudonyms."""
    return any(getattr(ingest, name) is not None for name in _shard_places(ingest))


def new_key(path: Path) -> None:
    """Write a new random key, readable by its owner alone; a file that is there is never overwritten."""
    keep_in_file(path, secrets.token_bytes(KEY_BYTES))


def keep_in_file(path: Path, key: bytes) -> None:
    """Write a key, readable by its owner alone; a file that is there is never overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{path} is there already; a new key would orphan every pseudonym made with it") from None
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(key.hex() + "\n")


def new_key_in_ring(named: str) -> None:
    """Put a new random key into the system's keyring as `service/name`; one that is there is never replaced."""
    keep_in_ring(named, secrets.token_bytes(KEY_BYTES))


def keep_in_ring(named: str, key: bytes) -> None:
    """Put a key into the system's keyring as `service/name`; one that is there is never replaced."""
    service, _, name = named.partition("/")
    if not (service and name):
        raise ConfigError(f"a place in the keyring is written service/name, as in saakh/pseudonyms; not '{named}'")
    if _asked(named, lambda ring: ring.get_password(service, name)) is not None:
        raise ConfigError(f"the keyring holds {named} already; a new key would orphan every pseudonym made with it")
    _asked(named, lambda ring: ring.set_password(service, name, key.hex()))


def _shard_places(ingest: Ingest) -> list[str]:
    return [name for name in type(ingest).model_fields if name.startswith("shard_key_")]


def _key_from(ingest: Ingest, kind: str) -> bytes:
    """The key from whichever place is named: a file, an environment variable, the keyring."""
    file, variable, ring = (getattr(ingest, f"{kind}key_{place}") for place in ("file", "env", "ring"))
    if _HEX.fullmatch(str(file or variable or ring).strip()):
        raise ConfigError(
            f"ingest.{kind}key_* is to say where a key lies, and holds what may be a key itself: it is out now, so "
            "make a new one with `saakh key new FILE`"
        )
    if file is not None:
        return _parse(_read_text(file, f"ingest.{kind}key_file"), str(file))
    if variable is not None:
        text = os.environ.get(variable, "")
        if not text.strip():
            raise ConfigError(f"the environment variable {variable}, which is to hold a key, is empty; {_TRY}")
        return _parse(text, f"the environment variable {variable}")
    service, _, name = ring.partition("/")
    held = _asked(ring, lambda keyring: keyring.get_password(service, name))
    if held is None:
        raise ConfigError(f"the keyring holds no {ring}; make a key with `saakh key new --ring {ring}`")
    return _parse(held, f"{ring} in the keyring")


def _asked(named: str, ask: Callable[[ModuleType], str | None]) -> str | None:
    """What the system's keyring answers; that it is locked, missing or broken is a `ConfigError`."""
    try:
        import keyring  # noqa: PLC0415 - an extra
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError:
        raise ConfigError(
            f"{named} is to lie in the system's keyring, and the package keyring is not installed: install the extra "
            "`keyring`, or keep the key in a file"
        ) from None
    try:
        return ask(keyring)
    except KeyringError as error:
        raise ConfigError(
            f"the system's keyring does not answer for {named} ({type(error).__name__}); unlock it, or keep the key in "
            "a file"
        ) from None


def _digest(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _read_text(path: Path, named_by: str) -> str:
    if not path.is_file():
        raise MissingInputError(f"no key at {path}, which {named_by} names; make one with `saakh key new {path}`")
    return path.read_text(encoding="ascii", errors="replace")


def _parse(text: str, where: str) -> bytes:
    if not _HEX.fullmatch(text.strip()):
        raise ConfigError(
            f"{where} does not hold a key of {2 * KEY_BYTES} hexadecimal digits; make one: `saakh key new FILE`"
        )
    return bytes.fromhex(text.strip())
