"""The signature: the right key alone opens a file that asks for it, and without a key the result says so."""

import json
import stat
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import saakh
from pipeline import sign, verify
from pipeline.audit.heads import new_pair
from saakh import archive
from saakh.errors import ArtifactError, ConfigError, MissingInputError
from saakh.scorecard import Scorecard
from tests.small_scorecard import packed

SEED = bytes(range(32)).hex()
PUBLIC = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
KEY_ID = "56475aa75463474c0285df5dbf2bcab7"
"""Half the SHA-256 of that public key, which is RFC 8032's for the seed 00 01 .. 1f."""
OTHER = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scorecard.saakh"
    path.write_bytes(packed())
    return path


@pytest.fixture(scope="module")
def signed_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path, seed = tmp_path_factory.mktemp("signed") / "scorecard.saakh", tmp_path_factory.mktemp("key") / "seed.txt"
    path.write_bytes(packed())
    seed.write_text(SEED)
    sign.run(path, seed)
    return path.read_bytes()


@pytest.fixture
def signed(file: Path, signed_bytes: bytes) -> Path:
    file.write_bytes(signed_bytes)
    file.with_name("seed.txt").write_text(SEED)
    return file


def changed(path: Path, **fields: object) -> dict[str, bytes]:
    members = archive.read(path)
    content = json.loads(members["signature.json"]) | fields
    return members | {"signature.json": (json.dumps(content, indent=1) + "\n").encode()}


def test_an_unsigned_scorecard_loads_and_says_so(file: Path) -> None:
    assert str(saakh.load(file).signature) == "unsigned"
    assert verify.run(file).facts["signature"] == "unsigned"


def test_a_signed_one_loads_without_a_key_and_says_that_nothing_was_verified(signed: Path) -> None:
    found = saakh.load(signed).signature
    assert (found.key, found.is_verified, str(found)) == (KEY_ID, False, "signed, not verified")


def test_the_right_key_verifies_by_digits_or_from_a_file(signed: Path) -> None:
    assert str(saakh.load(signed, trust=PUBLIC).signature) == f"signed by key {KEY_ID}"
    assert saakh.load(signed, trust=[OTHER, PUBLIC.upper()]).signature.is_verified
    assert verify.run(signed, trust=PUBLIC).facts["signature"] == f"signed by key {KEY_ID}"
    pair = signed.with_name("key.pem")
    public = new_pair(pair)
    sign.run(signed, pair)
    assert saakh.load(signed, trust=public).signature.is_verified
    with pytest.raises(ArtifactError, match="not among those trusted"):
        saakh.load(signed, trust=PUBLIC)


def test_signing_adds_one_member_and_again_gives_the_same_bytes(signed: Path) -> None:
    before = signed.read_bytes()
    members = archive.unpack(before)
    members.pop("signature.json")
    assert archive.pack(members) == packed()
    signed.chmod(0o640)
    sign.run(signed, signed.with_name("seed.txt"))
    assert signed.read_bytes() == before
    assert stat.S_IMODE(signed.stat().st_mode) == 0o640


def test_an_unsigned_file_is_refused_where_a_key_is_asked_for(file: Path) -> None:
    with pytest.raises(ArtifactError, match="not signed, and a key to trust was given"):
        saakh.load(file, trust=PUBLIC)


def test_a_manifest_changed_after_signing_is_refused(signed: Path) -> None:
    members = archive.read(signed)
    manifest = members["manifest.json"].replace(b'"pdo": 20.0', b'"pdo": 40.0')
    assert manifest != members["manifest.json"]
    signed.write_bytes(archive.pack(members | {"manifest.json": manifest}))
    assert not saakh.load(signed).signature.is_verified
    with pytest.raises(ArtifactError, match="does not bear out its signature"):
        saakh.load(signed, trust=PUBLIC)


def test_another_keys_signature_under_the_trusted_name_is_refused(signed: Path) -> None:
    forged = changed(signed, signature="0" * 128)
    with pytest.raises(ArtifactError, match="does not bear out"):
        Scorecard.from_members(forged, PUBLIC)


@pytest.mark.parametrize(
    "fields",
    [{"algorithm": "none"}, {"key": "56475A"}, {"signature": "00"}, {"signature": None}, {"more": 1}],
    ids=["algorithm", "key", "short", "null", "unknown"],
)
@pytest.mark.parametrize("trust", [None, PUBLIC])
def test_a_malformed_signature_is_refused_with_and_without_a_key(signed: Path, fields: dict, trust: str | None) -> None:
    with pytest.raises(ArtifactError, match=r"signature\.json"):
        Scorecard.from_members(changed(signed, **fields), trust)


def test_no_key_at_all_is_an_error_and_never_trust(signed: Path) -> None:
    with pytest.raises(ConfigError, match="empty list of keys"):
        saakh.load(signed, trust=[])
    with pytest.raises(MissingInputError):
        saakh.load(signed, trust="")


def test_a_key_of_another_kind_is_told_from_a_key(signed: Path, tmp_path: Path) -> None:
    curve = tmp_path / "curve.pem"
    public = generate_private_key(SECP256R1()).public_key()
    curve.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    words = tmp_path / "words.pem"
    words.write_text("no key")
    new_pair(tmp_path / "pair.pem")
    for path, said in ((curve, "another kind"), (words, "no public key"), (tmp_path / "pair.pem", "private key")):
        with pytest.raises(ConfigError, match=said):
            saakh.load(signed, trust=path)


def test_without_the_library_the_extra_is_named(signed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    assert saakh.load(signed).signature.key == KEY_ID
    with pytest.raises(ConfigError, match=r"saakh\[verify\]"):
        saakh.load(signed, trust=PUBLIC)


def test_what_does_not_verify_is_not_signed(file: Path) -> None:
    members = archive.read(file)
    members["golden.json"] = members["golden.json"].replace(b'"missing":8', b'"missing":7')
    damaged = archive.pack(members)
    file.write_bytes(damaged)
    seed = file.with_name("seed.txt")
    seed.write_text(SEED)
    with pytest.raises(ArtifactError, match="it was not signed"):
        sign.run(file, seed)
    assert file.read_bytes() == damaged
