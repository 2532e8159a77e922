"""The key of the sealed store: kept outside the workspace, and no other key of the house."""

import os
import re
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pipeline.audit.heads import read_signer
from pipeline.params import Params
from pipeline.pseudonyms import read_key, read_shard_key
from saakh.errors import ConfigError, MissingInputError

KEY_ENV = "SAAKH_SEAL_KEY"
KEY_BYTES = 32
_HEX = re.compile(f"[0-9a-fA-F]{{{2 * KEY_BYTES}}}")
_TRY = f"make one with `saakh key new FILE`, then set retention.key_file to that file, or put its text into {KEY_ENV}"


def read_store_key(params: Params) -> bytes:
    """The key that `retention.key_file` or the environment names; a `ConfigError` when it is one used elsewhere."""
    text, file = os.environ.get(KEY_ENV, "").strip(), params.retention.key_file
    if file is not None and text:
        raise ConfigError(f"both retention.key_file and {KEY_ENV} name a key for the sealed store; set one of them")
    if file is None and not text:
        raise ConfigError(f"a sealed copy needs a key of its own, and there is none; {_TRY}")
    key = _parsed(text or _read(file), str(file or f"the environment variable {KEY_ENV}"))
    if key in _others(params):
        raise ConfigError("the sealed store has the key of pseudonyms, shards or the audit log; give it one of its own")
    return key


def _read(file: Path | None) -> str:
    if file is None or not file.is_file():
        raise MissingInputError(f"no key at {file}, which retention.key_file names; {_TRY}")
    return file.read_text(encoding="ascii", errors="replace").strip()


def _parsed(text: str, where: str) -> bytes:
    if not _HEX.fullmatch(text):
        raise ConfigError(f"{where} does not hold a key of {2 * KEY_BYTES} hexadecimal digits; {_TRY}")
    return bytes.fromhex(text)


def _others(params: Params) -> set[bytes]:
    """The keys that do other work."""
    signer = read_signer(params.audit)
    used = {signer.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())} if signer else set()
    try:
        return used | {read_key(params.ingest), read_shard_key(params.ingest)}
    except (ConfigError, MissingInputError):  # whoever keeps the sealed store need not have the key of the pseudonyms
        return used
