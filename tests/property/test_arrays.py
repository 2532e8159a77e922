"""Features measured in memory are those that the engine measures, to the byte, however the work is cut."""

import os

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.arrays import kernel, tables
from pipeline.engines import Engine
from tests.dealt_rows import needs_compiled
from tests.measuring import asked_of_the_engine
from tests.property.worlds import World, event, measured, with_events, worlds
from tests.spec import test_specs as specs

EXAMPLES = int(os.environ.get("SAAKH_EXAMPLES", "20"))
SLOW = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@st.composite
def crowded(draw: st.DrawFn) -> World:
    """A world in which some rows fall in the seconds of others."""
    world = draw(worlds())
    again = [
        draw(event(world.table)) | {name: row[name] for name in ("event_at", "available_at", "local_at")}
        for row in world.events
        if draw(st.booleans())
    ]
    return with_events(world, [*world.events, *again])


def same(one: tuple[pa.Table, pa.Table], other: tuple[pa.Table, pa.Table]) -> None:
    for here, there in zip(one, other, strict=True):
        assert here.equals(there), {c: (here[c], there[c]) for c in here.column_names if not here[c].equals(there[c])}


@SLOW
@given(world=crowded())
def test_matrix_and_coverage_are_those_that_the_engine_measures(
    engine: Engine, on_engine: Engine, world: World
) -> None:
    same(measured(engine, world), measured(on_engine, world))


@SLOW
@given(world=crowded(), data=st.data())
def test_neither_chunks_nor_threads_nor_the_order_of_rows_show(
    engine: Engine, world: World, data: st.DataObject
) -> None:
    shuffled = with_events(world, list(data.draw(st.permutations(world.events))))
    with pytest.MonkeyPatch.context() as patch:
        expected = measured(engine, world)
        patch.setattr(engine, "threads", data.draw(st.sampled_from([1, 3])))
        patch.setattr(tables, "CHUNK", data.draw(st.sampled_from([1, 7])))
        same(measured(engine, shuffled), expected)


@needs_compiled
@SLOW
@given(world=crowded())
def test_without_compiled_code_there_are_the_same_bytes(engine: Engine, world: World) -> None:
    with pytest.MonkeyPatch.context() as patch:
        expected = measured(engine, world)
        patch.setattr(kernel, "IS_THERE", False)
        same(measured(engine, world), expected)


@pytest.mark.parametrize("is_compiled", [pytest.param(True, marks=needs_compiled), False])
def test_worked_examples_of_all_but_declarations_are_measured_in_memory(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, is_compiled: bool
) -> None:
    asked = asked_of_the_engine(monkeypatch)
    monkeypatch.setattr(kernel, "IS_THERE", is_compiled)
    found = specs.measured(engine)
    wrong = [e.name for row, e in zip(found, specs.EXAMPLES, strict=True) if specs.wrong(row, e)]
    assert (asked, wrong) == (["people"], [])
