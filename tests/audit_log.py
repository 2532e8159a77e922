"""Records for tests of the audit log: one of every kind, and as many as asked, from a seed."""

import random
from collections.abc import Callable

from pipeline.audit import records
from pipeline.audit.records import Entry, entry

ASKED = {"as_of": "2026-06-01T00:00:00Z", "purpose": "train", "policies": {"explicit-consent": "c" * 64}}


def digest(draw: random.Random) -> str:
    return f"{draw.getrandbits(256):064x}"


def stage(draw: random.Random) -> Entry:
    name = draw.choice(["ingest", "check", "cohort", "label", "derive", "train", "evaluate", "explain", "export"])
    return entry(
        records.Stage,
        **ASKED,
        stage=name,
        version="0.1.0",
        params=digest(draw),
        inputs={before: digest(draw) for before in ("ingest", "cohort")},
        outputs={file: digest(draw) for file in (f"{name}.json", "features.parquet", "scorecard-0.1.0.saakh")},
        tree=digest(draw),
        rows_in=draw.randrange(10**6),
        rows_out=draw.randrange(10**6),
        counts={"kept": draw.randrange(10**6), "no consent to train": draw.randrange(10**3)},
    )


def consent(draw: random.Random) -> Entry:
    opened = {"communication": draw.randrange(10**4), "credit": 10**4, "location": draw.randrange(10**4)}
    return entry(records.Consent, **ASKED, applications=10**4, opened=opened, artefacts=opened)


def export(draw: random.Random) -> Entry:
    return entry(records.Export, **ASKED, file="scorecard-0.1.0.saakh", artefact=digest(draw))


def share(draw: random.Random) -> Entry:
    to, why = draw.choice(["credit-bureau", "bank-of-x2"]), draw.choice(records.WHYS)
    given = {"what": "scores", "artefact": digest(draw), "rows": draw.randrange(10**4)}
    return entry(records.Share, **ASKED | {"purpose": "share"}, recipient=to, why=why, **given)


def erasure(draw: random.Random) -> Entry:
    removed = {"calls": draw.randrange(10**4), "payments": draw.randrange(10**4)}
    rebuilt, sealed = ("derive", "train"), draw.choice([None, "2027-06-01"])
    said = {"why": "withdrawal", "people": 1, "removed": removed, "replaced": 3, "receipt": digest(draw)}
    return entry(records.Erasure, **ASKED, **said, rebuilt=rebuilt, sealed_until=sealed)


def retention(draw: random.Random) -> Entry:
    return entry(records.Retention, **ASKED, destroyed=draw.randrange(9), kept=draw.randrange(9), receipt=digest(draw))


def run(draw: random.Random) -> Entry:
    failed, error = draw.choice([(None, None), ("train", "EmptyInputError")])
    return entry(records.Run, **ASKED, stages=("derive", "train"), failed=failed, error=error)


def signing(draw: random.Random) -> Entry:
    return entry(records.Signing, **ASKED, before=digest(draw), artefact=digest(draw), key=digest(draw))


def scoring(draw: random.Random) -> Entry:
    on = {"features": digest(draw), "scores": digest(draw), "rows": draw.randrange(10**4)}
    by = {"scorecard": "0.1.0", "artefact": digest(draw), "is_verified": draw.random() < 0.5}
    return entry(records.Scoring, **ASKED | {"purpose": "score"}, **by, **on)


def release(draw: random.Random) -> Entry:
    said = {"act": draw.choice(["release", "rollback"]), "scorecard": "0.1.0", "artefact": digest(draw)}
    former = draw.choice([None, digest(draw)])
    return entry(records.Release, **ASKED, **said, former=former, approver="asha.rao", record=digest(draw))


def retire(draw: random.Random) -> Entry:
    data, until = draw.choice([("destroyed", None), ("sealed", "2036-06-01")])
    said = {"scorecard": "0.1.0", "artefact": digest(draw), "why": draw.choice(records.RETIREMENTS), "data": data}
    return entry(records.Retire, **ASKED, **said, sealed_until=until, recipients=2, record=digest(draw))


KINDS: tuple[Callable[[random.Random], Entry], ...] = (
    *(stage, consent, export, share, erasure, retention, run),
    *(signing, scoring, release, retire),
)


def entries(count: int, seed: int = 7) -> list[Entry]:
    """So many records' contents, every kind in turn."""
    draw = random.Random(seed)
    return [KINDS[i % len(KINDS)](draw) for i in range(count)]
