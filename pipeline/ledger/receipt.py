"""Consent receipts: what a person agreed to, as a document they can keep and a program can read.

ISO/IEC TS 27560:2023 says which fields a consent record and its receipt have; the terms are those of the Data Privacy
Vocabulary 2 (W3C community group), by its guide to that specification (w3id.org/dpv/guides/consent-27560), in JSON-LD.
A receipt is dated by the run's `as_of` and names people and artefacts by pseudonym, so the same ledger gives the same
bytes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from features.columns import Category
from pipeline.sections import Section
from pipeline.yamls import problems, read_yaml
from saakh.errors import ConfigError

Row = Mapping[str, Any]
Json = dict[str, Any]

CONTEXT: Json = {
    "dct": "http://purl.org/dc/terms/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dpv": "https://w3id.org/dpv#",
    "loc": "https://w3id.org/dpv/loc#",
    "pd": "https://w3id.org/dpv/pd#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "saakh": "urn:saakh:",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
SCHEMA = "https://w3id.org/dpv/schema/dpv-27560#"
PURPOSES = {
    "score": ("dpv:CreditChecking", "Scoring an application for a loan."),
    "train": ("dpv:ImproveExistingProductsAndServices", "Learning, from how loans went, how to score others."),
    "monitor": ("dpv:CustomerSolvencyMonitoring", "Watching a loan after it was paid out."),
    "share": ("dpv:Purpose", "Handing scores or data to somebody else."),
    "research": ("dpv:ResearchAndDevelopment", "Research that decides about nobody."),
}
PERSONAL_DATA = {
    Category.CREDIT: ("pd:CreditRecord", "Applications for loans and their repayment."),
    Category.PROFILE: ("pd:Profile", "What was declared: education, occupation, income, household."),
    Category.DEVICE: ("pd:DeviceBased", "Handsets, SIM cards and numbers used, under pseudonyms."),
    Category.COMMUNICATION: (
        "pd:CommunicationsMetadata",
        "Calls and messages, by time, length and pseudonym; never their content.",
    ),
    Category.APPS: ("pd:DeviceApplications", "Kinds of apps used, installed and removed."),
    Category.BROWSING: ("pd:BrowsingBehavior", "Kinds of sites visited."),
    Category.LOCATION: ("pd:Location", "Places, coarsened to cells that are not on any map."),
    Category.AIRTIME: ("pd:ServiceConsumptionBehavior", "Airtime bought and mobile data used."),
    Category.PAYMENTS: ("pd:Transactional", "Mobile payments."),
    Category.BRAND: ("pd:Purchase", "Dealings with the maker of the handset."),
}
FREQUENCY = {"onetime": "dpv:SingularFrequency", "periodic": "dpv:Frequency"}

Text = Annotated[str, Field(min_length=1)]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$")]
Address = Annotated[str, Field(pattern="^(https://|mailto:)[^ ]+$")]


class Entity(Section):
    """A company: its name, where it sits, and how it is reached."""

    name: Text
    address: Text
    contact: Address


class House(Section):
    """What every receipt says of the house that asked for consent: who it is, where data lie, how to withdraw."""

    controller: Entity
    jurisdiction: Country
    storage: tuple[Country, ...] = Field(min_length=1)
    notice: Address
    language: str = Field(pattern="^[a-z]{2}$")
    withdrawal: Address
    recipients: tuple[Entity, ...] = ()


def read_house(path: Path) -> House:
    """The house in a YAML file; every fault is named by its key."""
    try:
        return House.model_validate(read_yaml(path))
    except ValidationError as error:
        raise ConfigError(f"{path}: {problems(error)}") from None


def receipts(consents: Sequence[Row], house: House, as_of: datetime) -> Json:
    """One person's receipts, one an artefact, as one JSON-LD document.

    consents: rows of the canonical table, in any order. as_of: the moment the receipts are dated by, UTC.
    """
    ordered = sorted(consents, key=_key)
    artefacts = groupby(ordered, key=lambda row: str(row["artefact_id"]))
    return {"@context": CONTEXT, "@graph": [_receipt(list(rows), house, as_of) for _, rows in artefacts]}


def _receipt(rows: Sequence[Row], house: House, as_of: datetime) -> Json:
    name = f"{rows[0]['artefact_id']}-{as_of:%Y%m%dT%H%M%SZ}"
    return {
        "@id": f"saakh:receipt:{name}",
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": name,
        "dct:conformsTo": {"@id": f"{SCHEMA}receipt"},
        "dct:created": _time(as_of),
        "dct:publisher": {"@id": "saakh:controller"},
        "dct:audience": {"@id": "dpv:DataSubject"},
        "dpv:hasRecordOfActivity": _record(rows, house, as_of),
    }


def _record(rows: Sequence[Row], house: House, as_of: datetime) -> Json:
    artefact, person = rows[0]["artefact_id"], rows[0]["person_id"]
    is_signed = rows[0]["basis"] == "explicit"
    controller = {"@id": "saakh:controller", "@type": "dpv:DataController", **_entity(house.controller)}
    subject = {"@id": f"saakh:person:{person}", "@type": "dpv:DataSubject", "dct:identifier": person}
    return {
        "@id": f"saakh:consent:{artefact}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": artefact,
        "dct:conformsTo": {"@id": f"{SCHEMA}record"},
        "dpv:hasDataSubject": subject,
        "dpv:hasDataController": controller,
        "dpv:hasJurisdiction": {"@id": f"loc:{house.jurisdiction}"},
        "dpv:hasLegalBasis": {"@id": "dpv:ExplicitlyExpressedConsent" if is_signed else "dpv:Consent"},
        "dpv:hasProcess": [_process(list(same), house) for _, same in groupby(rows, key=_terms)],
        "dpv:hasNotice": {"@id": house.notice, "@type": "dpv:ConsentNotice", "dct:language": house.language},
        "dpv:hasConsentControl": {"@type": "dpv:WithdrawConsent", "dpv:isExercisedAt": {"@id": house.withdrawal}},
        "dpv:hasConsentStatus": _events(rows, is_signed, as_of),
    }


def _process(rows: Sequence[Row], house: House) -> Json:
    """What may be done with which data: the categories agreed to on the same terms for the same purpose."""
    row = rows[0]
    recipients = [{"@type": "dpv:ThirdParty", **_entity(party)} for party in house.recipients]
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": _purpose(row),
        "dpv:hasPersonalData": [_personal_data(Category(r["category"])) for r in rows],
        "dct:temporal": {"@type": "dct:PeriodOfTime", **_range(row)},
        "dpv:hasProcessing": [{"@id": "dpv:Collect"}, {"@id": "dpv:Store"}, {"@id": "dpv:Profiling"}],
        **({"dpv:hasFrequency": _frequency(row)} if row["fetch_type"] else {}),
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": [{"@id": f"loc:{c}"} for c in house.storage]},
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": _life(row["data_life_days"])},
        ],
        "dpv:hasRecipient": [{"@id": "saakh:controller"}, *recipients],
    }


def _purpose(row: Row) -> Json:
    broader, said = PURPOSES[row["purpose"]]
    code = {"dct:identifier": row["purpose_code"]} if row["purpose_code"] else {}
    return {
        "@type": "dpv:Purpose",
        "skos:broader": {"@id": broader},
        "dct:title": row["purpose"],
        "dct:description": said,
    } | code


def _personal_data(category: Category) -> Json:
    kind, said = PERSONAL_DATA[category]
    return {"@type": kind, "dct:title": category.value, "dct:description": said}


def _range(row: Row) -> Json:
    """The times of the events agreed to; a bound that is not there does not bound."""
    bounds = {"dcat:startDate": row["data_from"], "dcat:endDate": row["data_to"]}
    return {name: _time(at) for name, at in bounds.items() if at is not None}


def _frequency(row: Row) -> Json:
    times, unit = row["frequency_times"], row["frequency_unit"]
    bounded = times is not None and unit not in (None, "inf")
    return {"@type": FREQUENCY[row["fetch_type"]]} | ({"rdf:value": f"{times} in a {unit} at most"} if bounded else {})


def _life(days: int | None) -> Json:
    if days is None:
        return {"@type": "dpv:UntilEventDuration", "rdf:value": "withdrawal of consent, or erasure"}
    return {"@type": "dpv:TemporalDuration", "rdf:value": {"@type": "xsd:duration", "@value": f"P{days}D"}}


def _events(rows: Sequence[Row], is_signed: bool, as_of: datetime) -> list[Json]:
    """What became of the consent: given, then withdrawn or expired by `as_of`; in order of time."""
    kind = "dpv:ExplicitlyExpressedConsent" if is_signed else "dpv:Consent"
    given = {(row["given_at"] or row["starts_at"], row["expires_at"]) for row in rows}
    withdrawn = {row["revoked_at"] for row in rows if row["revoked_at"] is not None and row["revoked_at"] <= as_of}
    expired = {row["expires_at"] for row in rows if row["expires_at"] is not None and row["expires_at"] <= as_of}
    told = [(at, _event(["dpv:ConsentGiven", kind], at, "dpv:DataSubject") | _until(end)) for at, end in given]
    told += [(at, _event(["dpv:ConsentWithdrawn"], at, "dpv:DataSubject")) for at in withdrawn]
    told += [(at, _event(["dpv:ConsentExpired"], at, "saakh:controller")) for at in expired]
    return [event for _, event in sorted(told, key=lambda pair: (pair[0], str(pair[1])))]


def _event(kinds: list[str], at: datetime, by: str) -> Json:
    return {"@type": kinds, "dpv:isIndicatedAtTime": _time(at), "dpv:isIndicatedBy": {"@id": by}}


def _until(end: datetime | None) -> Json:
    duration = {"@type": "dpv:EndlessDuration"}
    return {"dpv:hasDuration": duration if end is None else {"@type": "dpv:UntilTimeDuration", "rdf:value": _time(end)}}


def _entity(party: Entity) -> Json:
    return {"dpv:hasName": party.name, "dpv:hasAddress": party.address, "dpv:hasContact": party.contact}


def _time(at: datetime) -> Json:
    return {"@type": "xsd:dateTime", "@value": f"{at.replace(tzinfo=None).isoformat()}Z"}


def _terms(row: Row) -> tuple[str, ...]:
    """All that rows of one artefact may differ in but the category, so that equal terms stand together."""
    return tuple(str(row[name]) for name in ("purpose", *sorted(row.keys() - {"purpose", "category"})))


def _key(row: Row) -> tuple[str, ...]:
    return str(row["artefact_id"]), *_terms(row), str(row["category"])
