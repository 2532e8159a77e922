"""A few applications measured twice: in memory where that can be done, and on the engine alone."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from features.columns import Table
from features.declare import Feature
from features.tables import BY_NAME, consents
from pipeline import derive
from pipeline.canonical import schema
from pipeline.engines import Engine
from pipeline.measure import OnEngine, Shown
from tests.ascii import rows

Declared = Callable[..., Feature]
SNAPSHOT = datetime(2026, 3, 1, 12)
WHO = {"a1": ("p", SNAPSHOT), "a2": ("p", datetime(2026, 2, 1)), "a3": ("q", SNAPSHOT), "a4": ("r", SNAPSHOT)}
"""Two applications of one person, one of a person who does nothing, one of a person who consents to nothing."""
CALLS = """
| person_id | event_at                   | contact_id | direction | duration_s | is_answered |
| p         | 2026-01-05 09:00           | c1         | out       | 60         | yes         |
| p         | 2026-01-20 10:00           | c2         | in        | 0          | no          |
| p         | 2026-02-20 10:00           | c1         | out       | 100        | yes         |
| p         | 2026-02-20 10:00           | c2         | out       | 90         | yes         |
| p         | 2026-02-20 10:00:00.700000 | c1         | in        | 5          | yes         |
| p         | 2026-02-27 23:30           | c1         | out       | 600        | yes         |
| p         | 2026-03-01 12:00           | c3         | out       | 9          | yes         |
| r         | 2026-02-27 23:30           | c1         | out       | 600        | yes         |
"""
MESSAGES = """
| person_id | event_at         | contact_id | direction | sender_class |
| p         | 2026-01-05 09:30 | c1         | in        | person       |
| p         | 2026-02-20 10:00 | c3         | out       | person       |
| p         | 2026-02-28 10:00 | c1         | in        | bank         |
"""
PAYMENTS = """
| person_id | event_at         | direction | payment_type | amount_minor | balance_minor | counterparty_id | status |
| p         | 2026-01-25 10:00 | out       | p2p          | 400          | 500           | x               | done   |
| p         | 2026-01-26 10:00 | out       | merchant     | 300          | -             | x               | done   |
| p         | 2026-02-02 10:00 | in        | p2p          | 400          | 500           | y               | done   |
| p         | 2026-02-03 10:00 | out       | p2p          | 100          | -             | y               | done   |
| p         | 2026-02-09 10:00 | out       | dth          | 700          | -             | z               | failed |
| p         | 2026-02-10 10:00 | out       | dth          | 700          | 20            | w               | done   |
"""
LOCATIONS = """
| person_id | event_at         | cell_id | east_m | north_m |
| p         | 2026-02-20 10:00 | e       | 0      | 10      |
| p         | 2026-02-20 10:00 | d       | 0      | 20      |
| p         | 2026-02-20 10:00 | c       | 0      | 30      |
| p         | 2026-02-20 10:00 | b       | 0      | 40      |
| p         | 2026-02-20 10:00 | a       | 0      | 50      |
| p         | 2026-02-21 22:00 | a       | 0      | 50      |
| p         | 2026-02-28 10:00 | b       | -500   | 40      |
"""
ALL = {"calls": CALLS, "messages": MESSAGES, "payments": PAYMENTS, "locations": LOCATIONS}


def measured(engine: Engine, features: Sequence[Feature], watch: Any = None, **events: str) -> derive.Derived:
    """The stage over `WHO` and drawn events, by the name of their table."""
    moments = [pa.array(m, pa.timestamp("us")) for m in ([at for _, at in WHO.values()], [SNAPSHOT] * len(WHO))]
    cohort = pa.table([list(WHO), [who for who, _ in WHO.values()], *moments], names=derive.COHORT)
    tables = {name: engine.table(rows(BY_NAME[name], drawn), name) for name, drawn in events.items()}
    question = derive.Question(engine.table(agreed(), "consents"), tables, tuple(features), "score")
    return derive.measure(engine, cohort, question, watch=watch)


def agreed() -> pa.Table:
    """What p and q consent to: everything."""
    said = {"purpose": "score", "starts_at": datetime(2025, 1, 1), "basis": "explicit"}
    categories = sorted({table.category.value for table in BY_NAME.values()})
    given = [{"artefact_id": who, "person_id": who, "category": c} | said for who in "pq" for c in categories]
    return pa.Table.from_pylist(given, schema=schema(consents))


def same(one: derive.Derived, other: derive.Derived) -> None:
    """Nothing tells them apart; else the columns that do."""
    for here, there in ((one.matrix, other.matrix), (one.coverage, other.coverage)):
        assert here.equals(there), {c: (here[c], there[c]) for c in here.column_names if not here[c].equals(there[c])}
    assert one.too_late == other.too_late


def asked_of_the_engine(patch: pytest.MonkeyPatch) -> list[str]:
    """The tables that an engine whose rows are near is asked to measure from now on."""
    asked: list[str] = []

    class Asked(OnEngine):
        def shown(self, table: Table, features: tuple[Feature, ...]) -> Shown:
            asked.extend([table.name] if self.engine.is_near else [])
            return super().shown(table, features)

    patch.setattr(derive, "OnEngine", Asked)
    return asked


def row(derived: derive.Derived, application: str = "a1") -> dict[str, Any]:
    """The features of an application."""
    return next(r for r in derived.matrix.to_pylist() if r["application_id"] == application)
