"""A key in the system's keyring: put there once, read from there, and every way in which that can fail said plainly."""

import sys
from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringLocked

from pipeline.params import Ingest, read_params
from pipeline.pseudonyms import new_key_in_ring, read_key, read_shard_key
from saakh.errors import ConfigError


class InMemory(KeyringBackend):
    """A keyring that forgets when the process ends, registered by the library's own means."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise KeyringLocked("secret of somebody")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


@pytest.fixture
def ring() -> Iterator[InMemory]:
    """An empty keyring in the place of this machine's."""
    before = keyring.get_keyring()
    mine = InMemory()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


def test_a_key_is_made_in_the_keyring_and_read_from_there(ring: InMemory) -> None:
    new_key_in_ring("saakh/pseudonyms")
    key = read_key(Ingest(key_ring="saakh/pseudonyms"))
    assert key.hex() == ring.held["saakh", "pseudonyms"]
    assert len(key) == 32


def test_the_shard_key_may_lie_there_too(ring: InMemory) -> None:
    new_key_in_ring("saakh/pseudonyms")
    new_key_in_ring("saakh/shards")
    ingest = Ingest(key_ring="saakh/pseudonyms", shard_key_ring="saakh/shards")
    assert read_shard_key(ingest).hex() == ring.held["saakh", "shards"]


def test_a_key_that_is_there_is_never_replaced(ring: InMemory) -> None:
    new_key_in_ring("saakh/pseudonyms")
    before = dict(ring.held)
    with pytest.raises(ConfigError, match="holds saakh/pseudonyms already"):
        new_key_in_ring("saakh/pseudonyms")
    assert ring.held == before


def test_a_key_that_is_not_there_says_how_to_come_by_one(ring: InMemory) -> None:
    with pytest.raises(ConfigError, match="holds no saakh/other; make a key with `saakh key new --ring saakh/other`"):
        read_key(Ingest(key_ring="saakh/other"))


def test_a_locked_keyring_is_named_and_its_message_is_not_repeated(ring: InMemory) -> None:
    ring.is_locked = True
    with pytest.raises(ConfigError, match="KeyringLocked") as caught:
        read_key(Ingest(key_ring="saakh/pseudonyms"))
    assert "somebody" not in str(caught.value)


def test_a_machine_without_a_keyring_says_so(ring: InMemory) -> None:
    keyring.set_keyring(NoKeyring())
    with pytest.raises(ConfigError, match="NoKeyringError"):
        read_key(Ingest(key_ring="saakh/pseudonyms"))


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigError, match="extra `keyring`"):
        read_key(Ingest(key_ring="saakh/pseudonyms"))


def test_what_is_no_key_in_the_keyring_is_refused_without_being_shown(ring: InMemory) -> None:
    ring.held["saakh", "pseudonyms"] = "correct horse battery staple"
    with pytest.raises(ConfigError, match="64 hexadecimal digits") as caught:
        read_key(Ingest(key_ring="saakh/pseudonyms"))
    assert "horse" not in str(caught.value)


def test_a_place_without_a_service_is_refused(ring: InMemory, tmp_path: pytest.TempPathFactory) -> None:
    with pytest.raises(ConfigError, match="written service/name"):
        new_key_in_ring("pseudonyms")
    path = tmp_path / "params.yaml"  # type: ignore[operator]
    path.write_text("as_of: 2026-06-01T00:00:00Z\ningest: { key_ring: pseudonyms }\n")
    with pytest.raises(ConfigError, match="key_ring"):
        read_params(path)
