"""`saakh consent` on a small simulated population: what is open, why, and receipts; and its consents as artefacts."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from features.tables import consents
from pipeline.engines import Embedded, read_table
from pipeline.gate import NO_BOUNDS, openings
from pipeline.ingest.consent import from_ledger
from pipeline.ingest.mapping_ledger import Ledger
from pipeline.ingest.rows import Bounds
from pipeline.ledger.commands import print_receipts, print_status, print_why
from pipeline.ledger.why import moment
from pipeline.params import Params
from pipeline.pseudonyms import Pseudonyms, read_key
from pipeline.run import run_stage
from pipeline.workspace import Workspace
from saakh.errors import ConfigError, ConsentError, SaakhError
from tests.functional.conftest import ROOT, small_params
from tests.ledger_records import artefact, lines, notice

HOUSE = ROOT / "data/contracts/house.yaml"
PEOPLE = 40


@dataclass(frozen=True)
class Ingested:
    """A drop and its canonical tables."""

    params: Params
    raw: list[dict[str, Any]]
    consents: pa.Table
    applications: pa.Table

    def pseudonym(self, domain: str, name: str) -> str:
        return Pseudonyms(read_key(self.params.ingest)).one(domain, name)


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Ingested:
    params = small_params(tmp_path_factory.mktemp("consents"))
    sized = params.simulate.model_copy(update={"people": PEOPLE})
    params = params.model_copy(update={"simulate": sized, "threads": 1})
    ws = Workspace(params.workspace)
    for stage in ("simulate", "ingest"):
        run_stage(stage, params, ws)
    raw = [json.loads(line) for line in (params.simulate.out / "consents.jsonl").read_text().splitlines()]
    tables = [read_table(ws.root / "ingest" / f"{name}.parquet") for name in ("consents", "applications")]
    return Ingested(params, raw, *tables)


def names_no_raw_id(text: str, ingested: Ingested) -> bool:
    """Whether a text holds no raw id of the drop."""
    return not re.search("|".join({row[key] for row in ingested.raw for key in ("person", "artefact")}), text)


def test_status_tells_what_is_open_by_which_artefact_and_until_when(
    ingested: Ingested, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = next(row for row in ingested.raw if row["revoked_at"] is None and row["category"] == "credit")
    print_status(ingested.params, raw["person"], datetime.fromisoformat(raw["starts_at"]))
    said = capsys.readouterr().out
    person, name = ingested.pseudonym("person", raw["person"]), ingested.pseudonym("artefact", raw["artefact"])
    until = moment(datetime.fromisoformat(raw["expires_at"]))
    assert said.startswith(f"person {person} at ")
    assert f"credit        {raw['purpose']:<10}open until {until} by {name}" in said
    assert "nothing was agreed to for" in said
    assert names_no_raw_id(said, ingested)


def test_a_raw_id_and_its_pseudonym_are_one_and_a_pseudonym_needs_no_key(
    ingested: Ingested, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = ingested.raw[0]["person"]
    print_status(ingested.params, f" {raw} ")
    by_raw = capsys.readouterr().out
    keyless = ingested.params.ingest.model_copy(update={"key_file": None})
    print_status(ingested.params.model_copy(update={"ingest": keyless}), ingested.pseudonym("person", raw))
    assert capsys.readouterr().out == by_raw


def test_the_default_moment_is_as_of_and_never_now(ingested: Ingested, capsys: pytest.CaptureFixture[str]) -> None:
    print_status(ingested.params, ingested.raw[0]["person"])
    assert f" at {ingested.params.as_of:%Y-%m-%d %H:%M:%S} UTC" in capsys.readouterr().out


@pytest.mark.parametrize("purpose", ["score", "train"])
def test_why_says_open_for_every_application_to_which_the_gate_opens(
    ingested: Ingested, purpose: str, capsys: pytest.CaptureFixture[str]
) -> None:
    applications = ingested.applications.slice(0, 12)
    as_of = ingested.params.as_of.astimezone(UTC).replace(tzinfo=None)
    snapshots = [at.replace(microsecond=0) for at in applications["applied_at"].to_pylist()]
    asked = snapshots if purpose == "score" else [as_of] * len(snapshots)
    cohort = applications.select(["application_id", "person_id"])
    cohort = cohort.append_column("asked_at", pa.array(asked, pa.timestamp("us")))
    engine = Embedded(threads=1, memory_gb=1)
    gate = openings(engine.table(cohort), engine.table(ingested.consents), purpose, NO_BOUNDS)
    opened = {(r["application_id"], r["category"]) for r in engine.arrow(gate, ["application_id"]).to_pylist()}
    engine.close()
    told = set()
    for name in applications["application_id"].to_pylist():
        for category in ("payments", "location"):
            print_why(ingested.params, name, category, purpose)
            said = capsys.readouterr().out
            assert names_no_raw_id(said, ingested)
            told |= {(name, category)} if "UTC: open" in said else set()
    assert told == {pair for pair in opened if pair[1] in ("payments", "location")}


def test_why_names_the_first_condition_that_fails(ingested: Ingested, capsys: pytest.CaptureFixture[str]) -> None:
    name = ingested.applications["application_id"][0].as_py()
    print_why(ingested.params, name, "credit", "monitor")
    said = capsys.readouterr().out.splitlines()
    assert said[1].startswith("credit for monitor, asked at ")
    assert said[1].endswith(": closed")
    assert re.match(r"  an artefact names the category +yes, \d+ artefacts", said[2])
    assert re.match(r"  it is for the purpose monitor +no: for .*, not for monitor", said[3])
    assert len(said) == 4


def test_receipts_are_the_same_bytes_each_time_and_name_nobody(
    ingested: Ingested, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = ingested.raw[0]["person"]
    print_receipts(ingested.params, raw, house=HOUSE)
    printed = capsys.readouterr().out
    print_receipts(ingested.params, raw, tmp_path / "receipt.jsonld", house=HOUSE)
    assert (tmp_path / "receipt.jsonld").read_text() == printed
    assert (tmp_path / "receipt.jsonld").stat().st_mode & 0o777 == 0o600
    told = json.loads(printed)["@graph"]
    artefacts = {ingested.pseudonym("artefact", row["artefact"]) for row in ingested.raw if row["person"] == raw}
    assert {receipt["dpv:hasRecordOfActivity"]["dct:identifier"] for receipt in told} == artefacts
    assert names_no_raw_id(printed, ingested)


@pytest.mark.parametrize(
    ("ask", "error", "said"),
    [
        (lambda params: print_status(params, "nobody-9876543210"), ConsentError, "no person of that id"),
        (lambda params: print_status(params, "0" * 32), ConsentError, "no person of that id"),
        (lambda params: print_why(params, "nobody-9876543210", "apps"), ConsentError, "no application of that id"),
        (lambda params: print_why(params, "x", "photos"), ConfigError, "no category of that name; there are credit"),
        (lambda params: print_why(params, "x", "apps", "selling"), ConfigError, "no purpose of that name"),
        (lambda params: print_receipts(params, "x", house=Path("nowhere.yaml")), SaakhError, "no file at nowhere"),
    ],
)
def test_a_question_that_cannot_be_answered_is_one_clear_error(
    ingested: Ingested, ask: Any, error: type[SaakhError], said: str
) -> None:
    with pytest.raises(error) as caught:
        ask(ingested.params)
    assert said in str(caught.value)
    assert "9876543210" not in str(caught.value)


def test_the_same_consents_as_artefacts_give_the_same_table(ingested: Ingested, tmp_path: Path) -> None:
    held: dict[str, list[dict[str, Any]]] = {}
    for row in ingested.raw:
        held.setdefault(row["artefact"], []).append(row)
    records = [as_artefact(name, rows) for name, rows in held.items()]
    records += [notice(at=rows[0]["revoked_at"], name=name) for name, rows in held.items() if rows[0]["revoked_at"]]
    (tmp_path / "ledger.jsonl").write_text(lines(*reversed(records)))
    limits = Bounds(ingested.params.ingest.earliest, datetime(2028, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    pseudonyms = Pseudonyms(read_key(ingested.params.ingest))
    table, account = from_ledger(Ledger(files=("*.jsonl",)), tmp_path, limits, pseudonyms)
    assert table is not None
    assert account["ledger"]["artefacts"] == len(held) > 2 * PEOPLE
    known = [name for name in consents.by_name if name not in ("data_to", *EXTRA)]
    assert table.select(known).equals(ingested.consents.select(known))


EXTRA = ("given_at", "purpose_code", "fetch_type", "frequency_times", "frequency_unit", "data_life_days")


def as_artefact(name: str, held: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows of the simulated drop, one a category, as the artefact that was signed."""
    first = held[0]
    return artefact(
        name,
        customer=first["person"],
        consentStart=first["starts_at"],
        consentExpiry=first["expires_at"],
        fiTypes=[row["category"] for row in held],
        Purpose={"code": first["purpose"]},
        FIDataRange={"from": first["data_from"], "to": "2100-01-01T00:00:00Z"},
    )
