"""An erasure finds people or changes nothing, goes on where it was stopped, and gives a receipt when it is done."""

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline import audit
from pipeline.audit.log import walk
from pipeline.audit.records import Erasure
from pipeline.erase import Asked, ErasureError, erase, journal, look, outlive
from pipeline.erase.journal import Hold
from pipeline.params import Params
from pipeline.pseudonyms import Pseudonyms, new_key
from pipeline.retention.enforce import copies
from pipeline.run import run_stage
from pipeline.workspace import Workspace, digest, write_json
from saakh.errors import ConfigError, EmptyInputError, SaakhError
from tests.lender_drop import CALLS, GOOD, HEADER, KEY, TOPUPS, Drop, mapping

RUN = mapping(TOPUPS, CALLS)
REMOVED = {"calls": 1, "consents": 4, "shards": 1, "topups": 1}
STEPS = ("sealed", "kept", "raw", "cleared", "made ingest", "committed")
UNTIL = "2999-01-01"


def person(raw: str) -> str:
    return Pseudonyms(bytes.fromhex(KEY)).one("person", raw)


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    made = Drop(tmp_path)
    made.write("topups.csv", HEADER + "".join(GOOD.replace("u1", f"user-000{i}") for i in (1, 2, 3)))
    calls = "user-0002,number-1,2026-01-05 10:00:00,in\nuser-0001,x,2026-01-05 10:00:00,in\n"
    made.write("calls.csv", "user,other,at,way\n" + calls)
    new_key(tmp_path / "seal.txt")
    return made


def began(drop: Drop, **changed: Any) -> tuple[Params, Workspace]:
    """Parameters and a workspace in which ingest has run."""
    sections = {
        "workspace": drop.root / "work",
        "retention": {"key_file": drop.root / "seal.txt"},
        "policy": "explicit-consent",
    }
    params = Params.model_validate(drop.params(RUN).model_dump() | sections | changed)
    ws = Workspace(params.workspace)
    run_stage("ingest", params, ws)
    return params, ws


def state(drop: Drop) -> dict[str, str]:
    return {p.relative_to(drop.root).as_posix(): digest(p) for p in sorted(drop.root.rglob("*")) if p.is_file()}


def ended(ws: Workspace) -> set[str]:
    return set(pq.read_table(ws.root / "ingest/topups.parquet")["person_id"].to_pylist())


def erasures(ws: Workspace) -> list[Erasure]:
    return [record.entry for record, _ in walk(audit.path_of(ws)) if isinstance(record.entry, Erasure)]


@pytest.mark.parametrize("given", ["user-0001", " user-0001 ", person("user-0001")])
def test_a_person_is_named_by_raw_id_or_pseudonym(drop: Drop, given: str) -> None:
    params, ws = began(drop)
    (done,) = erase(params, ws, Asked((given,)))
    assert ended(ws) == {person("user-0002"), person("user-0003")}
    assert done.receipt.removed == REMOVED
    assert list(done.receipt.rebuilt) == ["ingest"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked(("user-0001", "user-0009")), "1 of 2 people named are neither in"),
        (Asked((person("user-0009"),)), "neither in"),
        (Asked(("user-0001",), why="because"), "no such reason"),
        (Asked(()), "nobody is named"),
    ],
)
def test_what_cannot_be_done_changes_nothing(drop: Drop, asked: Asked, said: str) -> None:
    params, ws = began(drop)
    before = state(drop)
    with pytest.raises(ErasureError, match=said) as raised:
        erase(params, ws, asked)
    assert state(drop) == before
    assert "user-000" not in str(raised.value)


def test_a_hold_without_a_key_changes_nothing(drop: Drop) -> None:
    params, ws = began(drop, retention={})
    before = state(drop)
    with pytest.raises(ConfigError, match="a sealed copy needs a key of its own"):
        erase(params, ws, Asked(("user-0001",), hold=Hold(purpose="statute", destroy_by=UNTIL)))
    assert state(drop) == before


def test_files_the_mapping_does_not_read_are_refused_when_they_name_them(drop: Drop) -> None:
    params, ws = began(drop)
    drop.write("letters/complaint.txt", "from user-0001, of May")
    drop.write("letters/another.txt", "from user-00011, of May")
    before = state(drop)
    with pytest.raises(ErasureError, match=r"1 files in .* name these people.*letters/complaint\.txt"):
        erase(params, ws, Asked(("user-0001",)))
    assert state(drop) == before


def test_a_dry_look_changes_nothing(drop: Drop) -> None:
    params, ws = began(drop)
    before = state(drop)
    plan = look(params, ws, Asked(("user-0001",), ("number-1",)))
    assert (plan.journal.removed, plan.journal.replaced) == (REMOVED, 1)
    assert plan.held.rows == {f"ingest/{name}.parquet": rows for name, rows in REMOVED.items()}
    assert state(drop) == before


class StoppedError(Exception):
    """A power cut."""


def stop_at(step: str):
    def tell(what: str, *_: object) -> None:
        if what == step:
            raise StoppedError

    return tell


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("again", [("user-0001",), ()])
def test_an_erasure_stopped_before_any_step_is_finished_by_the_next_call(
    drop: Drop, step: str, again: tuple[str, ...]
) -> None:
    params, ws = began(drop)
    hold = Hold(purpose="statute", destroy_by=UNTIL)
    with pytest.raises(StoppedError):
        erase(params, ws, Asked(("user-0001",), ("number-1",), hold=hold), stop_at(step))
    assert (journal.place(ws).stat().st_mode & 0o777) == 0o600
    assert "user-0001" not in journal.place(ws).read_text()
    (done,) = erase(params, ws, Asked(again))
    assert (done.receipt.removed, done.receipt.replaced) == (REMOVED, 1)
    assert done.receipt.sealed_until == UNTIL
    assert ended(ws) == {person("user-0002"), person("user-0003")}
    calls = (drop.root / "raw/calls.csv").read_text()
    assert "number-1" not in calls
    assert "erased-" in calls
    assert len(copies(params, ws)) == len(erasures(ws)) == 1
    assert sorted(path.name for path in (ws.root / "erasures").iterdir()) == ["receipt-000001.json"]


def test_the_next_call_finishes_what_was_stopped_and_goes_on_with_others(drop: Drop) -> None:
    params, ws = began(drop)
    with pytest.raises(StoppedError):
        erase(params, ws, Asked(("user-0001",)), stop_at("raw"))
    one, two = erase(params, ws, Asked(("user-0001", "user-0002")))
    assert (len(one.receipt.people), len(two.receipt.people)) == (1, 1)
    assert ended(ws) == {person("user-0003")}
    assert [e.people for e in erasures(ws)] == [1, 1]


def test_a_rebuild_that_fails_leaves_nobody_behind_and_is_taken_up_again(drop: Drop) -> None:
    params, ws = began(drop)
    everybody = ("user-0001", "user-0002", "user-0003")
    with pytest.raises(EmptyInputError):
        erase(params, ws, Asked(everybody))
    assert not (ws.root / "ingest").exists()
    assert "user-" not in (drop.root / "raw/topups.csv").read_text() + (drop.root / "raw/calls.csv").read_text()
    drop.write("topups.csv", HEADER + GOOD)
    (done,) = erase(params, ws, Asked(everybody))
    assert (len(done.receipt.people), done.receipt.removed["topups"]) == (3, 3)
    assert ended(ws) == {person("u1")}


def test_what_is_only_removed_is_not_made_anew(drop: Drop) -> None:
    params, ws = began(drop)
    (done,) = erase(params, ws, Asked(("user-0001",), is_removal=True))
    assert (done.receipt.removed, done.receipt.rebuilt) == (REMOVED, {})
    assert not (ws.root / "ingest").exists()
    run_stage("ingest", params, ws)
    assert ended(ws) == {person("user-0002"), person("user-0003")}


def test_an_erasure_that_leaves_nothing_to_make_can_be_ended(drop: Drop) -> None:
    params, ws = began(drop)
    with pytest.raises(EmptyInputError):
        erase(params, ws, Asked(("user-0001", "user-0002", "user-0003")))
    (done,) = erase(params, ws, Asked((), is_removal=True))
    assert (len(done.receipt.people), done.receipt.rebuilt) == (3, {})
    assert not journal.place(ws).exists()


def test_no_receipt_while_something_still_names_them(drop: Drop) -> None:
    params, ws = began(drop)
    note = ws.root / "notes.txt"
    note.write_text(f"seen {person('user-0001')}")
    for _ in range(2):
        with pytest.raises(ErasureError, match=r"1 files still name people who are erased: .*notes\.txt"):
            erase(params, ws, Asked(("user-0001",)))
    assert erasures(ws) == []
    note.unlink()
    (done,) = erase(params, ws, Asked(("user-0001",)))
    assert done.receipt.removed == REMOVED


def test_who_was_erased_is_nowhere_to_be_found(drop: Drop) -> None:
    params, ws = began(drop)
    erase(params, ws, Asked(("user-0001",)))
    with pytest.raises(ErasureError, match="neither in"):
        erase(params, ws, Asked(("user-0001",)))


def test_two_erasures_at_once_are_refused(drop: Drop) -> None:
    params, ws = began(drop)
    with journal.alone(ws), pytest.raises(ErasureError, match="another erasure is under way"):
        erase(params, ws, Asked(("user-0001",)))


def test_a_damaged_journal_is_named_and_nothing_is_done(drop: Drop) -> None:
    params, ws = began(drop)
    (ws.root / "erasures").mkdir()
    journal.place(ws).write_text(json.dumps({"token": "x"}))
    before = state(drop)
    with pytest.raises(ErasureError, match="no journal of an erasure"):
        erase(params, ws, Asked(("user-0001",)))
    assert state(drop) == before


def test_a_missing_audit_key_changes_nothing(drop: Drop) -> None:
    params, ws = began(drop)
    before = state(drop)
    keyless = params.model_copy(update={"audit": params.audit.model_copy(update={"key_file": drop.root / "none"})})
    with pytest.raises(SaakhError):
        erase(keyless, ws, Asked(("user-0001",)))
    assert state(drop) == before


def test_rejected_rows_of_theirs_go_too(drop: Drop) -> None:
    drop.write("topups.csv", HEADER + GOOD + "user-0001,never,2026-01-05 10:05:00,1,data,no\nuser-0001,too,few\n")
    params, ws = began(drop)
    assert pq.read_table(ws.root / "ingest/rejects.parquet").num_rows == 2
    erase(params, ws, Asked(("user-0001",)))
    assert pq.read_table(ws.root / "ingest/rejects.parquet").num_rows == 0
    assert (drop.root / "raw/topups.csv").read_text() == HEADER + GOOD


def test_a_link_into_the_drops_is_no_way_around(drop: Drop) -> None:
    params, ws = began(drop)
    os.link(drop.root / "raw/topups.csv", ws.root / "backup.csv")
    with pytest.raises(ErasureError, match=r"backup\.csv"):
        erase(params, ws, Asked(("user-0001",)))


def test_what_was_made_under_other_policies_is_left_as_it_is(drop: Drop) -> None:
    params, ws = began(drop)
    write_json(ws.stage("cohort") / "cohort.json", {"purpose": "train", "policies": ["in-dpdp", "us-ecoa"]})
    before = state(drop)
    said = r"was made under in-dpdp \+ us-ecoa, and now the policy is explicit-consent: name .*--policy"
    with pytest.raises(ErasureError, match=said):
        erase(params, ws, Asked(("user-0001",)))
    with pytest.raises(ErasureError, match=said):
        outlive(params, ws, date(2026, 6, 1))
    assert state(drop) == before
