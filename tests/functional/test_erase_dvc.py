"""Erasure under DVC: its cache forgets the person, and it neither reruns nor restores anything afterwards."""

import os
from pathlib import Path

import pytest
import yaml

from pipeline.erase import Asked, erase
from pipeline.params import Params
from pipeline.pseudonyms import Pseudonyms, read_key
from pipeline.workspace import Workspace, digest
from tests.erasable_world import naming
from tests.functional.conftest import ROOT
from tests.functional.test_dvc import COPIED, dvc

PERSON = "P00000002"


@pytest.mark.skipif(not os.environ.get("SAAKH_FULL"), reason="a whole run under DVC; make prove runs it")
@pytest.mark.timeout(1_800)
def test_dvc_forgets_the_person_and_takes_the_rest_for_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in COPIED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(ROOT / name)
    raw = yaml.safe_load((ROOT / "params.yaml").read_text())
    raw["simulate"]["people"] = 250
    raw["evaluate"]["resamples"] = 100
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw))
    dvc(tmp_path, "init", "--no-scm", "--quiet")
    dvc(tmp_path, "repro", "--quiet")
    monkeypatch.chdir(tmp_path)
    params = Params.model_validate(raw)
    sought = [PERSON, Pseudonyms(read_key(params.ingest)).one("person", PERSON)]
    cache = tmp_path / ".dvc/cache"
    before = {digest(path) for path in naming([cache], sought)}
    assert len(before) > 20
    (done,) = erase(params, Workspace(params.workspace), Asked((PERSON,)))
    assert done.receipt.copies_removed > 30
    assert naming([tmp_path / "data", cache], sought) == []
    assert dvc(tmp_path, "status").strip() == "Data and pipelines are up to date."
    kept = {digest(path) for path in cache.rglob("*") if path.is_file()}
    assert digest(params.workspace / "export/scorecard-0.1.0.saakh") in kept
    assert not before & kept
    assert not set(done.receipt.superseded) & kept
