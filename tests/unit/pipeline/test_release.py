"""A version decides only once its evidence is whole and another person approves; it can be gone back from and ended."""

import json
from datetime import date
from pathlib import Path

import pytest

import saakh
from pipeline import export, retire, sign, tracking
from pipeline.audit import log, path_of, share
from pipeline.audit.heads import new_pair
from pipeline.params import Params
from pipeline.pseudonyms import new_key
from pipeline.release import Approver, kept, rollback
from pipeline.release import run as release
from pipeline.release.errors import ReleaseError
from pipeline.release.records import Approval, Retirement, records
from pipeline.retention import enforce
from pipeline.retention.sealed import VersionHeader
from pipeline.workspace import Workspace, digest, read_json, write_json
from tests.small_scorecard import write_run

FEW = {"refits": 3, "full": False, "mean_auc": 0.5, "reach": 0.1}
AUC, TPR = {"value": 0.5, "low": 0.49, "high": 0.51}, {"value": 0.0, "low": 0.0, "high": 0.001}
TOLD = [{"who": who, "people": 900, "auc": AUC, "tpr": TPR} for who in ("everybody", "defaulters")]
LACKING = r"3 reasons: the selfcheck is 'passed at reduced size'.*'met at reduced size'.*tried none"


def evidence(ws: Workspace, refits: int = 30, shadows: int = 64, candidates: int = 200) -> None:
    """What selfcheck, membership and fairness would have left: nothing wrong, at these sizes."""
    model = {"model_sha256": digest(ws.root / "train" / "model.txt")}
    permuted = FEW | {"refits": refits, "full": refits >= 30}
    verdict = "passed" if refits >= 30 else "passed at reduced size"
    checked = {"leaks": [], "people_on_both_sides": 0, "permuted": permuted, "verdict": verdict}
    write_json(ws.stage("selfcheck") / "selfcheck.json", model | checked)
    met = "met" if shadows >= 64 else "met at reduced size"
    attacked = {"verdict": met, "shadows": shadows, "people": 900, "loans_a_shadow": 200, "told": TOLD}
    write_json(ws.stage("membership") / "membership.json", model | attacked)
    write_json(ws.stage("fairness") / "fairness.json", model | {"search": {"candidates": candidates}})


def exported(params: Params, version: str, **sizes: int) -> Path:
    """The run's scorecard as that version, with that evidence, signed."""
    ws = Workspace(params.workspace)
    evidence(ws, **sizes)
    export.run(params.model_copy(update={"export": params.export.model_copy(update={"version": version})}), ws)
    path = ws.root / "export" / f"scorecard-{version}.saakh"
    sign.run(path, ws.root.parent / "maker", params=params)
    return path


@pytest.fixture
def params(tmp_path: Path) -> Params:
    for name in ("maker", "approver"):
        new_pair(tmp_path / name)
    new_key(tmp_path / "seal")
    return write_run(tmp_path / "run").model_copy(
        update={
            "retention": Params.model_fields["retention"].default.model_copy(update={"key_file": tmp_path / "seal"})
        }
    )


def released(params: Params, path: Path, key: str = "approver", note: str = "Better on later loans.") -> None:
    home = params.workspace.parent
    release(params, Workspace(params.workspace), path, [str(home / "maker.pub")], approver(home, key, note))


def approver(home: Path, key: str = "approver", note: str = "Better on later loans.") -> Approver:
    return Approver.of("asha.rao", note, home / key)


def test_a_version_is_released_gone_back_from_and_retired_and_all_of_it_is_on_record(params: Params) -> None:
    ws, home = Workspace(params.workspace), params.workspace.parent
    small = exported(params, "0.1.0", refits=3, shadows=16, candidates=0)
    with pytest.raises(ReleaseError, match=LACKING):
        released(params, small)
    first = exported(params, "0.1.0")
    for key, note, error, said in (
        ("maker", "mine", ReleaseError, "does not approve it"),
        ("approver", "\x07", saakh.ConfigError, "without control"),
    ):
        with pytest.raises(error, match=said):
            released(params, first, key, note)
    assert not (ws.root / "release" / "champion.saakh").exists()
    with pytest.raises(ReleaseError, match="no former champion"):
        rollback(params, ws, [str(home / "maker.pub")], approver(home))

    released(params, first)
    with pytest.raises(ReleaseError, match="champion already"):
        released(params, first)
    second = exported(params, "0.2.0")
    released(params, second)
    aliases = tracking.client(ws).get_registered_model("saakh").aliases
    assert (set(aliases), saakh.load(ws.root / "release" / "champion.saakh").version) == (
        {"candidate", "champion", "former-champion"},
        "0.2.0",
    )
    rollback(params, ws, [str(home / "maker.pub")], approver(home))
    assert saakh.load(ws.root / "release" / "champion.saakh").version == "0.1.0"
    assert [(r.act, r.scorecard) for r in records(ws) if isinstance(r, Approval)] == [
        ("rollback", "0.1.0"),
        ("release", "0.2.0"),
        ("release", "0.1.0"),
    ]

    share(params, ws, "partner-bank", "scorecard", second, "co_lending")
    with pytest.raises(ReleaseError, match="is the champion"):
        retire.run(params, ws, first, retire.Asked("superseded", "destroy"))
    with pytest.raises(ReleaseError, match="give --hold and --until"):
        retire.run(params, ws, second, retire.Asked("superseded", "seal"))
    ended = retire.run(params, ws, second, retire.Asked("superseded", "seal", "regulator", date(2040, 1, 1)))
    assert ended.facts["tell"] == "partner-bank"
    (record,) = (r for r in records(ws) if isinstance(r, Retirement))
    assert (record.recipients, record.data, record.sealed_until) == (("partner-bank",), "sealed", "2040-01-01")
    (copy,) = enforce.copies(params, ws)
    assert isinstance(copy, VersionHeader)
    assert copy.version == record.manifest
    enforce.open_copy(params, ws, str(record.copy_id), "regulator", home / "opened.zip")
    assert not second.exists()
    assert not kept(ws, "0.2.0").exists()
    kinds = log.verify(path_of(ws)).kinds
    path = ws.root / "release" / "record-000001.json"
    path.write_text(json.dumps(read_json(path) | {"note": "Nobody said so."}, separators=(",", ":")) + "\n")
    with pytest.raises(ReleaseError, match="does not bear out its signature"):
        list(records(ws))
    assert {kind: kinds[kind] for kind in ("signing", "release", "share", "retire")} == {
        "signing": 3,
        "release": 3,
        "share": 1,
        "retire": 1,
    }


def test_a_retired_version_is_refused_wherever_it_turns_up(params: Params, tmp_path: Path) -> None:
    path = exported(params, "0.1.0")
    copy = tmp_path / "elsewhere" / "scorecard.saakh"
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    retire.run(params, Workspace(params.workspace), path, retire.Asked("law", "destroy"))
    listed = params.workspace / "release" / "retired.json"
    with pytest.raises(saakh.StoppedError, match="it was retired: law"):
        saakh.load(copy, stop_files=[listed])
    (copy.parent / "retired.json").write_bytes(listed.read_bytes())
    with pytest.raises(saakh.StoppedError):
        saakh.load(copy)
    assert not any((params.workspace / name).exists() for name in ("derive", "train", "evaluate", "membership"))
    assert tracking.client(Workspace(params.workspace)).search_model_versions("name = 'saakh'") == []
