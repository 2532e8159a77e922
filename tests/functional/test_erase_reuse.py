"""What is put aside of people whom an erasure does not concern is what deriving everybody anew gives, byte for byte."""

from pathlib import Path

import pytest

from pipeline.engines import read_table
from pipeline.erase import Asked, erase
from pipeline.erase.reuse import keep
from pipeline.params import Params
from pipeline.run import run_stage
from pipeline.summary import Summary
from pipeline.workspace import Workspace, digest
from tests.functional.conftest import small_params
from tests.functional.test_policies import REST

STAGES = ("ingest", "cohort", "label", "derive")
ANEW = "applications derived anew"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> tuple[Params, Workspace]:
    """People in circles who call each other, derived with the graph of them all."""
    params = small_params(tmp_path_factory.mktemp("network"), policy="research-opt-in")
    drawn = {"world": "network", "people": 60, "span_days": 120}
    asked = {"simulate": params.simulate.model_dump() | drawn, "derive": {"leave_out": REST}}
    params = Params.model_validate(params.model_dump() | asked)
    ws = Workspace(params.workspace)
    for stage in ("simulate", *STAGES):
        run_stage(stage, params, ws)
    return params, ws


def erased(params: Params, ws: Workspace, place: int, **changed: bool) -> Summary:
    """Erase somebody; what was said of derive."""
    person = read_table(ws.need("cohort", "cohort.parquet"))["person_id"][place].as_py()
    heard: list[Summary] = []
    erase(params, ws, Asked((person,), **changed), hear=heard.append)
    assert [summary.stage for summary in heard] == list(STAGES)
    return heard[-1]


def digests(ws: Workspace) -> dict[str, str]:
    return {path.name: digest(path) for path in sorted((ws.root / "derive").iterdir())}


def test_few_are_derived_anew_and_nobody_can_tell(network: tuple[Params, Workspace]) -> None:
    params, ws = network
    before = digests(ws)
    summary = erased(params, ws, 3)
    assert 0 < summary.counts[ANEW] < summary.rows_out / 2  # those who called them
    left = digests(ws)
    assert left.keys() == before.keys()
    assert left["features.parquet"] != before["features.parquet"]
    run_stage("derive", params, ws)
    assert digests(ws) == left


def test_all_are_derived_anew_when_asked(network: tuple[Params, Workspace]) -> None:
    assert ANEW not in erased(*network, 0, is_anew=True).counts


def test_nothing_is_put_aside_where_the_log_does_not_vouch_for_it(
    network: tuple[Params, Workspace], tmp_path: Path
) -> None:
    params, ws = network
    (ws.root / "derive/features.csv").write_text("made by hand")
    assert not keep(params, ws, (), tmp_path)
    (ws.root / "derive/features.csv").unlink()
    assert not keep(params.model_copy(update={"seed": params.seed + 1}), ws, (), tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert keep(params, ws, (), tmp_path)
