"""Whatever is declared, rows in memory say what the engine says of them, to the byte, or are left to the engine."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, event, given, note, settings

from features.columns import Table
from features.tables import BY_NAME, consents
from features.windows import CALENDAR
from pipeline import derive
from pipeline.arrays.tables import in_arrays
from pipeline.canonical import schema
from pipeline.engines import Engine
from saakh.errors import SaakhError
from tests.measuring import asked_of_the_engine
from tests.property.declarations import Drawn, drawn
from tests.property.worlds import COHORT, PEOPLE

EXAMPLES = int(os.environ.get("SAAKH_EXAMPLES", "40"))
SLOW = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
SHARE = 0.75
"""Of the examples, those at least that must be measured in memory."""

Outcome = Mapping[str, Any] | type[SaakhError]


def outcome(engine: Engine, declared: Drawn) -> Outcome:
    """What the stage gives, features by their bits; or the kind of error that stopped it."""
    tables = {name: engine.table(_held(BY_NAME[name], rows), name) for name, rows in declared.events.items()}
    agreed = engine.table(_agreed(declared.table), "consents")
    try:
        derived = derive.measure(engine, COHORT, derive.Question(agreed, tables, declared.features, "score"))
    except SaakhError as error:
        note(f"{error}")
        return type(error)
    columns = derived.matrix.drop(["application_id"])
    bits = {name: [v if v is None else v.hex() for v in columns[name].to_pylist()] for name in columns.column_names}
    return bits | {"coverage": derived.coverage.to_pylist(), "too_late": dict(derived.too_late)}


def _held(table: Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema(table))


def _agreed(table: Table) -> pa.Table:
    said = {
        "category": table.category.value,
        "purpose": "score",
        "starts_at": datetime(2025, 1, 1),
        "basis": "explicit",
    }
    return _held(consents, [{"artefact_id": who, "person_id": who} | said for who in PEOPLE])


def fit(declared: Drawn) -> Drawn:
    """Those of the features that arrays say they can measure, if there are any; else all."""
    some = [f for f in declared.features if in_arrays(declared.table, (f,), CALENDAR) is not None]
    return replace(declared, features=tuple(some) or declared.features)


def differing(one: Outcome, other: Outcome) -> dict[str, Any]:
    """What tells two outcomes apart."""
    if isinstance(one, type) or isinstance(other, type):
        return {} if one is other else {"stopped": (one, other)}
    return {name: (one[name], other[name]) for name in one if one[name] != other[name]}


def test_drawn_declarations_are_measured_in_memory_as_on_the_engine(
    engine: Engine, on_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, where = asked_of_the_engine(monkeypatch), Counter[str]()

    @SLOW
    @given(declared=drawn())
    def holds(declared: Drawn) -> None:
        some = fit(declared)
        asked.clear()
        found = outcome(engine, some)
        told = "on the engine" if asked else "in memory"
        where[told] += 1
        event(told)
        assert asked or in_arrays(some.table, some.features, CALENDAR) is not None
        assert differing(found, outcome(on_engine, some)) == {}

    holds()
    assert where["in memory"] >= SHARE * where.total()


def test_one_unfit_feature_leaves_its_table_to_the_engine() -> None:
    """Said of drawn declarations: what arrays refuse alone, they refuse among others."""

    @SLOW
    @given(declared=drawn())
    def holds(declared: Drawn) -> None:
        alone = [in_arrays(declared.table, (f,), CALENDAR) is None for f in declared.features]
        assert (in_arrays(declared.table, declared.features, CALENDAR) is None) == any(alone)

    holds()
