"""What the hooks put into the audit log: digests, counts and names, and nothing of a person."""

import hashlib
import json
import subprocess
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline import audit
from pipeline.audit import log, records, report
from pipeline.audit.heads import KEY_ENV, new_pair, public_of
from pipeline.audit.records import AuditError
from pipeline.audit.register import shares
from pipeline.params import Params
from pipeline.summary import Summary
from pipeline.workspace import Workspace, digest, write_json
from saakh.errors import ConfigError, EmptyInputError, MissingInputError
from tests.audit_log import ASKED, KINDS, entries

COVERAGE = {
    "calls": {"present": 80, "silent": 5, "closed": 15, "absent": 0},
    "messages": {"present": 60, "silent": 20, "closed": 20, "absent": 0},
    "locations": {"present": 0, "silent": 40, "closed": 60, "absent": 0},
    "web_visits": {"present": 0, "silent": 0, "closed": 0, "absent": 100},
}


def params(root: Path, **audit_: object) -> Params:
    raw = {
        "policy": "explicit-consent",
        "as_of": "2026-06-01T00:00:00Z",
        "workspace": str(root / "work"),
        "ingest": {"source": str(root / "raw")},
    }
    return Params.model_validate(raw | {"audit": audit_})


def line(ws: Workspace, at: int = -1) -> dict:
    return json.loads(audit.path_of(ws).read_bytes().splitlines()[at])


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv(KEY_ENV, raising=False)
    ws = Workspace(tmp_path / "work")
    (ws.stage("derive") / "features.parquet").write_bytes(b"columns")
    write_json(ws.stage("derive") / "derive.json", {"applications": 100, "coverage": COVERAGE})
    (ws.stage("train") / "model.txt").write_text("tree")
    return ws


def test_a_stage_is_recorded_with_who_when_what_and_on_which_digests(tmp_path: Path, ws: Workspace) -> None:
    asked = params(tmp_path, actor="asha@bank")
    audit.record(asked, ws, Summary("train", 100, 90, counts={"development": 70, "excluded: gap": 20}))
    record = line(ws)
    assert record["actor"] == "asha@bank"
    said = record["entry"]
    assert (said["kind"], said["stage"], said["purpose"], said["as_of"]) == ("stage", "train", "train", ASKED["as_of"])
    assert said["policies"] == {"explicit-consent": digest(audit.POLICIES / "explicit-consent.yaml")}
    assert said["outputs"] == {"model.txt": hashlib.sha256(b"tree").hexdigest()}
    assert said["inputs"] == {"derive": audit.tree(ws.root / "derive")}
    assert (said["rows_in"], said["rows_out"]) == (100, 90)
    assert said["counts"] == {"development": 70, "excluded: gap": 20}


@pytest.mark.parametrize("name", ["proxies", "fairness", "membership"])
def test_what_looks_at_groups_is_recorded_as_research_under_its_own_policy_too(
    tmp_path: Path, ws: Workspace, name: str
) -> None:
    audit.record(params(tmp_path), ws, Summary(name, 100, 90))
    said = line(ws)["entry"]
    assert said["purpose"] == "research"
    assert set(said["policies"]) == {"explicit-consent", "research-opt-in"}


def test_a_folders_digest_is_that_of_what_sha256sum_prints(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z z.txt", "a.txt", ".hidden", "a/.part"):
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    listed = "find . -type f -not -path '*/.*' -printf '%P\\n' | LC_ALL=C sort | xargs -d '\\n' sha256sum | sha256sum"
    printed = subprocess.run(listed, shell=True, cwd=tmp_path / "folder", capture_output=True, check=True, text=True)
    assert audit.tree(tmp_path / "folder") == printed.stdout[:64]


def test_a_file_written_anew_has_its_new_digest(tmp_path: Path, ws: Workspace) -> None:
    audit.record(params(tmp_path), ws, Summary("train"))
    (ws.root / "train/model.txt").write_text("leaf")
    audit.record(params(tmp_path), ws, Summary("train"))
    assert line(ws)["entry"]["outputs"]["model.txt"] == hashlib.sha256(b"leaf").hexdigest()


def test_ingest_is_recorded_with_the_digest_of_the_raw_drops(tmp_path: Path, ws: Workspace) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/Asha 98000.csv").write_text("id\n1\n")
    audit.record(params(tmp_path), ws, Summary("ingest"))
    assert line(ws)["entry"]["inputs"] == {"source": audit.tree(tmp_path / "raw")}
    assert b"Asha" not in audit.path_of(ws).read_bytes()


def test_derive_is_followed_by_what_consents_opened(tmp_path: Path, ws: Workspace) -> None:
    audit.record(params(tmp_path), ws, Summary("derive"))
    assert line(ws, 0)["entry"]["stage"] == "derive"
    said = line(ws, 1)["entry"]
    assert (said["kind"], said["applications"]) == ("consent", 100)
    assert said["opened"] == {"communication": 85, "credit": 100, "location": 40}
    audit.opened(params(tmp_path), ws, {"location": 45, "communication": 90})
    assert line(ws)["entry"]["artefacts"] == {"communication": 90, "location": 45}


def test_export_is_followed_by_the_file_that_leaves(tmp_path: Path, ws: Workspace) -> None:
    file = ws.stage("export") / "scorecard-0.1.0.saakh"
    file.write_bytes(b"scorecard")
    audit.record(params(tmp_path), ws, Summary("export", facts={"scorecard": str(file)}))
    said = line(ws)["entry"]
    assert (said["kind"], said["file"], said["artefact"]) == (
        "export",
        file.name,
        hashlib.sha256(b"scorecard").hexdigest(),
    )


def test_a_run_is_recorded_with_the_kind_of_its_failure_and_not_its_message(tmp_path: Path, ws: Workspace) -> None:
    error = EmptyInputError("asha 9800000001")
    audit.ran(params(tmp_path), ws, ["derive", "train"], "train", error)
    said = line(ws)["entry"]
    assert (said["stages"], said["failed"], said["error"]) == (["derive", "train"], "train", "EmptyInputError")
    assert b"9800000001" not in audit.path_of(ws).read_bytes()


def test_an_erasure_and_retention_are_recorded_by_counts(tmp_path: Path, ws: Workspace) -> None:
    receipt = tmp_path / "receipt.json"
    receipt.write_text("{}")
    until = date(2027, 6, 1)
    removed = {"payments": 7, "calls": 40}
    audit.erased(params(tmp_path), ws, 2, removed, receipt, replaced=3, rebuilt=["derive"], sealed_until=until)
    said = line(ws)["entry"]
    assert (said["people"], said["removed"], said["replaced"]) == (2, {"calls": 40, "payments": 7}, 3)
    assert (said["receipt"], said["sealed_until"]) == (digest(receipt), "2027-06-01")
    audit.retained(params(tmp_path), ws, destroyed=1, kept=4)
    assert (line(ws)["entry"]["destroyed"], line(ws)["entry"]["kept"]) == (1, 4)


def test_the_register_says_who_was_given_what_when_and_why(tmp_path: Path, ws: Workspace) -> None:
    file, asked = ws.root / "train/model.txt", params(tmp_path, actor="asha")
    audit.share(asked, ws, "credit-bureau", "scores", file, "credit_bureau", rows=80)
    audit.share(asked, ws, "bank-of-x2", "scorecard", file, "co_lending")
    first, second = shares(audit.path_of(ws))
    assert (first.recipient, first.what, first.rows, first.why, first.by) == (
        *("credit-bureau", "scores", 80, "credit_bureau", "asha"),
    )
    assert (second.record, second.artefact, second.policies) == (1, digest(file), "explicit-consent")
    assert shares(audit.path_of(ws), recipient="bank-of-x2") == [second]
    assert shares(audit.path_of(ws), artefact="0" * 64) == []
    report.show_register(asked, to=tmp_path / "register.csv")
    assert (tmp_path / "register.csv").read_text().splitlines()[2] == (
        f"1,{second.at},asha,bank-of-x2,scorecard,{digest(file)},0,co_lending,explicit-consent"
    )


def test_no_register_is_read_from_a_tampered_log(tmp_path: Path, ws: Workspace) -> None:
    audit.share(params(tmp_path), ws, "credit-bureau", "scores", ws.root / "train/model.txt", "credit_bureau")
    path = audit.path_of(ws)
    path.write_bytes(path.read_bytes().replace(b"credit-bureau", b"other-b"))
    with pytest.raises(AuditError):
        report.show_register(params(tmp_path), to=tmp_path / "register.csv")
    assert not (tmp_path / "register.csv").exists()


def test_names_that_might_be_a_persons_are_summed_up_unnamed(tmp_path: Path, ws: Workspace) -> None:
    (ws.root / "train/asha98000.txt").write_text("x")
    counts = {"kept": 5, "Asha": 2, "9800000001": 3, "x\n": 4, "a" * 99: 1}
    audit.record(params(tmp_path), ws, Summary("train", counts=counts))
    said = line(ws)["entry"]
    assert said["counts"] == {"kept": 5, "unnamed": 10}
    assert list(said["outputs"]) == ["model.txt"]
    assert said["tree"] == audit.tree(ws.root / "train")


PERSONAL = ("Asha Devi", "+919800000001", "9800000001", "asha\n", "é", "2f1c" * 8, "Call me back.")


@pytest.mark.parametrize("value", PERSONAL)
@pytest.mark.parametrize("kind", KINDS)
def test_no_text_of_a_record_can_be_a_persons_value(value: str, kind: object) -> None:
    """Every text anywhere in every kind of record, keys of its maps included, replaced in turn."""
    good = next(e for e in entries(len(KINDS)) if e.kind == kind.__name__)  # type: ignore[attr-defined]
    for raw in replaced(json.loads(good.model_dump_json()), value):
        made = {key: tuple(v) if isinstance(v, list) else v for key, v in raw.items()}
        with pytest.raises(ConfigError) as error:
            records.entry(type(good), **made)
        assert value not in str(error.value)


def replaced(raw: dict, value: str) -> list[dict]:
    found = []
    for key, held in raw.items():
        if isinstance(held, str | None):
            found.append(raw | {key: value})
        if isinstance(held, list):
            found.append(raw | {key: [value]})
        if isinstance(held, dict):
            found += [raw | {key: {value: next(iter(held.values()))}}, raw | {key: {next(iter(held)): value}}]
    return [*found, raw | {value: 1}]


def test_a_recipient_and_a_reason_are_names_of_the_houses_own(tmp_path: Path, ws: Workspace) -> None:
    file = ws.root / "train/model.txt"
    with pytest.raises(ConfigError, match="recipient: must match"):
        audit.share(params(tmp_path), ws, "Asha Devi", "scores", file, "regulator")
    with pytest.raises(ConfigError, match=r"why: must match .*co_lending"):
        audit.share(params(tmp_path), ws, "regulator", "scores", file, "because they asked")
    assert not audit.path_of(ws).exists()


def test_a_missing_key_and_a_tampered_head_stop_a_stage_before_it_begins(tmp_path: Path, ws: Workspace) -> None:
    new_pair(tmp_path / "audit.pem")
    signed = params(tmp_path, key_file=tmp_path / "audit.pem")
    audit.ready(signed, ws)
    assert not audit.path_of(ws).parent.exists()
    audit.record(signed, ws, Summary("train"))
    (tmp_path / "audit.pem").rename(tmp_path / "elsewhere.pem")
    for asked, kind in ((signed, MissingInputError), (params(tmp_path), ConfigError)):
        for refused in (lambda p=asked: audit.ready(p, ws), lambda p=asked: audit.record(p, ws, Summary("train"))):
            with pytest.raises(kind):
                refused()
    head = log.head_of(audit.path_of(ws))
    head.write_bytes(head.read_bytes().replace(b'"count":1', b'"count":2'))
    before = (head.read_bytes(), audit.path_of(ws).read_bytes())
    with pytest.raises(AuditError, match="does not bear out its signature"):
        audit.ready(params(tmp_path, key_file=tmp_path / "elsewhere.pem"), ws)
    assert before == (head.read_bytes(), audit.path_of(ws).read_bytes())


def test_who_acts_is_the_user_of_the_system_whatever_the_environment_says(
    tmp_path: Path, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    audit.record(params(tmp_path), ws, Summary("train"))
    user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True)
    assert line(ws)["actor"] == user.stdout.strip()


def test_verify_says_unsigned_plainly_and_prints_the_anchor(
    tmp_path: Path, ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    head = audit.record(params(tmp_path), ws, Summary("train"))
    report.show_verified(params(tmp_path))
    shown = capsys.readouterr().out
    assert "head: unsigned: no key is configured" in shown
    assert f"anchor: {head.hash}" in shown


def test_an_unsigned_log_is_signed_once_and_verified_by_the_public_key_alone(
    tmp_path: Path, ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    audit.record(params(tmp_path), ws, Summary("train"))
    report.make_key(tmp_path / "audit.pem")
    signed = params(tmp_path, key_file=tmp_path / "audit.pem")
    with pytest.raises(AuditError, match="is not signed, and a key is named"):
        report.show_verified(signed)
    report.sign(signed)
    audit.record(signed, ws, Summary("train"))
    capsys.readouterr()
    report.show_verified(params(tmp_path), audit.path_of(ws), str(tmp_path / "audit.pem.pub"))
    assert f"signed by {public_of(audit.read_signer(signed.audit))}" in capsys.readouterr().out
    other = public_of(Ed25519PrivateKey.generate())
    with pytest.raises(AuditError, match="another key than the one named"):
        report.show_verified(params(tmp_path), key=other)
    with pytest.raises(ConfigError, match="there is no key to sign with"):
        report.sign(params(tmp_path))


def test_records_are_found_by_kind_and_by_the_digest_of_a_file(
    tmp_path: Path, ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    for stage in ("derive", "train"):
        audit.record(params(tmp_path), ws, Summary(stage))
    capsys.readouterr()
    report.show_records(params(tmp_path), named=digest(ws.root / "train/model.txt"))
    assert [json.loads(shown)["entry"]["stage"] for shown in capsys.readouterr().out.splitlines()] == ["train"]
    report.show_records(params(tmp_path), kind="stage", last=1)
    assert [json.loads(shown)["index"] for shown in capsys.readouterr().out.splitlines()] == [2]


def test_a_share_is_entered_by_the_digest_of_a_file_that_is_there(tmp_path: Path, ws: Workspace) -> None:
    report.enter_share(params(tmp_path), "regulator", "model", ws.root / "train/model.txt", "regulator", 0)
    assert line(ws)["entry"]["artefact"] == digest(ws.root / "train/model.txt")
    with pytest.raises(MissingInputError, match="no file at"):
        report.enter_share(params(tmp_path), "regulator", "model", tmp_path / "nowhere", "regulator", 0)


def test_an_anchor_that_is_none_is_refused(tmp_path: Path, ws: Workspace) -> None:
    audit.record(params(tmp_path), ws, Summary("train"))
    with pytest.raises(ConfigError, match="64 hexadecimal digits"):
        report.show_verified(params(tmp_path), anchors=["abc"])
