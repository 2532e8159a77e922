"""A receipt has every field that ISO/IEC TS 27560 asks for, in terms that the Data Privacy Vocabulary has."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from features.columns import PURPOSES, Category
from features.tables import consents
from pipeline.ledger.receipt import read_house, receipts
from saakh.errors import ConfigError
from tests.ascii import rows

ROOT = Path(__file__).parents[3]
HOUSE = read_house(ROOT / "data/contracts/house.yaml")
AS_OF = datetime(2026, 6, 1)
LEDGER = """
| artefact_id | person_id | category | purpose | starts_at  | expires_at | revoked_at       | data_from  | data_to    | basis    | given_at   | purpose_code | fetch_type | frequency_times | frequency_unit | data_life_days |
| c2          | p         | apps     | train   | 2026-01-01 | 2026-05-01 | -                | 2025-01-01 | -          | explicit | -          | -            | -          | -               | -              | -              |
| c1          | p         | location | score   | 2026-01-01 | 2027-01-01 | 2026-03-01 10:30 | 2025-01-01 | 2026-07-01 | explicit | 2025-12-31 | ct001        | onetime    | 1               | month          | 30             |
| c1          | p         | airtime  | score   | 2026-01-01 | 2027-01-01 | 2026-03-01 10:30 | 2025-01-01 | 2026-07-01 | explicit | 2025-12-31 | ct001        | onetime    | 1               | month          | 30             |
| c1          | p         | airtime  | share   | 2026-01-01 | 2027-01-01 | 2026-03-01 10:30 | 2025-01-01 | 2026-07-01 | explicit | 2025-12-31 | ct001        | onetime    | 1               | month          | 30             |
"""  # noqa: E501 - one row a line
HELD = rows(consents, LEDGER).to_pylist()

# Terms of the vocabulary, version 2.0, checked by hand against its published lists.
DPV = """ConsentReceipt ConsentRecord DataSubject DataController ThirdParty Process Purpose Consent
ExplicitlyExpressedConsent ConsentGiven ConsentWithdrawn ConsentExpired ConsentNotice WithdrawConsent CreditChecking
CustomerSolvencyMonitoring ImproveExistingProductsAndServices ResearchAndDevelopment Collect Store Profiling
StorageLocation StorageDuration TemporalDuration UntilEventDuration UntilTimeDuration EndlessDuration Frequency
SingularFrequency hasRecordOfActivity hasDataSubject hasDataController hasJurisdiction hasLegalBasis hasProcess
hasPurpose hasPersonalData hasProcessing hasFrequency hasStorageCondition hasLocation hasDuration hasRecipient hasNotice
hasConsentControl isExercisedAt hasConsentStatus isIndicatedAtTime isIndicatedBy hasName hasAddress hasContact"""
PD = """BrowsingBehavior CommunicationsMetadata CreditRecord DeviceApplications DeviceBased Location Profile Purchase
ServiceConsumptionBehavior Transactional"""
REF = {"type": "object", "required": ["@id"], "properties": {"@id": {"type": "string"}}, "additionalProperties": False}
TIME = {"type": "object", "required": ["@type", "@value"], "properties": {"@type": {"const": "xsd:dateTime"}}}
ENTITY = {"type": "object", "required": ["dpv:hasName", "dpv:hasAddress", "dpv:hasContact"]}
PROCESS = {
    "type": "object",
    "required": [
        "@type",
        "dpv:hasPurpose",
        "dpv:hasPersonalData",
        "dpv:hasStorageCondition",
        "dpv:hasRecipient",
        "dpv:hasProcessing",
    ],
    "properties": {
        "dpv:hasPersonalData": {"type": "array", "minItems": 1},
        "dpv:hasStorageCondition": {"type": "array", "minItems": 2},
    },
}
EVENT = {
    "type": "object",
    "required": ["@type", "dpv:isIndicatedAtTime", "dpv:isIndicatedBy"],
    "properties": {"dpv:isIndicatedAtTime": TIME, "dpv:isIndicatedBy": REF},
}
RECORD = {
    "type": "object",
    "required": [
        "@id",
        "dct:identifier",
        "dct:conformsTo",
        "dpv:hasDataSubject",
        "dpv:hasDataController",
        "dpv:hasJurisdiction",
        "dpv:hasLegalBasis",
        "dpv:hasProcess",
        "dpv:hasNotice",
        "dpv:hasConsentControl",
        "dpv:hasConsentStatus",
    ],
    "properties": {
        "@type": {"const": "dpv:ConsentRecord"},
        "dpv:hasDataSubject": {"type": "object", "required": ["@id", "dct:identifier"]},
        "dpv:hasDataController": ENTITY,
        "dpv:hasNotice": {"type": "object", "required": ["@id", "dct:language"]},
        "dpv:hasConsentControl": {"type": "object", "required": ["@type", "dpv:isExercisedAt"]},
        "dpv:hasProcess": {"type": "array", "minItems": 1, "items": PROCESS},
        "dpv:hasConsentStatus": {"type": "array", "minItems": 1, "items": EVENT},
    },
}
RECEIPT = {
    "type": "object",
    "required": ["@id", "dct:identifier", "dct:conformsTo", "dct:created", "dpv:hasRecordOfActivity"],
    "properties": {
        "@type": {"const": "dpv:ConsentReceipt"},
        "dct:created": TIME,
        "dct:conformsTo": {"const": {"@id": "https://w3id.org/dpv/schema/dpv-27560#receipt"}},
        "dpv:hasRecordOfActivity": RECORD,
    },
}
DOCUMENT = {
    "type": "object",
    "required": ["@context", "@graph"],
    "properties": {"@graph": {"type": "array", "items": RECEIPT}},
}


def words(value: Any) -> Iterator[str]:
    """Every key, type and reference of a document."""
    if isinstance(value, list):
        for held in value:
            yield from words(held)
    if isinstance(value, dict):
        yield from value
        kinds = value.get("@type", [])
        yield from [kinds] if isinstance(kinds, str) else kinds
        yield from [value["@id"]] if "@id" in value else []
        yield from words(list(value.values()))


def record(position: int) -> dict[str, Any]:
    return receipts(HELD, HOUSE, AS_OF)["@graph"][position]["dpv:hasRecordOfActivity"]


def every_term() -> dict[str, Any]:
    """Receipts of artefacts that name every category and purpose."""
    held = [HELD[0] | {"category": c.value, "purpose": p} for c in Category for p in PURPOSES]
    return receipts([*HELD, *held], HOUSE.model_copy(update={"recipients": (HOUSE.controller,)}), AS_OF)


def test_receipts_have_the_fields_that_the_specification_makes_mandatory() -> None:
    for document in (receipts(HELD, HOUSE, AS_OF), every_term()):
        assert list(Draft202012Validator(DOCUMENT).iter_errors(json.loads(json.dumps(document)))) == []


def test_a_receipt_without_its_purpose_or_its_subject_is_not_of_the_schema() -> None:
    document = receipts(HELD, HOUSE, AS_OF)
    del document["@graph"][0]["dpv:hasRecordOfActivity"]["dpv:hasDataSubject"]
    del document["@graph"][1]["dpv:hasRecordOfActivity"]["dpv:hasProcess"][0]["dpv:hasPurpose"]
    assert len(list(Draft202012Validator(DOCUMENT).iter_errors(document))) == 2


def test_every_term_is_one_the_vocabularies_have_and_every_prefix_is_bound() -> None:
    document = every_term()
    context = document.pop("@context")
    used = {word for word in words(document) if ":" in word and not re.match("https://|mailto:", word)}
    assert {word.split(":")[0] for word in used} == set(context)
    assert {word.removeprefix("dpv:") for word in used if word.startswith("dpv:")} <= set(DPV.split())
    assert {word.removeprefix("pd:") for word in used if word.startswith("pd:")} == set(PD.split())


def test_an_artefact_is_one_receipt_and_equal_terms_are_one_process() -> None:
    document = receipts(HELD, HOUSE, AS_OF)
    assert [receipt["dct:identifier"] for receipt in document["@graph"]] == [
        "c1-20260601T000000Z",
        "c2-20260601T000000Z",
    ]
    told = [
        (process["dpv:hasPurpose"]["dct:title"], [data["dct:title"] for data in process["dpv:hasPersonalData"]])
        for process in record(0)["dpv:hasProcess"]
    ]
    assert told == [("score", ["airtime", "location"]), ("share", ["airtime"])]


def test_a_process_says_what_for_which_times_how_often_and_how_long_kept() -> None:
    process = record(0)["dpv:hasProcess"][0]
    assert process["dpv:hasPurpose"] == {
        "@type": "dpv:Purpose",
        "skos:broader": {"@id": "dpv:CreditChecking"},
        "dct:title": "score",
        "dct:description": "Scoring an application for a loan.",
        "dct:identifier": "ct001",
    }
    assert process["dct:temporal"] == {
        "@type": "dct:PeriodOfTime",
        "dcat:startDate": {"@type": "xsd:dateTime", "@value": "2025-01-01T00:00:00Z"},
        "dcat:endDate": {"@type": "xsd:dateTime", "@value": "2026-07-01T00:00:00Z"},
    }
    assert process["dpv:hasFrequency"] == {"@type": "dpv:SingularFrequency", "rdf:value": "1 in a month at most"}
    assert process["dpv:hasStorageCondition"][1]["dpv:hasDuration"] == {
        "@type": "dpv:TemporalDuration",
        "rdf:value": {"@type": "xsd:duration", "@value": "P30D"},
    }


def test_events_tell_given_withdrawn_and_expired_in_order_of_time() -> None:
    told = [
        (event["@type"][0], event["dpv:isIndicatedAtTime"]["@value"], event["dpv:isIndicatedBy"]["@id"])
        for position in (0, 1)
        for event in record(position)["dpv:hasConsentStatus"]
    ]
    assert told == [
        ("dpv:ConsentGiven", "2025-12-31T00:00:00Z", "dpv:DataSubject"),
        ("dpv:ConsentWithdrawn", "2026-03-01T10:30:00Z", "dpv:DataSubject"),
        ("dpv:ConsentGiven", "2026-01-01T00:00:00Z", "dpv:DataSubject"),
        ("dpv:ConsentExpired", "2026-05-01T00:00:00Z", "saakh:controller"),
    ]


def test_what_happens_after_as_of_is_not_told() -> None:
    document = receipts(HELD[1:3], HOUSE, datetime(2026, 2, 1))
    assert "dpv:ConsentWithdrawn" not in json.dumps(document)


def test_the_order_of_rows_leaves_no_trace() -> None:
    assert receipts(HELD[::-1], HOUSE, AS_OF) == receipts(HELD, HOUSE, AS_OF)


def test_consent_that_a_source_vouches_for_is_not_called_explicit() -> None:
    document = receipts([HELD[0] | {"basis": "asserted_by_source", "expires_at": None}], HOUSE, AS_OF)
    assert "Explicit" not in json.dumps(document)
    assert "dpv:EndlessDuration" in json.dumps(document)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"jurisdiction": "India"}, "'jurisdiction': String should match"),
        ({"storage": []}, "'storage': "),
        ({"notice": "http://lender.example"}, "'notice': String should match"),
        ({"owner": "x"}, "unknown key 'owner'"),
        ({"controller": {"name": "x"}}, "'controller.address': is missing"),
    ],
)
def test_a_house_says_what_is_wrong_with_it(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    stated = yaml.safe_load((ROOT / "data/contracts/house.yaml").read_text()) | changed
    (tmp_path / "house.yaml").write_text(yaml.safe_dump(stated))
    with pytest.raises(ConfigError) as caught:
        read_house(tmp_path / "house.yaml")
    assert said in str(caught.value)
