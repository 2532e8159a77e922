"""The audit log: chained, whole lines or none, taken up after any stop, never continued once tampered with."""

import json
import os
import resource
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.audit import log
from pipeline.audit.heads import UNSIGNED, public_of
from pipeline.audit.records import GENESIS, AuditError
from saakh.errors import ConfigError, MissingInputError
from tests.audit_log import entries

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
OURS = (public_of(KEY),)


def begun(folder: Path, count: int = 7, key: Ed25519PrivateKey | None = KEY) -> Path:
    path = folder / "audit.jsonl"
    for one in entries(count):
        log.append(path, "asha", [one], key)
    return path


def both(path: Path) -> tuple[bytes, bytes]:
    return path.read_bytes(), log.head_of(path).read_bytes()


def test_each_record_names_its_place_and_the_hash_of_the_line_before(tmp_path: Path) -> None:
    previous = GENESIS
    for index, line in enumerate(begun(tmp_path).read_bytes().splitlines()):
        record = json.loads(line)
        assert (record["index"], record["previous"], record["actor"]) == (index, previous, "asha")
        previous = sha256(line).hexdigest()
    assert json.loads((tmp_path / "audit.jsonl.head").read_text())["hash"] == previous


def test_a_signature_is_over_the_head_in_the_domain_of_audit_heads(tmp_path: Path) -> None:
    begun(tmp_path)
    head = json.loads((tmp_path / "audit.jsonl.head").read_text())
    signature = bytes.fromhex(head.pop("signature"))
    said = b"saakh/audit/head/1\n" + json.dumps(head, separators=(",", ":")).encode()
    KEY.public_key().verify(signature, said)
    assert head["count"] == 7


def test_a_whole_log_verifies_and_says_what_it_holds(tmp_path: Path) -> None:
    verified = log.verify(begun(tmp_path), OURS)
    assert (verified.count, verified.key) == (7, public_of(KEY))
    assert verified.kinds == dict.fromkeys(["stage", "consent", "export", "share", "erasure", "retention", "run"], 1)
    assert not verified.is_interrupted


def test_several_records_of_one_append_get_one_head(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    assert log.append(path, "asha", entries(5), KEY).count == log.verify(path, OURS).count == 5


def test_a_log_without_a_key_is_chained_and_says_it_is_unsigned(tmp_path: Path) -> None:
    verified = log.verify(begun(tmp_path, key=None), (UNSIGNED,))
    assert (verified.count, verified.key) == (7, None)


def test_an_anchor_of_any_former_end_is_found_and_a_foreign_one_is_not(tmp_path: Path) -> None:
    path = begun(tmp_path, 3)
    anchor = log.verify(path, OURS).hash
    log.append(path, "asha", entries(2), KEY)
    assert log.verify(path, OURS, [anchor]).count == 5
    with pytest.raises(AuditError, match="lacks 1 of the anchors"):
        log.verify(path, OURS, [anchor, "f" * 64])


def test_an_old_log_put_back_with_its_head_is_found_by_an_anchor_only(tmp_path: Path) -> None:
    path = begun(tmp_path, 3)
    old = both(path)
    log.append(path, "asha", entries(2), KEY)
    anchor = log.verify(path, OURS).hash
    path.write_bytes(old[0])
    log.head_of(path).write_bytes(old[1])
    assert log.verify(path, OURS).count == 3
    with pytest.raises(AuditError, match="rolled back"):
        log.verify(path, OURS, [anchor])


def without(lines: list[bytes], at: int) -> list[bytes]:
    return lines[:at] + lines[at + 1 :]


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (lambda x: without(x, 3), "records 3 to 3 are missing before record 4"),
        (lambda x: [*x[:2], x[3], x[2], *x[4:]], "records 2 to 2 are missing"),
        (lambda x: [*x[:4], x[3], *x[4:]], "record 3 stands in place 4"),
        (lambda x: [*x[:3], x[3].replace(b"asha", b"ravi"), *x[4:]], "record 4 does not follow record 3"),
        (lambda x: [x[0].replace(GENESIS.encode(), b"0" * 64), *x[1:]], "record 0 does not follow the beginning"),
        (lambda x: [*x[:3], x[3].replace(b'"at"', b'"At"'), *x[4:]], "record 3 is no record"),
        (lambda x: [*x[:3], x[3].replace(b":", b": ", 1), *x[4:]], "record 3 is not in the one form"),
        (lambda x: [*x[:6], x[6].replace(b"asha", b"ravi")], "does not end in the record its head names"),
        (lambda x: x[:6], "was cut short: its head names 7 records"),
        (lambda x: [], "was cut short"),
        (lambda x: [*x, x[6]], "record 6 stands in place 7"),
    ],
    ids=["drop", "swap", "twice", "edit", "first", "key", "space", "last", "cut", "emptied", "again"],
)
def test_tampering_is_named_by_record(tmp_path: Path, tamper: object, says: str) -> None:
    path = begun(tmp_path)
    path.write_bytes(b"".join(tamper(path.read_bytes().splitlines(keepends=True))))  # type: ignore[operator]
    with pytest.raises(AuditError, match=says):
        log.verify(path, OURS)


def test_a_chained_record_that_nobody_signed_is_found_and_not_built_on(tmp_path: Path) -> None:
    path = begun(tmp_path)
    (tmp_path / "forged").mkdir()
    forged = tmp_path / "forged/audit.jsonl"
    forged.write_bytes(path.read_bytes())
    head = log.head_of(path).read_bytes()
    log.head_of(forged).write_bytes(head)
    log.append(forged, "asha", entries(1), KEY)
    path.write_bytes(forged.read_bytes())
    for refused in (lambda: log.verify(path, OURS), lambda: log.append(path, "asha", entries(1), KEY)):
        with pytest.raises(AuditError, match="goes on after its end"):
            refused()


def damage_head(path: Path) -> None:
    head = log.head_of(path)
    head.write_bytes(head.read_bytes().replace(b'"count":7', b'"count":6'))


def take_head(path: Path) -> None:
    log.head_of(path).unlink()


def unsign(path: Path) -> None:
    head = json.loads(log.head_of(path).read_text()) | {"key": None, "signature": None}
    log.head_of(path).write_text(json.dumps(head, separators=(",", ":")) + "\n")


def sign_by_another(path: Path) -> None:
    raw = json.loads(log.head_of(path).read_text()) | {"key": public_of(OTHER), "signature": None}
    log.write_head(log.head_of(path), log.signed(log.Head.model_validate(raw), OTHER))


def cut_log(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def edit_last(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:-1], lines[-1].replace(b"asha", b"ravi")]))


@pytest.mark.parametrize("tamper", [damage_head, take_head, unsign, sign_by_another, cut_log, edit_last])
def test_nothing_is_appended_to_a_log_that_was_tampered_with(tmp_path: Path, tamper: object) -> None:
    path = begun(tmp_path)
    tamper(path)  # type: ignore[operator]
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    for refused in (lambda: log.append(path, "asha", entries(1), KEY), lambda: log.ready(path, KEY)):
        with pytest.raises(AuditError) as error:
            refused()
        assert "\n" not in str(error.value)
    assert before == {file: file.read_bytes() for file in tmp_path.iterdir()}


def test_a_signed_log_needs_a_key_to_verify_and_to_go_on(tmp_path: Path) -> None:
    path = begun(tmp_path)
    for refused in (
        lambda: log.verify(path),
        lambda: log.append(path, "asha", entries(1)),
        lambda: log.ready(path, None),
    ):
        with pytest.raises(ConfigError, match=r"signed and there is no key: set audit\.key_file"):
            refused()


def test_a_log_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    for path in (tmp_path / "audit.jsonl", tmp_path / "nowhere/audit.jsonl"):
        with pytest.raises(MissingInputError, match="no audit log"):
            log.verify(path)
        log.ready(path, None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("former", [None, OTHER])
def test_a_log_goes_over_to_another_key_once_all_of_it_verifies(
    tmp_path: Path, former: Ed25519PrivateKey | None
) -> None:
    path = begun(tmp_path, 3, former)
    with pytest.raises(AuditError):
        log.append(path, "asha", entries(1), KEY)
    assert log.change_key(path, "asha", KEY, public_of(former)).count == 4
    log.append(path, "asha", entries(1), KEY)
    assert log.verify(path, OURS).kinds["key"] == 1


def test_a_tampered_log_does_not_go_over_to_another_key(tmp_path: Path) -> None:
    path = begun(tmp_path, 3, None)
    path.write_bytes(path.read_bytes().replace(b"asha", b"ravi", 1))
    before = both(path)
    with pytest.raises(AuditError):
        log.change_key(path, "asha", KEY, UNSIGNED)
    assert both(path) == before


def stopped(folder: Path, written: int | None) -> Path:
    """A log as an append leaves it that is killed after so many bytes of its line; None: after the whole line."""
    path = begun(folder, 3)
    log_before, head_before = both(path)
    log.append(path, "asha", entries(1, seed=9), KEY)
    log_after, head_after = both(path)
    path.write_bytes(log_after if written is None else log_after[: len(log_before) + written])
    log.head_of(path).write_bytes(head_before)
    path.with_name(f"{path.name}.head.next").write_bytes(head_after)
    return path


@pytest.mark.parametrize("written", [1, 100, -1])
def test_a_torn_line_is_found_cut_off_and_recorded(tmp_path: Path, written: int) -> None:
    path = stopped(tmp_path, None)
    line = len(path.read_bytes()) - json.loads(log.head_of(path).read_text())["size"]
    torn = written % line
    os.truncate(path, path.stat().st_size - line + torn)
    with pytest.raises(AuditError, match=f"ends in {torn:,} bytes of an append that was stopped"):
        log.verify(path, OURS)
    log.append(path, "asha", entries(1), KEY)
    assert log.verify(path, OURS).kinds["recovery"] == 1
    assert json.loads(path.read_bytes().splitlines()[3])["entry"] == {"kind": "recovery", "cut": torn}


@pytest.mark.parametrize(("written", "count"), [(None, 4), (0, 3)])
def test_an_append_stopped_before_or_after_its_line_loses_nothing(
    tmp_path: Path, written: int | None, count: int
) -> None:
    path = stopped(tmp_path, written)
    verified = log.verify(path, OURS)
    assert (verified.count, verified.is_interrupted) == (count, True)
    log.append(path, "asha", entries(1), KEY)
    verified = log.verify(path, OURS)
    assert (verified.count, verified.is_interrupted) == (count + 1, False)


def test_an_old_head_in_the_place_of_the_next_one_saves_no_cut_log(tmp_path: Path) -> None:
    path = begun(tmp_path, 3)
    old = both(path)
    log.append(path, "asha", entries(1), KEY)
    path.write_bytes(old[0])
    path.with_name(f"{path.name}.head.next").write_bytes(old[1])
    with pytest.raises(AuditError, match="cut short"):
        log.verify(path, OURS)


PROGRAM = """
import sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pipeline.audit import log
from tests.audit_log import entries
key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
for one in entries(20):
    log.append(Path(sys.argv[1]), sys.argv[2], [one], key)
"""
ROOT = Path(__file__).parents[3]


def test_processes_that_append_at_once_leave_one_whole_log(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    command = [sys.executable, "-c", PROGRAM, str(path)]
    running = [subprocess.Popen([*command, f"worker-{name}"], cwd=ROOT) for name in "abc"]
    assert [process.wait(120) for process in running] == [0, 0, 0]
    assert log.verify(path, OURS).count == 60
    assert {record.actor for record, _ in log.walk(path)} == {"worker-a", "worker-b", "worker-c"}


def test_a_full_disk_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    path = begun(tmp_path, 3)
    before, limits = both(path), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before[0]) + 100, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            log.append(path, "asha", entries(1), KEY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert both(path) == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["audit.jsonl", "audit.jsonl.head"]
    log.append(path, "asha", entries(1), KEY)
