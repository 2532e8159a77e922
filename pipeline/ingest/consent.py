"""Consent rows that no source hands over as rows: of a ledger of artefacts, or of a source that vouches for consent."""

from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa

from features.tables import BY_NAME
from pipeline.canonical import schema
from pipeline.ingest.clocks import micros
from pipeline.ingest.files import find
from pipeline.ingest.mapping import Consent
from pipeline.ingest.mapping_ledger import Ledger
from pipeline.ingest.rows import Bounds
from pipeline.ledger.read import read_ledger, rows
from pipeline.pseudonyms import Pseudonyms
from pipeline.workspace import digest


def from_ledger(
    ledger: Ledger | None, folder: Path, limits: Bounds, pseudonyms: Pseudonyms
) -> tuple[pa.Table | None, dict[str, Any]]:
    """The rows of a ledger and its account: files with their digests, and how many records came to what."""
    if ledger is None:
        return None, {}
    files = {path.relative_to(folder).as_posix(): path for path in find(folder, ledger.files)}
    read = read_ledger(files, ledger.words, limits.earliest, limits.latest)
    named = [{"file": name, "sha256": digest(path)} for name, path in files.items()]
    return rows(read.artefacts, pseudonyms), {"ledger": {"files": named, **read.counts}}


def asserted(people: list[str], consent: Consent, starts: datetime, pseudonyms: Pseudonyms) -> pa.Table:
    """One row per person, category and purpose, basis `asserted_by_source`, in force from `starts` without an end.

    people: pseudonyms, each once; the result is in the order of the table's key.
    """
    artefacts = sorted((pseudonyms.one("artefact", person), person) for person in people)
    scopes = sorted(product((c.value for c in set(consent.categories)), set(consent.purposes)))
    artefact, person, category, purpose = (
        pa.array([artefact for artefact, _ in artefacts for _ in scopes], pa.string()),
        pa.array([person for _, person in artefacts for _ in scopes], pa.string()),
        pa.array([category for category, _ in scopes] * len(artefacts), pa.string()),
        pa.array([purpose for _, purpose in scopes] * len(artefacts), pa.string()),
    )
    count = len(artefact)
    stated = {
        "artefact_id": artefact,
        "person_id": person,
        "category": category,
        "purpose": purpose,
        "starts_at": pa.repeat(pa.scalar(micros(starts)), count).cast(pa.timestamp("us")),
        "basis": pa.repeat(pa.scalar(consent.basis), count),
    }
    fields = schema(BY_NAME["consents"])
    return pa.table([stated.get(f.name, pa.nulls(count, f.type)) for f in fields], fields)
