"""A person's data depend on the seed and the person's number, and on nothing else."""

from datetime import UTC, datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from pipeline.world.clock import Span
from pipeline.world.draws import Draws, poisson_quantile
from pipeline.world.drops import table
from pipeline.world.knobs import WORLDS, world
from pipeline.world.part import Part, drawn, drops, oracle, texts

SPAN = Span.of(datetime(2026, 6, 1, tzinfo=UTC), 120, 40)


def story(first: int, last: int, seed: int, name: str) -> tuple[dict[str, list[dict[str, object]]], str]:
    part = Part(0, first, last, seed, world(name), SPAN)
    told = drawn(part)
    rows = {name: table(drop).to_pylist() for name, drop in drops(told)}
    rows["oracle"] = oracle(told).to_pylist()
    return rows, "".join(texts(told, part).values())


@settings(max_examples=12, deadline=None)
@given(
    first=st.integers(1, 10**7),
    sizes=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    seed=st.integers(0, 2**31),
    name=st.sampled_from(sorted(WORLDS)),
)
def test_a_block_of_people_is_the_sum_of_its_parts(first: int, sizes: tuple[int, int], seed: int, name: str) -> None:
    middle, last = first + sizes[0], first + sum(sizes)
    whole, lines = story(first, last - 1, seed, name)
    left, lines_left = story(first, middle - 1, seed, name)
    right, lines_right = story(middle, last - 1, seed, name)
    for name_, rows in whole.items():
        assert rows == left[name_] + right[name_], name_
    assert sorted(lines.splitlines()) == sorted((lines_left + lines_right).splitlines())


@settings(deadline=None)
@given(seed=st.integers(0, 2**63 - 1), number=st.integers(1, 2**40), counter=st.integers(0, 2**40))
def test_a_draw_depends_on_its_address_alone(seed: int, number: int, counter: int) -> None:
    alone = Draws.of(seed, [number]).each("event", np.array([0]), counter).uniform("hour")
    among = (
        Draws.of(seed, [number + 1, number, 7]).each("event", np.array([2, 1]), np.array([3, counter])).uniform("hour")
    )
    assert alone[0] == among[1]
    assert 0 < alone[0] < 1


@settings(deadline=None)
@given(mean=st.floats(0.01, 60), level=st.floats(0.001, 0.999))
def test_poisson_counts_are_the_quantiles_of_the_distribution(mean: float, level: float) -> None:
    count = poisson_quantile(np.array([level]), np.array([mean]))[0]
    assert poisson.cdf(count, mean) >= level - 1e-9
    assert count == 0 or poisson.cdf(count - 1, mean) <= level + 1e-9


def test_draws_are_uniform_and_unrelated_from_name_to_name() -> None:
    draws = Draws.of(3, np.arange(200_000))
    one, two = draws.uniform("one"), draws.uniform("two")
    assert abs(one.mean() - 0.5) < 0.003
    assert abs(np.histogram(one, 20, (0, 1))[0] / 10_000 - 1).max() < 0.05
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.01
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 0.01
