"""A sealed copy opens for its purpose, with its key, before its day; and never again once its own key is destroyed."""

import json
from datetime import date

import pytest

from pipeline.audit.heads import new_pair
from pipeline.params import Params
from pipeline.pseudonyms import new_key
from pipeline.retention.errors import ErasureError
from pipeline.retention.keys import read_store_key
from pipeline.retention.sealed import Header, Store, person_digest
from saakh.errors import ConfigError, MissingInputError

BODY = b"what the law keeps " * 100
TODAY = date(2026, 11, 1)
ID = "a" * 32


def header(name=ID, **changed):
    said = {"purpose": "statute", "person": person_digest("p" * 32), "policies": ("in-dpdp",)}
    return Header(id=name, **(said | {"sealed_on": "2026-06-01", "destroy_by": "2027-06-01"} | changed))


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "sealed", bytes(32))
    made.seal(header(), BODY)
    return made


def test_a_copy_opens_for_its_purpose(store):
    assert store.open(ID, "statute", TODAY) == BODY
    assert store.headers() == [header()]


def test_nothing_of_a_copy_can_be_read_in_the_store(store):
    held = b"".join(path.read_bytes() for path in store.folder.iterdir())
    assert b"law keeps" not in held
    assert b"p" * 32 not in held
    assert {path.stat().st_mode & 0o777 for path in store.folder.iterdir()} == {0o600}


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"purpose": "regulator"}, "for the purpose statute alone"),
        ({"today": date(2027, 6, 1)}, "was to be destroyed by 2027-06-01"),
        ({"name": "b" * 32}, "no sealed copy"),
        ({"name": "../../etc/passwd"}, "no sealed copy"),
    ],
)
def test_a_copy_opens_for_nothing_else(store, how, said):
    asked = {"name": ID, "purpose": "statute", "today": TODAY} | how
    with pytest.raises(ErasureError, match=said):
        store.open(**asked)


def test_another_store_key_opens_nothing(store):
    other = Store(store.folder, b"1" * 32)
    for call in (other.headers, lambda: other.open(ID, "statute", TODAY)):
        with pytest.raises(ErasureError, match="does not bear out its seal"):
            call()


@pytest.mark.parametrize(
    ("key", "value"),
    [("purpose", "dispute"), ("destroy_by", "2099-01-01"), ("person", "0" * 64), ("policies", ["eu-ccd2"])],
)
def test_an_edited_header_is_found(store, key, value):
    path = store.folder / f"{ID}.sealed"
    line, body = path.read_bytes().split(b"\n", 1)
    edited = Header.model_validate(json.loads(line) | {key: value})
    path.write_bytes(edited.said() + b"\n" + body)
    with pytest.raises(ErasureError, match="does not bear out its seal"):
        store.headers()
    with pytest.raises(ErasureError, match="does not bear out its seal"):
        store.open(ID, edited.purpose, TODAY)


@pytest.mark.parametrize("line", [b"{}", b"", header().said().replace(b":", b": "), header("b" * 32).said()])
def test_a_header_of_another_form_is_found(store, line):
    path = store.folder / f"{ID}.sealed"
    path.write_bytes(line + b"\n" + path.read_bytes().split(b"\n", 1)[1])
    with pytest.raises(ErasureError, match="put back what was there"):
        store.headers()


def test_every_byte_of_a_copy_and_its_key_is_sealed(store):
    for path in store.folder.iterdir():
        body = path.read_bytes()
        for at in (0, len(body) // 2, len(body) - 1):
            path.write_bytes(body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :])
            with pytest.raises(ErasureError):
                store.open(ID, "statute", TODAY)
        path.write_bytes(body[:5])
        with pytest.raises(ErasureError):
            store.open(ID, "statute", TODAY)
        path.write_bytes(body)
    assert store.open(ID, "statute", TODAY) == BODY


def test_keys_and_copies_do_not_fit_each_other(store):
    store.seal(header("b" * 32), b"another")
    one, two = (store.folder / f"{name}.key" for name in (ID, "b" * 32))
    one.write_bytes(two.read_bytes())
    with pytest.raises(ErasureError, match="does not bear out its seal"):
        store.headers()


def test_destroying_the_key_destroys_the_copy(store):
    body = (store.folder / f"{ID}.sealed").read_bytes()
    store.shred(ID)
    assert (store.headers(), store.shredded()) == ([], [ID])
    assert (store.folder / f"{ID}.sealed").read_bytes() == body
    with pytest.raises(ErasureError, match="no sealed copy"):
        store.open(ID, "statute", TODAY)
    store.remove(ID)
    assert list(store.folder.iterdir()) == []


def test_sealing_again_leaves_the_first_copy(store):
    store.seal(header(), b"another")
    assert store.open(ID, "statute", TODAY) == BODY


def test_two_copies_of_the_same_have_nothing_in_common(store):
    store.seal(header("b" * 32), BODY)
    one, two = ((store.folder / f"{name}.sealed").read_bytes().split(b"\n", 1)[1] for name in (ID, "b" * 32))
    assert one[:40] != two[:40]


def params(tmp_path, **sections):
    return Params.model_validate({"as_of": "2026-06-01T00:00:00Z", "policy": "explicit-consent", **sections})


def test_the_store_key_is_read_from_a_file_or_the_environment(tmp_path, monkeypatch):
    new_key(tmp_path / "seal.txt")
    key = bytes.fromhex((tmp_path / "seal.txt").read_text().strip())
    named = params(tmp_path, retention={"key_file": tmp_path / "seal.txt"})
    assert read_store_key(named) == key
    monkeypatch.setenv("SAAKH_SEAL_KEY", key.hex())
    assert read_store_key(params(tmp_path)) == key
    with pytest.raises(ConfigError, match="both"):
        read_store_key(named)


def test_the_store_key_is_no_other_key_of_the_house(tmp_path):
    new_key(tmp_path / "one.txt")
    new_pair(tmp_path / "audit.pem")
    for other in ({"ingest": {"key_file": tmp_path / "one.txt"}}, {"audit": {"key_file": tmp_path / "seed.txt"}}):
        (tmp_path / "seed.txt").write_text((tmp_path / "one.txt").read_text())
        with pytest.raises(ConfigError, match="give it one of its own"):
            read_store_key(params(tmp_path, retention={"key_file": tmp_path / "one.txt"}, **other))
    apart = {"ingest": {"key_file": tmp_path / "none.txt"}, "audit": {"key_file": tmp_path / "audit.pem"}}
    assert len(read_store_key(params(tmp_path, retention={"key_file": tmp_path / "one.txt"}, **apart))) == 32


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        (None, MissingInputError, "no key at"),
        ("abc", ConfigError, "does not hold a key"),
        ("", ConfigError, "hold a key"),
    ],
)
def test_a_key_that_is_none_is_named(tmp_path, text, kind, said):
    if text is not None:
        (tmp_path / "k").write_text(text)
    with pytest.raises(kind, match=said):
        read_store_key(params(tmp_path, retention={"key_file": tmp_path / "k"}))


def test_no_key_at_all_says_how_to_make_one(tmp_path):
    with pytest.raises(ConfigError, match="saakh key new FILE"):
        read_store_key(params(tmp_path))
