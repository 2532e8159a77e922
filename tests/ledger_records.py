"""Records of a consent ledger as an account aggregator gives them, one artefact unless said otherwise."""

import json
from datetime import UTC, datetime
from typing import Any

from pipeline.ledger.read import Heard, Ledger
from pipeline.ledger.terms import Vocabulary

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)


def artefact(name: str = "C-1", status: str = "ACTIVE", customer: str = "u1", **detail: Any) -> dict[str, Any]:
    """An artefact record; keys of its ConsentDetail are changed by name, and taken out by None."""
    stated = {
        "consentStart": "2026-01-01T00:00:00Z",
        "consentExpiry": "2027-01-01T00:00:00Z",
        "consentMode": "STORE",
        "fetchType": "PERIODIC",
        "consentTypes": ["PROFILE", "SUMMARY", "TRANSACTIONS"],
        "fiTypes": ["airtime", "location"],
        "DataConsumer": {"id": "LENDER-1", "type": "FIU"},
        "Customer": {"id": customer, "Identifiers": [{"type": "MOBILE", "value": f"+91-{customer}"}]},
        "Purpose": {"code": "score", "refUri": "https://lender.example/purpose", "text": "A loan"},
        "FIDataRange": {"from": "2025-01-01T00:00:00Z", "to": "2026-07-01T00:00:00Z"},
        "DataLife": {"unit": "MONTH", "value": 1},
        "Frequency": {"unit": "DAY", "value": 2},
    }
    record = {"ver": "2.0.0", "consentId": name, "status": status, "createTimestamp": "2025-12-31T23:00:00Z"}
    return record | {"ConsentDetail": {key: value for key, value in (stated | detail).items() if value is not None}}


def notice(status: str = "REVOKED", at: str = "2026-03-01T00:00:00Z", name: str = "C-1") -> dict[str, Any]:
    """A consent status notification."""
    said = {"consentId": name, "consentHandle": "h", "consentStatus": status}
    return {"ver": "2.0.0", "timestamp": at, "Notifier": {"type": "AA", "id": "aa"}, "ConsentStatusNotification": said}


def lines(*records: Any) -> str:
    """Records as JSON Lines."""
    return "".join(json.dumps(record) + "\n" for record in records)


def heard(*records: Any, words: Vocabulary | None = None) -> Ledger:
    """The ledger of these records; a malformed one fails the test."""
    listening = Heard(words or Vocabulary(), EARLIEST, LATEST)
    for line, record in enumerate(records, start=1):
        listening.add(("ledger.jsonl", line), record)
    assert listening.faults == []
    return listening.ledger()
