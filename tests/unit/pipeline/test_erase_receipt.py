"""A receipt says what was erased in digests and counts, and bears out its signature or is refused."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.audit.heads import public_of
from pipeline.erase.receipt import Destroyed, Erased, read_receipt, write_receipt
from pipeline.retention.errors import ErasureError
from pipeline.workspace import Workspace

SIGNER = Ed25519PrivateKey.from_private_bytes(b"1" * 32)
KEY = public_of(SIGNER)


def erased(**changed):
    said = {"at": "2026-06-01T00:00:00Z", "why": "request", "people": ("a" * 64,), "removed": {"calls": 3}}
    said |= {"replaced": 1, "rebuilt": {"ingest": "b" * 64}, "superseded": ("c" * 64,), "runs_removed": 1}
    return Erased(**(said | {"copies_removed": 0, "searched": 9, "sealed_until": None} | changed))


def test_receipts_are_numbered_signed_and_read_back(tmp_path):
    ws = Workspace(tmp_path)
    one = write_receipt(ws, erased(), SIGNER)
    two = write_receipt(ws, Destroyed(at="2026-06-01T00:00:00Z", as_of="2026-06-01", copies=(), kept=2), SIGNER)
    assert [path.name for path in (one, two)] == ["receipt-000001.json", "receipt-000002.json"]
    assert read_receipt(one, (KEY,)).removed == {"calls": 3}
    assert read_receipt(two, (KEY,)).kind == "destroyed"


def test_without_a_key_a_receipt_says_that_it_is_unsigned(tmp_path):
    path = write_receipt(Workspace(tmp_path), erased(), None)
    assert json.loads(path.read_text())["key"] is None
    assert read_receipt(path).signature is None
    with pytest.raises(ErasureError, match="not signed, and a key is named"):
        read_receipt(path, (KEY,))


def test_a_receipt_signed_by_another_key_is_refused(tmp_path):
    path = write_receipt(Workspace(tmp_path), erased(), SIGNER)
    with pytest.raises(ErasureError, match="another key"):
        read_receipt(path, ("d" * 64,))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"calls":3', '"calls":4'),
        ('"replaced":1', '"replaced":0'),
        ('"why":"request"', '"why":"withdrawal"'),
        ("a" * 64, "b" * 64),
        ('"kind":"erased"', '"kind": "erased"'),
        ('"searched":9', '"searched":9,"note":"P00000012"'),
    ],
)
def test_an_edited_receipt_is_refused(tmp_path, old, new):
    path = write_receipt(Workspace(tmp_path), erased(), SIGNER)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ErasureError):
        read_receipt(path, (KEY,))


def test_a_signature_taken_away_is_missed(tmp_path):
    path = write_receipt(Workspace(tmp_path), erased(), SIGNER)
    raw = json.loads(path.read_text())
    for changed in ({"signature": None}, {"key": None}, {"key": None, "signature": None}):
        path.write_text(Erased.model_validate(raw | changed).model_dump_json() + "\n")
        with pytest.raises(ErasureError):
            read_receipt(path, (KEY,))
    path.write_text(Erased.model_validate(raw | {"key": None}).model_dump_json() + "\n")
    with pytest.raises(ErasureError, match="a signature and no key"):
        read_receipt(path)
