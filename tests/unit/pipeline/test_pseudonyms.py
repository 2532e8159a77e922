"""Pseudonyms: keyed, apart by domain, 128 bits, and the key never shown."""

import hashlib
import hmac
import stat
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.params import Ingest
from pipeline.pseudonyms import SLOTS, Pseudonyms, keep_in_file, new_key, read_key, read_shard_key, shard_of
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


def test_whom_a_dictionary_names_and_no_row_is_of_is_not_met() -> None:
    pseudonyms = Pseudonyms(KEY, bytes(32))
    cut_out = pa.array(["asha", "ravi", "meena"]).dictionary_encode().slice(1, 1)
    assert pseudonyms.column("person", cut_out).to_pylist() == [Pseudonyms(KEY).one("person", "ravi")]
    assert len(pseudonyms.slots()) == 1
    again = pa.DictionaryArray.from_arrays(pa.array([1, 1, 1], pa.int8()), pa.array(["asha", "ravi", "meena"]))
    assert pseudonyms.column("person", again).to_pylist() == [Pseudonyms(KEY).one("person", "ravi")] * 3
    assert len(pseudonyms.slots()) == 1


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
    with pytest.raises(ConfigError, match=r"ingest names none; make a key with `saakh key new FILE`"):
        read_key(Ingest())
    with pytest.raises(ConfigError, match="SAAKH_KEY, which is to hold a key, is empty"):
        read_key(Ingest(key_env="SAAKH_KEY"))
    with pytest.raises(ConfigError, match="key_file and key_env are set at once"):
        read_key(Ingest(key_env="SAAKH_KEY", key_file=tmp_path / "k"))
    with pytest.raises(MissingInputError, match="no key at"):
        read_key(Ingest(key_file=tmp_path / "k"))


@pytest.mark.parametrize("place", ["key_file", "key_env", "shard_key_file", "shard_key_env"])
def test_a_key_in_the_place_of_its_place_is_not_repeated(place: str) -> None:
    read = read_shard_key if place.startswith("shard") else read_key
    with pytest.raises(ConfigError, match="it is out now") as caught:
        read(Ingest.model_validate({place: KEY.hex()}))
    assert KEY.hex() not in str(caught.value)


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


def test_a_recipients_pseudonyms_are_nobody_elses() -> None:
    house = Pseudonyms(KEY)
    person = house.one("person", "+919800000001")
    bureau, partner = house.for_recipient("bureau"), house.for_recipient("partner")
    given = {bureau.one("person", person), partner.one("person", person), bureau.one("contact", person)}
    assert len(given | {person}) == 4
    assert Pseudonyms(KEY).for_recipient("bureau").one("person", person) == bureau.one("person", person)


def test_a_recipients_pseudonym_is_an_hmac_of_the_houses_under_the_recipients_own_key() -> None:
    person = Pseudonyms(KEY).one("person", "7")
    root = hmac.new(KEY, b"saakh/to/bureau", hashlib.sha256).digest()
    domain = hmac.new(root, b"saakh/person", hashlib.sha256).digest()
    expected = hmac.new(domain, person.encode(), hashlib.sha256).hexdigest()[:32]
    assert Pseudonyms(KEY).for_recipient("bureau").one("person", person) == expected


def test_slots_outlive_a_change_of_the_key_and_not_one_of_the_shard_key() -> None:
    people = [f"P{n}" for n in range(3_000)]

    def slots(key: bytes, shard_key: bytes) -> dict[str, int]:
        pseudonyms = Pseudonyms(key, shard_key)
        column = pseudonyms.many("person", pa.array(people)).to_pylist()
        by_pseudonym = dict(zip(*(pseudonyms.slots()[name].to_pylist() for name in ("person_id", "slot")), strict=True))
        return {person: by_pseudonym[pseudonym] for person, pseudonym in zip(people, column, strict=True)}

    first = slots(KEY, bytes(32))
    assert slots(bytes(range(1, 33)), bytes(32)) == first
    assert slots(KEY, bytes(range(32))) != first
    assert set(first.values()) <= set(range(SLOTS))
    sizes = np.bincount(shard_of(np.array(list(first.values())), 10), minlength=10)
    assert sizes.min() > 240  # 300 expected, deviation 16
    assert sizes.max() < 360


def test_only_people_have_slots_each_one_and_in_order() -> None:
    pseudonyms = Pseudonyms(KEY, KEY)
    pseudonyms.many("contact", pa.array(["a"]))
    for name in ("b", "a", "b"):
        pseudonyms.one("person", name)
    table = pseudonyms.slots()
    assert table["person_id"].to_pylist() == sorted(Pseudonyms(KEY).one("person", name) for name in ("a", "b"))
    assert Pseudonyms(KEY).slots().num_rows == 0


def test_shards_are_even_to_the_slot_up_to_ten() -> None:
    for shards in range(1, 11):
        assert len(set(np.bincount(shard_of(np.arange(SLOTS), shards)).tolist())) == 1
    with pytest.raises(ConfigError, match="1 to 5,040 shards"):
        shard_of(np.arange(3), 0)


def test_without_a_shard_key_one_follows_from_the_key_and_kept_apart_it_is_the_same(tmp_path: Path) -> None:
    keep_in_file(tmp_path / "key.txt", KEY)
    alone = Ingest(key_file=tmp_path / "key.txt")
    followed = read_shard_key(alone)
    assert followed != KEY
    keep_in_file(tmp_path / "shards.txt", followed)
    new_key(tmp_path / "next.txt")
    rotated = Ingest(key_file=tmp_path / "next.txt", shard_key_file=tmp_path / "shards.txt")
    assert read_shard_key(rotated) == followed
    with pytest.raises(ConfigError, match="shard_key_file and shard_key_env are set at once"):
        read_shard_key(Ingest(key_file=tmp_path / "key.txt", shard_key_file=tmp_path / "k", shard_key_env="K"))
