"""No raw id, name, number, place or text comes out anywhere: not in a full run, not in runs that fail.

Canaries are planted in every kind of column of a drop. Then every file that a run leaves is searched for them, and all
that it prints: outputs, logs, the MLflow store, reports, leftovers of work that was stopped. `make test` searches what
ingest and a few failing runs leave, `make prove` (SAAKH_FULL=1) what the whole line and all of them do.
"""

import os
from pathlib import Path

import pytest

import tests.failing_stages  # noqa: F401 - registers more ways to fail
from tests.conftest import Claim
from tests.failing_runs import FAILING, Failing
from tests.house import Ended, House, build

FULL = bool(os.environ.get("SAAKH_FULL"))
PLANTED = 10_000 if FULL else 1_000
QUICK = ("a_later_record_brings_a_refused_field", "a_quote_is_left_open", "something_nobody_foresaw")
"""The failing runs that every test run repeats; the others take minutes."""
CLEAN: list[str] = []
STOPPED = 143

Run = tuple[House, set[str], list[Ended]]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A house with a drop full of canaries, what they are, and how its commands ended: the whole line, then others."""
    house, planted = build(tmp_path_factory.mktemp("house"), 400 if FULL else 60)
    if not FULL:
        return house, planted, [house.saakh("ingest")]
    commands = (("run",), ("reidentify",), ("explain",), ("consent", "status", "canary"), ("audit", "verify"))
    return house, planted, [house.saakh(*command) for command in commands]


def test_a_run_lets_no_canary_out(finished: Run, claim: Claim) -> None:
    house, planted, ended = finished
    assert [run.returncode for run in ended[:1]] == [0], ended[0].stderr
    assert house.leaks(*ended) == []
    files = sum(path.is_file() for path in house.out.rglob("*"))
    claim("canaries planted, of which a run let out", "10,000, none", f"{len(planted):,}, none in {files} files")
    assert len(planted) >= PLANTED


def test_ways_to_fail_are_many() -> None:
    assert len({way.name for way in FAILING}) == len(FAILING) >= 50
    assert {way.name for way in FAILING} >= set(QUICK)


@pytest.mark.parametrize("way", [way for way in FAILING if FULL or way.name in QUICK], ids=lambda way: way.name)
def test_a_failing_run_lets_no_canary_out(finished: Run, way: Failing, tmp_path: Path) -> None:
    house = finished[0].copy(tmp_path, *way.stages)
    way.spoil(house)
    spoilt = house.leaks()  # what the test itself put into files of the workspace
    ended = house.saakh(*way.command, before=way.before)
    assert ended.returncode == (way.code or ended.returncode) != 0, ended.stderr
    assert ended.stderr or ended.returncode == STOPPED, "it failed without a word"
    assert set(house.leaks(ended)) <= set(spoilt)
    CLEAN.append(way.name)


def test_failing_runs_are_counted(claim: Claim) -> None:
    claim("failing runs whose files and messages hold no canary", "50", len(CLEAN))
