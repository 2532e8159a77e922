"""A record of the ledger is of the schema, or a rule says how not: never a value, never a name it brought along."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger.artefact import Artefact, MalformedError, Notice, parse
from tests.ledger_records import artefact, notice

SECRET = "9876543210"


def rules(record: Any) -> tuple[str, ...]:
    with pytest.raises(MalformedError) as caught:
        parse(record)
    return caught.value.rules


def test_an_artefact_and_a_notice_of_the_schema_are_read() -> None:
    read, told = parse(artefact()), parse(notice())
    assert isinstance(read, Artefact)
    assert isinstance(told, Notice)
    assert (read.id, told.change.status) == ("C-1", "REVOKED")


def test_the_examples_of_the_documentation_are_of_the_schema() -> None:
    text = (Path(__file__).parents[3] / "docs/consent.md").read_text()
    shown = [parse(json.loads(block)) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    assert [type(record) for record in shown] == [Artefact, Notice]


def test_null_and_absent_are_the_same_since_parquet_knows_only_null() -> None:
    record = artefact()
    record["ConsentDetail"] |= {"DataProvider": None, "Accounts": None}
    record |= {"txnid": None, "ConsentUse": None, "ConsentStatusNotification": None}
    assert parse(record) == parse(artefact())


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({SECRET: 1}, "ConsentDetail holds a key that is not of the schema"),
        ({"Purpose": {"code": "score", SECRET: 1}}, "ConsentDetail.Purpose holds a key that is not of the schema"),
        ({"Purpose": {"code": f"{SECRET} {SECRET}"}}, "ConsentDetail.Purpose.code is no code of at most 24 letters"),
        ({"Purpose": None}, "ConsentDetail.Purpose is missing"),
        ({"Purpose": SECRET}, "ConsentDetail.Purpose is not of the kind that the schema asks for"),
        ({"consentStart": SECRET}, "ConsentDetail.consentStart is no time, such as 2026-01-01T00:00:00Z"),
        ({"consentStart": 1_767_225_600}, "ConsentDetail.consentStart is no time"),
        ({"consentStart": "2026-13-01T00:00:00Z"}, "ConsentDetail.consentStart is no time"),
        ({"consentStart": "2026-01-01T00:00:00"}, "ConsentDetail.consentStart needs a time zone"),
        ({"consentExpiry": "9999-12-31T23:00:00-05:30"}, "holds a time outside the calendar once it is told in UTC"),
        ({"consentExpiry": "2026-01-01T00:00:00Z"}, "consentExpiry is not after consentStart"),
        (
            {"FIDataRange": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}},
            "FIDataRange.to is not after FIDataRange.from",
        ),
        ({"FIDataRange": {"from": "2026-01-01T00:00:00Z"}}, "ConsentDetail.FIDataRange.to is missing"),
        ({"consentMode": SECRET}, "ConsentDetail.consentMode is not one of 'VIEW', 'STORE', 'QUERY' or 'STREAM'"),
        ({"fetchType": "TWICE"}, "ConsentDetail.fetchType is not one of 'ONETIME' or 'PERIODIC'"),
        ({"consentTypes": []}, "ConsentDetail.consentTypes is empty"),
        ({"fiTypes": []}, "ConsentDetail.fiTypes is empty"),
        ({"DataLife": {"unit": "WEEK", "value": 1}}, "ConsentDetail.DataLife.unit is not one of"),
        ({"DataLife": {"unit": "DAY", "value": -1}}, "ConsentDetail.DataLife.value is less than 0"),
        ({"DataLife": {"unit": "DAY", "value": 1.5}}, "ConsentDetail.DataLife.value is no whole number"),
        ({"Frequency": {"unit": "DAY", "value": SECRET}}, "ConsentDetail.Frequency.value is no whole number"),
        ({"Customer": {"id": ""}}, "ConsentDetail.Customer.id is empty"),
        ({"Customer": {"id": 7}}, "ConsentDetail.Customer.id is not text"),
        (
            {"DataFilter": [{"type": "TRANSACTIONAMOUNT", "operator": ">=", "value": "5"}]},
            "DataFilter limits what may be read, and no filter is kept to here",
        ),
    ],
)
def test_a_record_outside_the_schema_is_told_by_its_rule(changed: dict[str, Any], rule: str) -> None:
    found = rules(artefact(**changed))
    assert len(found) == 1
    assert found[0].startswith(rule)
    assert SECRET not in found[0]


def test_every_fault_of_a_record_is_told_once() -> None:
    record = artefact(consentMode="KEEP", fetchType=None, **{SECRET: 1, f"{SECRET}1": 1})
    assert rules(record) == (
        "ConsentDetail.consentMode is not one of 'VIEW', 'STORE', 'QUERY' or 'STREAM'",
        "ConsentDetail.fetchType is missing",
        "ConsentDetail holds a key that is not of the schema",
    )


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        (None, "is not a JSON object with each key once"),
        ({}, "consentId is missing"),
        (artefact(status="PENDING"), "status is not one of 'ACTIVE', 'PAUSED', 'REVOKED' or 'EXPIRED'"),
        (artefact() | {"signedConsent": SECRET}, "the record holds a key that is not of the schema"),
        (notice("REJECTED"), "ConsentStatusNotification.consentStatus is not one of"),
        (notice() | {"timestamp": None}, "timestamp is missing"),
        (notice() | {"ConsentDetail": artefact()["ConsentDetail"]}, "the record holds a key that is not of the schema"),
    ],
)
def test_a_record_that_is_neither_artefact_nor_notice_is_told_too(record: Any, rule: str) -> None:
    assert rules(record)[0].startswith(rule)


def test_no_part_of_a_record_can_be_printed() -> None:
    shown = repr(parse(artefact(customer=SECRET))) + str(parse(artefact(customer=SECRET)))
    assert SECRET not in shown
