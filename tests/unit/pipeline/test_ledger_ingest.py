"""Ingest reads a ledger where the mapping names one, under the pseudonyms of every table, or nothing is written."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest.mapping import read_mapping
from saakh.errors import ConsentError, MappingError, MissingInputError, SaakhError
from tests.ledger_records import artefact, lines, notice
from tests.lender_drop import GOOD, HEADER, TOPUPS, Drop, mapping

LEDGER: dict[str, Any] = {"files": ["consents/*.jsonl"]}


def told(**ledger: Any) -> dict[str, Any]:
    content = mapping(TOPUPS, ledger=LEDGER | ledger)
    del content["consent"]
    return content


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    made = Drop(tmp_path)
    made.write("topups.csv", HEADER + GOOD)
    return made


def test_a_ledger_fills_consents_under_the_pseudonyms_of_the_other_tables(drop: Drop) -> None:
    drop.write("consents/1.jsonl", lines(artefact(), artefact("C-2", customer="u2")))
    drop.write("consents/2.jsonl", lines(notice(), notice()))
    found = drop.ingest(told())
    consents = found.table("consents").to_pylist()
    assert {row["person_id"] for row in consents if row["revoked_at"]} == set(found.column("topups", "person_id"))
    assert len(consents) == 4
    assert found.report["tables"]["consents"]["rows_kept"] == 4
    assert found.report["consent"] == {"basis": "artefacts"}
    assert found.report["ledger"].items() >= {"records": 4, "artefacts": 2, "notices": 1, "duplicates": 1}.items()
    assert [file["file"] for file in found.report["ledger"]["files"]] == ["consents/1.jsonl", "consents/2.jsonl"]


def test_the_order_of_records_and_files_leaves_no_trace_in_the_table(drop: Drop) -> None:
    records = [artefact(), artefact("C-2", customer="u2"), notice(), artefact(fiTypes=["airtime"])]
    drop.write("consents/1.jsonl", lines(*records))
    once = drop.ingest(told()).bytes["consents.parquet"]
    drop.write("consents/1.jsonl", lines(*records[2:]))
    drop.write("consents/0.jsonl", lines(*records[1::-1], *records[:2]))
    assert drop.ingest(told(), to="again").bytes["consents.parquet"] == once


def test_codes_of_the_mapping_may_be_numbers_and_mean_one_thing_several_or_nothing(drop: Drop) -> None:
    drop.write("consents/1.jsonl", lines(artefact(Purpose={"code": "103"}, fiTypes=["DEPOSIT", "NPS", "airtime"])))
    found = drop.ingest(told(purposes={103: ["score", "train"]}, categories={"DEPOSIT": "payments", "NPS": []}))
    assert {(row["category"], row["purpose"]) for row in found.table("consents").to_pylist()} == {
        (category, purpose) for category in ("airtime", "payments") for purpose in ("score", "train")
    }


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (lines(artefact(Purpose={"code": "marketing"})), ConsentError),
        (lines(artefact(), notice() | {"who": "u1"}), ConsentError),
        (None, MissingInputError),
    ],
)
def test_a_ledger_that_cannot_be_read_leaves_nothing_behind(
    drop: Drop, content: str | None, error: type[SaakhError]
) -> None:
    if content is not None:
        drop.write("consents/1.jsonl", content)
    with pytest.raises(error):
        drop.ingest(told())
    assert not (drop.root / "run" / "ingest").exists()


def test_what_was_ingested_before_stays_when_a_new_ledger_is_malformed(drop: Drop) -> None:
    drop.write("consents/1.jsonl", lines(artefact()))
    before = drop.ingest(told()).bytes
    drop.write("consents/2.jsonl", lines(notice("GONE")))
    with pytest.raises(ConsentError, match=r"consents/2\.jsonl: line 1: ConsentStatusNotification\.consentStatus"):
        drop.ingest(told())
    assert {p.name: p.read_bytes() for p in sorted((drop.root / "run" / "ingest").iterdir())} == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (mapping(TOPUPS, ledger=LEDGER), "only one of them"),
        (told(fils="x"), "ledger: unknown key 'fils'; did you mean 'files'?"),
        (told(files=["../x"]), "is no pattern within ingest.source"),
        (told(categories={"DEPOSIT": "paymets"}), "ledger.categories.DEPOSIT"),
        (told(purposes={"103": ["marketing"]}), "no such purpose; there are score, train, monitor, share, research"),
        ({**told(), "ledger": None}, "needs either a source for the table consents"),
    ],
)
def test_a_mapping_says_what_is_wrong_with_its_ledger(tmp_path: Path, content: dict[str, Any], said: str) -> None:
    path = Drop(tmp_path).params(content).ingest.mapping
    with pytest.raises(MappingError) as caught:
        read_mapping(path)
    assert said in str(caught.value)
