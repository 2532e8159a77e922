"""Most figures of the realism table, on a population small enough for every test run."""

from datetime import UTC, datetime

import numpy as np
import pytest

from pipeline.world.clock import Span
from pipeline.world.knobs import BASE
from pipeline.world.part import Part, drawn
from pipeline.world.realism import FACTS
from pipeline.world.yardsticks import Population


@pytest.fixture(scope="module")
def population() -> Population:
    return Population(drawn(Part(0, 1, 500, 1, BASE, Span.of(datetime(2026, 6, 1, tzinfo=UTC), 480, 150))))


def test_at_least_fifteen_published_facts_are_held_against() -> None:
    assert len(FACTS) >= 15
    assert len({fact.what for fact in FACTS}) == len(FACTS)


def test_at_most_three_figures_lie_outside_their_published_range(population: Population) -> None:
    outside = [f.what for f in FACTS if not f.low <= f.measure(population) <= f.high]
    assert len(outside) <= 3, outside


def test_a_yardstick_counts_what_it_says(population: Population) -> None:
    events = population.drops["devices"].events
    device = population.codes("devices", "device")
    changes = sum(
        int((np.diff(device[events.who == who]) != 0).sum()) for who in np.unique(events.who)
    ) / population.person_years("devices")
    assert population.handset_changes() == pytest.approx(changes)
    assert population.is_value("payments", "payment_type", "salary").sum() > 100
