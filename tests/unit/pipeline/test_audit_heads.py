"""Keys of the audit log: made for their owner, read from a file or the environment, and never shown."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from pipeline.audit.heads import KEY_ENV, new_pair, public_of, read_public, read_signer
from pipeline.params import Audit
from saakh.errors import ConfigError, MissingInputError

SEED = bytes(range(32)).hex()
PUBLIC = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
"""The public key of that seed, as other implementations of RFC 8032 give it."""


def test_a_new_pair_is_for_its_owner_and_its_public_half_for_all(tmp_path: Path) -> None:
    path = tmp_path / "keys/audit.pem"
    public = new_pair(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert public == tmp_path / "keys/audit.pem.pub"
    assert read_public(str(public)) == read_public(str(path)) == public_of(read_signer(Audit(key_file=path)))


@pytest.mark.parametrize("there", ["audit.pem", "audit.pem.pub"])
def test_a_new_pair_overwrites_nothing(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        new_pair(tmp_path / "audit.pem")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(there, "mine")]


def test_a_key_is_read_from_a_seed_in_the_environment_or_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "seed").write_text(f"{SEED}\n")
    assert public_of(read_signer(Audit(key_file=tmp_path / "seed"))) == PUBLIC
    monkeypatch.setenv(KEY_ENV, SEED)
    assert public_of(read_signer(Audit())) == PUBLIC


def test_a_pem_in_the_environment_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_pair(tmp_path / "audit.pem")
    monkeypatch.setenv(KEY_ENV, (tmp_path / "audit.pem").read_text())
    assert public_of(read_signer(Audit())) == read_public(str(tmp_path / "audit.pem.pub"))


def test_without_a_key_heads_are_unsigned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_ENV, raising=False)
    assert read_signer(Audit()) is None
    assert public_of(None) is None


def test_two_keys_are_one_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_ENV, SEED)
    with pytest.raises(ConfigError, match=r"both audit\.key_file and SAAKH_AUDIT_KEY"):
        read_signer(Audit(key_file=tmp_path / "audit.pem"))


def test_a_key_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match=r"no key at .*nowhere, which audit\.key_file names; make one"):
        read_signer(Audit(key_file=tmp_path / "nowhere"))
    with pytest.raises(MissingInputError, match="which --key names"):
        read_public(str(tmp_path / "nowhere"))


def of_another_kind() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def under_a_password() -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (lambda: b"SECRET-not-a-key", "neither a private key in PEM nor 64 hexadecimal digits"),
        (lambda: b"\xff\xfe SECRET", "neither a private key"),
        (lambda: b"", "neither a private key"),
        (of_another_kind, "a key of another kind than Ed25519"),
        (under_a_password, "a key under a password"),
    ],
)
def test_what_is_no_key_is_refused_without_being_shown(tmp_path: Path, body: object, says: str) -> None:
    (tmp_path / "key").write_bytes(body())  # type: ignore[operator]
    with pytest.raises(ConfigError, match=says) as error:
        read_signer(Audit(key_file=tmp_path / "key"))
    assert "SECRET" not in str(error.value)


def test_a_public_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    (tmp_path / "key").write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(ConfigError, match="another kind than Ed25519"):
        read_public(str(tmp_path / "key"))
    (tmp_path / "text").write_text("hello")
    with pytest.raises(ConfigError, match="holds no public key"):
        read_public(str(tmp_path / "text"))


def test_a_public_key_can_be_given_as_digits() -> None:
    assert read_public(PUBLIC.upper()) == PUBLIC
