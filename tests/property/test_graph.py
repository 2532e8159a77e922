"""The promises of the social graph: consent is non-interference, the future and one's own default are invisible."""

import os
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from features.graph import SPECS
from pipeline import asof, gate
from pipeline.engines import Embedded, Engine
from pipeline.graph.society import Society
from tests.property.graphs import (
    ASKED,
    Row,
    World,
    is_covered,
    is_past,
    loan,
    measured,
    row,
    societies,
    with_rows,
    worlds,
)

EXAMPLES = max(int(os.environ.get("SAAKH_EXAMPLES", "40")) // 5, 1)
SLOW = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
Hidden = Callable[[World, str, Row], bool]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    held = Embedded(threads=1, memory_gb=1)
    yield held
    held.close()


@st.composite
def pairs(draw: st.DrawFn, hidden: Hidden) -> tuple[World, World]:
    """A world, and the same with its hidden rows deleted and others put in."""
    world = draw(worlds())
    kept = [(name, told) for name, told in world.rows if not hidden(world, name, told)]
    others = [
        (name, told) for name, told in draw(st.lists(row(), min_size=8, max_size=20)) if hidden(world, name, told)
    ]
    return world, with_rows(world, kept + others)


def same(engine: Engine, pair: tuple[World, World]) -> None:
    before, after = (measured(engine, world) for world in pair)
    assert before.equals(after)


def uncovered(world: World, name: str, told: Row) -> bool:
    return not is_covered(world, name, told)


def future(_: World, name: str, told: Row) -> bool:
    return not is_past(name, told)


@SLOW
@given(pair=pairs(uncovered))
def test_rows_without_their_owners_consent_change_no_byte(engine: Engine, pair: tuple[World, World]) -> None:
    same(engine, pair)


@SLOW
@given(pair=pairs(future))
def test_what_was_not_known_in_time_changes_no_byte(engine: Engine, pair: tuple[World, World]) -> None:
    same(engine, pair)


def without_own(world: World) -> list[tuple[str, Row]]:
    """The rows but for the loans of p1."""
    return [(name, told) for name, told in world.rows if name != "repayments" or told["person_id"] != "p1"]


@SLOW
@given(world=societies(), others=st.lists(loan(), max_size=3))
def test_ones_own_loans_change_no_byte_of_ones_own_features(
    engine: Engine, world: World, others: list[tuple[str, Row]]
) -> None:
    other_loans = [(name, told | {"person_id": "p1"}) for name, told in others]
    changed = with_rows(world, without_own(world) + other_loans)
    assert measured(engine, world, ("a1", "a3")).equals(measured(engine, changed, ("a1", "a3")))


@SLOW
@given(world=worlds(), data=st.data())
def test_the_order_of_rows_and_who_else_is_asked_about_change_no_byte(
    engine: Engine, world: World, data: st.DataObject
) -> None:
    shuffled = with_rows(world, list(data.draw(st.permutations(world.rows))))
    together = measured(engine, world)
    assert together.equals(measured(engine, shuffled))
    assert together.slice(1, 1).equals(measured(engine, world, ("a2",)))


@SLOW
@given(world=societies())
def test_every_value_is_possible_by_its_declared_unit(engine: Engine, world: World) -> None:
    found = measured(engine, world)
    assert found["application_id"].to_pylist() == [application for application, *_ in ASKED]
    for spec in SPECS:
        for value in found[spec.name].drop_null().to_pylist():
            assert 0 <= value < float("inf")
            assert spec.high is None or value <= spec.high, spec.name


def everything(row: object, *_: object) -> object:
    return row.person_id.notnull()


def all_seeds(people: Society, _: int = -1) -> np.ndarray | None:
    reset = people.default.astype(float)
    return np.array(people.graph.personalized_pagerank(reset=reset.tolist())) if reset.any() else None


@pytest.mark.parametrize(
    ("module", "guard", "hidden"),
    [(gate, "in_force", uncovered), (asof, "covered", uncovered), (asof, "before_snapshot", future)],
)
def test_without_its_guard_the_promise_is_seen_to_break(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, module: object, guard: str, hidden: Hidden
) -> None:
    monkeypatch.setattr(module, guard, everything)

    @settings(SLOW, max_examples=max(EXAMPLES, 100), phases=[Phase.generate], report_multiple_bugs=False)
    @given(pair=pairs(hidden))
    def promise(pair: tuple[World, World]) -> None:
        same(engine, pair)

    with pytest.raises(AssertionError):
        promise()


def test_with_ones_own_seed_the_promise_is_seen_to_break(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Society, "rank", all_seeds)

    @settings(SLOW, phases=[Phase.generate], report_multiple_bugs=False)
    @given(world=societies(), own=loan())
    def promise(world: World, own: tuple[str, Row]) -> None:
        unpaid = own[1] | {"person_id": "p1", "paid_at": None}
        changed = with_rows(world, [*without_own(world), ("repayments", unpaid)])
        assert measured(engine, world, ("a1",)).equals(measured(engine, changed, ("a1",)))

    with pytest.raises(AssertionError):
        promise()
