"""Pseudonyms: keyed, apart by domain, 128 bits, and the key never shown."""

import hashlib
import hmac
import stat
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.params import Ingest
from pipeline.pseudonyms import Pseudonyms, new_key, read_key
from saakh.errors import ConfigError, MissingInputError

KEY = bytes(range(32))


def test_a_pseudonym_is_the_first_128_bits_of_hmac_sha256_under_the_domains_key() -> None:
    domain = hmac.new(KEY, b"saakh/contact", hashlib.sha256).digest()
    expected = hmac.new(domain, b"+919800000001", hashlib.sha256).hexdigest()[:32]
    assert Pseudonyms(KEY).one("contact", "+919800000001") == expected
    assert len(expected) == 32


def test_the_same_id_is_another_pseudonym_in_another_domain_or_under_another_key() -> None:
    mine, theirs = Pseudonyms(KEY), Pseudonyms(bytes(32))
    assert len({mine.one("contact", "7"), mine.one("number", "7"), theirs.one("contact", "7")}) == 3


def test_a_column_keeps_its_order_and_its_gaps() -> None:
    pseudonyms = Pseudonyms(KEY)
    column = pseudonyms.column("person", pa.array(["a", None, "b", "a"])).cast(pa.string()).to_pylist()
    assert column == [pseudonyms.one("person", "a"), None, pseudonyms.one("person", "b"), pseudonyms.one("person", "a")]


def test_a_missing_value_of_a_dictionary_is_missing_in_the_column() -> None:
    coded = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), pa.array(["a", None]))
    column = Pseudonyms(KEY).column("person", coded)
    assert column.is_null().to_pylist() == [False, True]


def test_origins_are_a_persons_own_and_within_five_thousand_kilometres() -> None:
    people = [str(n) for n in range(2_000)]
    origins = Pseudonyms(KEY).origins(people)
    assert np.array_equal(origins[:2], Pseudonyms(KEY).origins(people[:2]))
    assert np.abs(origins).max() <= 5_000_000
    assert np.abs(origins.mean(axis=0)).max() < 400_000  # uniform: the mean of 2,000 has a deviation of 65 km
    assert len(np.unique(origins, axis=0)) == 2_000


def test_the_key_is_not_shown() -> None:
    assert KEY.hex() not in repr(Pseudonyms(KEY))


def test_a_new_key_is_for_its_owner_only_and_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "key.txt"
    new_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(read_key(Ingest(key_file=path))) == 32
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="there already"):
        new_key(path)
    assert path.read_bytes() == before


def test_a_key_comes_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAAKH_KEY", KEY.hex() + "\n")
    assert read_key(Ingest(key_env="SAAKH_KEY")) == KEY


def test_no_key_says_how_to_come_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAAKH_KEY", raising=False)
    with pytest.raises(ConfigError, match=r"neither of ingest\.key_file and key_env is set; make a key with"):
        read_key(Ingest())
    with pytest.raises(ConfigError, match="SAAKH_KEY is empty"):
        read_key(Ingest(key_env="SAAKH_KEY"))
    with pytest.raises(ConfigError, match="both"):
        read_key(Ingest(key_env="SAAKH_KEY", key_file=tmp_path / "k"))
    with pytest.raises(MissingInputError, match="no key at"):
        read_key(Ingest(key_file=tmp_path / "k"))


def test_a_key_of_the_wrong_shape_is_refused_without_being_shown(tmp_path: Path) -> None:
    path = tmp_path / "key.txt"
    path.write_text("correct horse battery staple")
    with pytest.raises(ConfigError, match="64 hexadecimal digits") as caught:
        read_key(Ingest(key_file=path))
    assert "horse" not in str(caught.value)


def test_what_is_remembered_is_bounded_and_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.pseudonyms._REMEMBERED", 3)
    pseudonyms = Pseudonyms(KEY)
    for first in range(0, 40, 2):
        ids = [str(n) for n in range(first, first + 5)]
        assert pseudonyms.many("app", pa.array(ids)).to_pylist() == [Pseudonyms(KEY).one("app", i) for i in ids]
    assert len(pseudonyms._known["app"][0]) <= 8
