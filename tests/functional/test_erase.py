"""Erased means never existed: afterwards all is as in a run on drops without their rows, and nothing names them.

Reduced: two people of a tiny world of few tables. In full (SAAKH_FULL): 1, 10 and 100 people in turn, every table, the
sample's own model.
"""

import gzip
import io
import os
import zipfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pipeline import audit, tracking
from pipeline.audit.heads import new_pair, public_of, read_signer
from pipeline.audit.log import verify, walk
from pipeline.audit.records import Erasure
from pipeline.erase import Asked, Done, erase, look
from pipeline.erase.journal import Hold
from pipeline.erase.receipt import read_receipt
from pipeline.params import Params
from pipeline.pseudonyms import Pseudonyms, new_key, read_key
from pipeline.retention import enforce
from pipeline.retention.sealed import person_digest
from pipeline.run import STAGES
from pipeline.workspace import Workspace, digest, read_json, write_text
from tests import erasable_world as world

pytestmark = pytest.mark.timeout(3_600)
FULL = bool(os.environ.get("SAAKH_FULL"))
COUNTS = (1, 10, 100) if FULL else (2,)
SIZE: dict[str, Any] = {"people": 1_700, "tables": None} if FULL else {}
APART = {"audit", "mlflow", "erasures", "sealed"}
WITH_TOMBSTONES = {"ingest/calls.parquet", "ingest/payments.parquet", "ingest/ingest.json"}
"""What holds the rows of others who name them, or digests of such files: compared by content."""
NAMING_OTHERS = ("calls", "payments")
"""Drops whose rows name other people too: `WITH_TOMBSTONES` holds what is read from them."""
UNTIL = enforce.today() + timedelta(days=30)


@dataclass(frozen=True)
class Round:
    """An erasure of some more people: how many are erased by now, what came of it, and the run that never had them."""

    erased: tuple[str, ...]
    done: Done
    never: Workspace
    other: Params
    left: dict[str, str]
    naming: list[Path]
    runs: list[dict[str, Any]]


@dataclass(frozen=True)
class Told:
    """The world, its run's parameters, what the first run left, and each erasure in turn."""

    folder: Path
    run: Params
    before: dict[str, str]
    unchanged: bool
    planned: dict[str, int]
    rounds: list[Round]


def digests(ws: Workspace) -> dict[str, str]:
    files = (p for p in sorted(ws.root.rglob("*")) if p.is_file() and p.relative_to(ws.root).parts[0] not in APART)
    return {path.relative_to(ws.root).as_posix(): digest(path) for path in files}


def logged(ws: Workspace) -> list[dict[str, Any]]:
    """What MLflow holds of each run but its id, its times and where it lies."""
    log, found = tracking.client(ws), []
    for version in log.search_model_versions(f"name = '{tracking.NAME}'"):
        run = log.get_run(version.run_id)
        place = Path(log.download_artifacts(version.run_id, ""))
        files = {p.relative_to(place).as_posix(): p for p in sorted(place.rglob("*")) if p.is_file()}
        bodies = {name: digest(path) for name, path in files.items() if not name.endswith("MLmodel")}
        found.append({"params": run.data.params, "metrics": run.data.metrics, "files": bodies})
    return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A world that was run, and people erased from it, a few more each time; beside it runs that never had them."""
    folder = tmp_path_factory.mktemp("erasable")
    new_pair(folder / "audit.pem")
    new_key(folder / "seal.txt")
    keys = {"audit": {"key_file": folder / "audit.pem"}, "retention": {"key_file": folder / "seal.txt"}}
    run = world.make(folder / "here", **SIZE, **keys)
    ws = world.run_all(run)
    write_text(ws.stage("judge") / "judge.json", "{}\n")
    audit.share(run, ws, "credit-bureau", "scorecard", next((ws.root / "export").iterdir()), "credit_bureau")
    before, raw = digests(ws), audit.tree(run.ingest.source)
    names = world.names(folder / "here")
    plan = look(run, ws, Asked(tuple(names[: COUNTS[0]]))).journal
    unchanged = (digests(ws), audit.tree(run.ingest.source)) == (before, raw)
    drops = folder / "drops"
    world.without(folder / "here", drops, ())
    rounds = []
    for count in COUNTS:
        fresh = tuple(names[len(rounds[-1].erased) if rounds else 0 : count])
        given = tuple(world.pseudonym(run, name) if i % 2 else name for i, name in enumerate(fresh))
        hold = Hold(purpose="statute", destroy_by=UNTIL.isoformat()) if count == COUNTS[-1] else None
        (done,) = erase(run, ws, Asked(given, hold=hold))
        other = world.params(folder / f"never-{count}", **SIZE)
        world.without(drops, folder / f"never-{count}", names[:count])
        never = world.run_all(other)
        sought = [*names[:count], *(world.pseudonym(run, name) for name in names[:count])]
        naming = world.naming([folder / "here"], [*sought, *map(world.number, names[:count])])
        rounds.append(Round(tuple(names[:count]), done, never, other, digests(ws), naming, logged(ws)))
    return Told(folder / "here", run, before, unchanged, plan.removed | {"replaced": plan.replaced}, rounds)


def test_a_dry_run_counts_and_changes_nothing(told: Told) -> None:
    assert told.unchanged
    first = told.rounds[0].done.receipt
    assert told.planned == first.removed | {"replaced": first.replaced}
    assert first.removed["calls"] > 20
    assert first.removed["features"] == first.removed["cohort"] >= 1
    assert first.replaced > 20  # others call the first of all


def test_everything_made_anew_is_what_it_were_had_their_rows_never_existed(told: Told, claim) -> None:
    for a_round in told.rounds:
        here, never = a_round.left, digests(a_round.never)
        stages = {name.split("/")[0] for name in never}
        names = {name for name in here if name.split("/")[0] in stages} | never.keys()
        differing = {name for name in names if here.get(name) != never.get(name)} - WITH_TOMBSTONES
        assert differing == set()
        claim(f"erasing {len(a_round.erased)} people", "files differ from never existed: 0", len(differing))


def test_what_they_changed_did_change(told: Told) -> None:
    assert told.before["derive/features.parquet"] != told.rounds[0].left["derive/features.parquet"]
    assert told.before["train/model.txt"] != told.rounds[0].left["train/model.txt"]


@pytest.mark.parametrize(("table", "column"), [("calls", "contact_id"), ("payments", "counterparty_id")])
def test_rows_of_others_differ_in_nothing_but_a_tombstone_for_each_number(told: Told, table: str, column: str) -> None:
    last, pseudonyms = told.rounds[-1], Pseudonyms(read_key(told.run.ingest))
    paths = [root / f"ingest/{table}.parquet" for root in (told.run.workspace, last.never.root)]
    if not paths[0].exists():
        pytest.skip("only the whole world has payments")
    here, never = map(pq.read_table, paths)
    numbers = [pseudonyms.one(column.removesuffix("_id"), world.number(name)) for name in last.erased]
    named = pc.is_in(never[column], pa.array(numbers))
    fresh = pc.invert(pc.is_in(here[column], never[column].combine_chunks().unique()))
    order = [(name, "ascending") for name in here.column_names if name != column]
    same = [t.filter(mask).sort_by(order) for t, mask in ((here, fresh), (never, named))]
    assert same[0].drop_columns(column).equals(same[1].drop_columns(column))
    assert here.filter(pc.invert(fresh)).equals(never.filter(pc.invert(named)))
    pairs = set(zip(same[0][column].to_pylist(), same[1][column].to_pylist(), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}) > 1
    # Some of the first round's stood in rows of people who were erased in the next.
    assert 0 < pc.sum(fresh).as_py() <= sum(a_round.done.receipt.replaced for a_round in told.rounds)


def test_the_account_of_ingest_differs_in_digests_of_files_alone(told: Told) -> None:
    last = told.rounds[-1]
    here, never = (read_json(root / "ingest/ingest.json") for root in (told.run.workspace, last.never.root))
    for account in (here, never):
        for file in account["files"]:
            if file["file"].endswith((".parquet", ".gz")):  # packed anew: the next two tests hold their content
                del file["sha256"]
    assert here == never


def test_packed_tables_keep_every_other_row(told: Told) -> None:
    here, never = told.run.ingest.source, told.rounds[-1].other.ingest.source
    names = sorted(path.relative_to(here) for path in here.rglob("*.parquet"))
    assert names == sorted(path.relative_to(never) for path in never.rglob("*.parquet"))
    alone = [name for name in names if not str(name).startswith(NAMING_OTHERS)]
    for name in alone:
        assert spelt_out(here / name).equals(spelt_out(never / name)), name
    assert len(alone) >= (5 if FULL else 0)


def spelt_out(path: Path) -> pa.Table:
    """A file's rows, its texts as texts: the numbers of a dictionary are a matter of packing."""
    table = pq.read_table(path)
    kinds = [pa.field(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in table.schema]
    return table.cast(pa.schema(kinds))


def test_text_drops_keep_every_other_byte(told: Told) -> None:
    here, never = told.run.ingest.source, told.rounds[-1].other.ingest.source
    for name in ("applications.csv", "consents.jsonl", "numbers.csv"):
        assert digest(here / name) == digest(never / name), name
    packed = [gzip.decompress((folder / "repayments.csv.gz").read_bytes()) for folder in (here, never)]
    assert packed[0] == packed[1]


def test_nothing_names_them_any_more(told: Told) -> None:
    assert [a_round.naming for a_round in told.rounds] == [[] for _ in COUNTS]


def test_the_log_of_runs_holds_the_last_model_alone_and_says_the_same_of_it(told: Told) -> None:
    last = told.rounds[-1]
    assert last.runs == logged(last.never)
    assert len(last.runs) == 1
    version = tracking.client(Workspace(told.run.workspace)).get_model_version_by_alias(tracking.NAME, tracking.ALIAS)
    assert int(version.version) == 1 + len(COUNTS)  # the number of a model that is gone is not given again
    artifacts = told.run.workspace / "mlflow/artifacts"
    assert [path.name for path in artifacts.iterdir()] == [version.run_id]


def test_folders_beside_the_stages_go(told: Told) -> None:
    assert not (told.run.workspace / "judge").exists()
    assert not list((told.run.workspace / "erasures").glob("[!r]*"))


def test_the_receipt_is_signed_and_says_what_went(told: Told) -> None:
    trusted = (public_of(read_signer(told.run.audit)),)
    for a_round in told.rounds:
        receipt = read_receipt(a_round.done.path, trusted)
        assert receipt == a_round.done.receipt
        assert set(receipt.people) <= {person_digest(world.pseudonym(told.run, name)) for name in a_round.erased}
        assert receipt.rebuilt.keys() == STAGES.keys()
        assert receipt.runs_removed == 1
    assert told.before["train/model.txt"] in told.rounds[0].done.receipt.superseded
    assert [share.recipient for share in told.rounds[0].done.shared] == ["credit-bureau"]


def test_the_log_verifies_and_holds_each_erasure(told: Told) -> None:
    path = audit.path_of(Workspace(told.run.workspace))
    verify(path, (public_of(read_signer(told.run.audit)),))
    entries = [record.entry for record, _ in walk(path) if isinstance(record.entry, Erasure)]
    people = [b - a for a, b in zip((0, *COUNTS), COUNTS, strict=False)]
    assert [(e.people, e.receipt) for e in entries] == [
        (count, digest(a_round.done.path)) for count, a_round in zip(people, told.rounds, strict=True)
    ]
    assert [e.sealed_until for e in entries] == [*([None] * (len(COUNTS) - 1)), UNTIL.isoformat()]


def test_what_the_law_keeps_is_sealed_opened_for_its_purpose_and_destroyed_in_time(told: Told, tmp_path: Path) -> None:
    run, ws = told.run, Workspace(told.run.workspace)
    held = enforce.copies(run, ws)
    assert len(held) == (0, *COUNTS)[-1] - (0, *COUNTS)[-2]
    person = told.rounds[-1].erased[-1]
    (mine,) = [h for h in held if h.person == person_digest(world.pseudonym(run, person))]
    enforce.open_copy(run, ws, mine.id, "statute", tmp_path / "sealed_copy.zip")
    with zipfile.ZipFile(tmp_path / "sealed_copy.zip") as packed:
        files = set(packed.namelist())
        assert files >= {"raw/applications.csv", "raw/calls/part-00000.parquet", "ingest/calls.parquet"}
        assert files >= {"cohort/cohort.parquet", "derive/features.parquet"}
        calls = pq.read_table(io.BytesIO(packed.read("raw/calls/part-00000.parquet")))
        assert set(calls["person"].to_pylist()) == {person}
    assert enforce.run(run, ws, UNTIL - timedelta(days=1)).destroyed == ()
    looked = enforce.run(run, ws, UNTIL)
    assert (len(looked.destroyed), looked.kept) == (len(held), ())
    assert list((ws.root / "sealed").iterdir()) == []
    last = [record.entry for record, _ in walk(audit.path_of(ws))][-1]
    assert (last.kind, last.destroyed, last.receipt) == ("retention", len(held), digest(looked.receipt))
    assert date.fromisoformat(read_receipt(looked.receipt, (public_of(read_signer(run.audit)),)).as_of) == UNTIL
