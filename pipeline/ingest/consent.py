"""Consent rows for a source that vouches for its people's consent instead of handing over the artefacts."""

from datetime import datetime
from itertools import product

import pyarrow as pa

from features.tables import BY_NAME
from pipeline.canonical import schema
from pipeline.ingest.clocks import micros
from pipeline.ingest.mapping import Consent
from pipeline.pseudonyms import Pseudonyms


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
