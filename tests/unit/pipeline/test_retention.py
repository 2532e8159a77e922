"""What has come to its day goes: sealed copies by their own, rows by the data life their consents give them."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline import audit
from pipeline.audit.log import walk
from pipeline.audit.records import Erasure, Retention
from pipeline.erase import look_outlived, outlive
from pipeline.erase.receipt import Outlived, read_receipt
from pipeline.params import Params
from pipeline.pseudonyms import Pseudonyms, new_key
from pipeline.retention.enforce import copies, hold_for, open_copy, run, today
from pipeline.retention.errors import ErasureError
from pipeline.retention.keys import read_store_key
from pipeline.retention.sealed import Header, person_digest, store_of
from pipeline.run import run_stage
from pipeline.workspace import Workspace, digest
from tests.ledger_records import artefact, lines
from tests.lender_drop import HEADER, KEY, TOPUPS, Drop, mapping

SOON, LATE = "2026-12-01", "2027-12-01"


def header(name: str, until: str) -> Header:
    said = {"purpose": "statute", "person": person_digest(name), "policies": ("in-dpdp",), "sealed_on": "2026-06-01"}
    return Header(id=name * 32, destroy_by=until, **said)


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Params, Workspace]:
    """Two sealed copies, one to be destroyed sooner."""
    new_key(tmp_path / "seal.txt")
    said = {"as_of": "2026-06-01T00:00:00Z", "policy": "explicit-consent", "workspace": tmp_path / "work"}
    params = Params.model_validate(said | {"retention": {"key_file": tmp_path / "seal.txt"}})
    ws = Workspace(params.workspace)
    store = store_of(ws, read_store_key(params))
    store.seal(header("b", LATE), b"later")
    store.seal(header("a", SOON), b"sooner")
    return params, ws


def looks(ws: Workspace) -> list[tuple[int, int]]:
    entries = [record.entry for record, _ in walk(audit.path_of(ws))]
    return [(e.destroyed, e.kept) for e in entries if isinstance(e, Retention)]


def test_copies_are_listed_the_next_to_go_first(kept) -> None:
    assert [h.destroy_by for h in copies(*kept)] == [SOON, LATE]


def test_a_copy_is_destroyed_on_its_day_and_not_before(kept) -> None:
    params, ws = kept
    assert run(params, ws, date(2026, 11, 30)).destroyed == ()
    looked = run(params, ws, date(2026, 12, 1))
    assert (looked.destroyed, [h.destroy_by for h in looked.kept]) == (("a" * 32,), [LATE])
    assert sorted(path.name[:1] for path in (ws.root / "sealed").iterdir()) == ["b", "b"]
    assert looks(ws) == [(0, 2), (1, 1)]
    assert read_receipt(looked.receipt).copies == ("a" * 32,)
    assert [h.id for h in copies(params, ws)] == ["b" * 32]


def test_a_destruction_that_was_stopped_is_finished_and_recorded(kept) -> None:
    params, ws = kept
    store_of(ws, read_store_key(params)).shred("a" * 32)  # and then the power went
    assert run(params, ws, date(2026, 6, 2)).destroyed == ("a" * 32,)
    assert looks(ws) == [(1, 1)]


def test_an_edited_day_destroys_nothing_and_is_named(kept) -> None:
    params, ws = kept
    path = ws.root / "sealed" / f"{'a' * 32}.sealed"
    path.write_bytes(path.read_bytes().replace(SOON.encode(), LATE.encode(), 1))
    with pytest.raises(ErasureError, match="does not bear out its seal"):
        run(params, ws, date(2026, 12, 1))
    assert looks(ws) == []
    assert len(list((ws.root / "sealed").iterdir())) == 4


def test_without_copies_no_key_is_needed(tmp_path: Path) -> None:
    params = Params.model_validate({"as_of": "2026-06-01T00:00:00Z", "policy": "explicit-consent"})
    assert run(params, Workspace(tmp_path), date(2026, 6, 1)).receipt is None
    assert copies(params, Workspace(tmp_path)) == []


def test_opening_a_copy_is_recorded(kept, tmp_path: Path) -> None:
    params, ws = kept
    open_copy(params, ws, "b" * 32, "statute", tmp_path / "sealed_copy.zip")
    assert (tmp_path / "sealed_copy.zip").read_bytes() == b"later"
    assert (tmp_path / "sealed_copy.zip").stat().st_mode & 0o777 == 0o600
    entry = [record.entry for record, _ in walk(audit.path_of(ws))][-1]
    assert (entry.kind, entry.artefact) == ("export", digest(tmp_path / "sealed_copy.zip"))
    with pytest.raises(ErasureError, match="is there already"):
        open_copy(params, ws, "b" * 32, "statute", tmp_path / "sealed_copy.zip")


def test_a_copy_that_cannot_be_recorded_is_not_opened(kept, tmp_path: Path) -> None:
    params, ws = kept
    with pytest.raises(Exception, match="no place for this export"):
        open_copy(params, ws, "b" * 32, "statute", tmp_path / "P00000012.zip")
    assert not (tmp_path / "P00000012.zip").exists()


@pytest.mark.parametrize(
    ("purpose", "until", "said"),
    [
        ("statute", None, "needs both"),
        (None, date(2999, 1, 1), "needs both"),
        ("curiosity", date(2999, 1, 1), "no such purpose"),
        ("statute", date(2020, 1, 1), "has ended already"),
    ],
)
def test_a_hold_is_for_a_purpose_and_until_a_day_to_come(kept, purpose, until, said) -> None:
    with pytest.raises(ErasureError, match=said):
        hold_for(kept[0], purpose, until)


def test_a_hold_is_as_asked(kept) -> None:
    until = today() + timedelta(days=9)
    held = hold_for(kept[0], "court_order", until)
    assert held is not None
    assert (held.purpose, held.destroy_by) == ("court_order", until.isoformat())
    assert hold_for(kept[0], None, None) is None


RECEIVED = {"u1": "2026-01-01", "u2": "2026-01-31", "u3": "2026-01-01", "u4": "2026-01-01"}


@pytest.fixture
def lived(tmp_path: Path) -> tuple[Params, Workspace, Drop]:
    """Four people's top-ups: two may be kept for a month, one for two, one without end."""
    drop = Drop(tmp_path)
    rows = [f"{name},{day} 10:00:00,{day} 10:05:00,19.99,data,no\n" for name, day in RECEIVED.items()]
    drop.write("topups.csv", HEADER + "".join(rows))
    lives = {"u1": ("MONTH", 1), "u2": ("MONTH", 1), "u3": ("INF", 0), "u4": ("DAY", 10)}
    agreed = [
        artefact(f"C-{name}", customer=name, DataLife={"unit": unit, "value": value})
        for name, (unit, value) in lives.items()
    ]
    agreed.append(artefact("C-longer", customer="u4", DataLife={"unit": "DAY", "value": 60}))
    drop.write("ledger.jsonl", lines(*agreed))
    content: dict[str, Any] = mapping(TOPUPS, ledger={"files": ["ledger.jsonl"]})
    del content["consent"]
    params = drop.params(content).model_copy(update={"workspace": tmp_path / "work"})
    ws = Workspace(params.workspace)
    run_stage("ingest", params, ws)
    return params, ws, drop


def left(drop: Drop) -> list[str]:
    return [line.split(",")[0] for line in (drop.root / "raw/topups.csv").read_text().splitlines()[1:]]


@pytest.mark.parametrize(
    ("day", "people"),
    [
        ("2026-01-31", ["u1", "u2", "u3", "u4"]),  # of 30 days the last: received at 10:05 on 1 January
        ("2026-02-01", ["u2", "u3", "u4"]),
        ("2026-03-02", ["u2", "u3", "u4"]),
        ("2026-03-03", ["u3"]),  # of 60 days the last, of the longer of two lives; and of 30 of the other
    ],
)
def test_rows_go_when_they_are_older_than_the_longest_life_their_consents_give_them(lived, day, people) -> None:
    params, ws, drop = lived
    assert look_outlived(params, ws, date.fromisoformat(day)).rows == {"topups": 4 - len(people)}
    assert left(drop) == [*RECEIVED]
    finished = outlive(params, ws, date.fromisoformat(day))
    assert left(drop) == people
    names = {Pseudonyms(bytes.fromhex(KEY)).one("person", name) for name in people}
    assert set(pq.read_table(ws.root / "ingest/topups.parquet")["person_id"].to_pylist()) == names
    assert len(finished) == (len(people) < 4)
    for done in finished:
        receipt = read_receipt(done.path)
        assert isinstance(receipt, Outlived)
        assert (receipt.removed, receipt.people) == ({"topups": 4 - len(people)}, 4 - len(people))
        entries = [r.entry for r, _ in walk(audit.path_of(ws)) if isinstance(r.entry, Erasure)]
        assert [(e.why, e.people) for e in entries] == [("purpose_ended", 4 - len(people))]
    assert outlive(params, ws, date.fromisoformat(day)) == []


def test_a_removal_that_was_stopped_is_finished(lived) -> None:
    params, ws, drop = lived

    class StoppedError(Exception):
        pass

    def tell(what: str, *_: object) -> None:
        if what == "cleared":
            raise StoppedError

    with pytest.raises(StoppedError):
        outlive(params, ws, date(2026, 2, 1), tell)
    (done,) = outlive(params, ws, date(2026, 2, 1))
    assert (done.receipt.removed, left(drop)) == ({"topups": 1}, ["u2", "u3", "u4"])
