"""The shared expressions on numbers one can follow, and the same bytes in any order and on any number of threads."""

import random
import struct
from collections.abc import Callable, Iterator
from math import log, sqrt

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest

from features.expressions import (
    burstiness,
    concentration,
    days,
    entropy,
    mean,
    ratio,
    slope,
    std,
    top_share,
    total,
    variance,
    variation,
)
from pipeline.engines import Embedded, Engine

Expression = Callable[[ir.Value], ir.Value]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    held = Embedded(threads=1, memory_gb=1)
    yield held
    held.close()


def over(engine: Engine, numbers: list[int | None], expression: Expression) -> float | None:
    """The expression over these whole numbers as one column."""
    rows = engine.table(pa.table({"x": pa.array(numbers, pa.int64())}), "numbers")
    return engine.arrow(rows.aggregate(value=expression(rows.x)), ["value"])["value"][0].as_py()


def sloped(window: int) -> Expression:
    return lambda day: slope(day, ibis.ifelse(day.notnull(), window, ibis.null("int64")))


@pytest.mark.parametrize(
    ("expression", "numbers", "value"),
    [
        (entropy, [1], 0),
        (entropy, [7], 0),
        (entropy, [1, 1], log(2)),
        (entropy, [5, 5, 5, 5], log(4)),
        (entropy, [2, 1, 1], 1.5 * log(2)),
        (entropy, [3, 0, None, 1], log(4) - 0.75 * log(3)),
        (entropy, [0, None], None),
        (entropy, [], None),
        (top_share, [3, 1], 0.75),
        (top_share, [0, 0], None),
        (top_share, [], None),
        (concentration, [4], 1),
        (concentration, [3, 1], 0.625),
        (concentration, [1, 1, 1, 1], 0.25),
        (concentration, [3, 0, 1], 0.625),
        (concentration, [0], None),
        (concentration, [], None),
        (mean, [1, 2, None], 1.5),
        (mean, [None], None),
        (variance, [5], 0),
        (variance, [1, 3], 1),
        (variance, [2, 4, 4, 4, 5, 5, 7, 9], 4),
        (variance, [None], None),
        (variance, [], None),
        (std, [2, 4, 4, 4, 5, 5, 7, 9], 2),
        (std, [-3, 3], 3),
        (std, [1_000_000_007] * 3, 0),
        (std, [5], None),
        (std, [5, None], None),
        (std, [], None),
        (variation, [1, 3], 0.5),
        (variation, [4, 4], 0),
        (variation, [0, 0], None),
        (variation, [4], None),
        (burstiness, [60, 60, 60], -1),
        (burstiness, [1, 3], -1 / 3),
        (burstiness, [0, 0, 0, 4], (sqrt(3) - 1) / (sqrt(3) + 1)),
        (burstiness, [0, 0], None),
        (burstiness, [60], None),
        (burstiness, [], None),
        (total, [1, 2, None], 3),
        (total, [None], 0),
        (total, [], 0),
        (sloped(3), [1, 1, 1], 1.5),  # counts 0, 0, 3 from oldest to newest
        (sloped(3), [3], -0.5),
        (sloped(3), [1, 2, 3], 0),
        (sloped(2), [1, 1, 2], 1),  # counts 1, 2
        (sloped(90), [], None),
    ],
)
def test_an_expression_gives_what_its_definition_says(
    engine: Engine, expression: Expression, numbers: list[int | None], value: float | None
) -> None:
    got = over(engine, numbers, expression)
    assert got == (None if value is None else pytest.approx(value, rel=1e-9, abs=1e-9))


def test_a_ratio_by_zero_is_null(engine: Engine) -> None:
    assert over(engine, [0], lambda x: ratio(x.count(), x.sum())) is None
    assert over(engine, [None], lambda x: ratio(x.count(), x.sum())) is None
    assert over(engine, [4], lambda x: ratio(x.count(), x.sum())) == 0.25


def test_days_keep_their_fraction(engine: Engine) -> None:
    assert over(engine, [129_600], lambda seconds: days(seconds.max())) == 1.5


def test_the_slope_is_that_of_the_least_squares_line(engine: Engine) -> None:
    seen = [1, 1, 1, 2, 4, 4, 7, 9, 10]
    times = range(-10, 0)
    counts = [seen.count(-time) for time in times]
    middle, average = sum(times) / 10, sum(counts) / 10
    rise = sum((t - middle) * (c - average) for t, c in zip(times, counts, strict=True))
    run = sum((t - middle) ** 2 for t in times)
    assert over(engine, seen, sloped(10)) == pytest.approx(rise / run, rel=1e-12)


def test_entropy_is_never_above_that_of_equal_shares_nor_below_zero(engine: Engine) -> None:
    draw = random.Random(5)
    for size in (1, 2, 3, 10, 1_000):
        for counts in ([1] * size, [10**6] * size, [draw.randint(1, 10**6) for _ in range(size)]):
            value = over(engine, list(counts), entropy)
            assert value is not None
            assert 0 <= value <= log(size) + 1e-9


EVERY = {
    "entropy": entropy,
    "top_share": top_share,
    "concentration": concentration,
    "mean": mean,
    "std": std,
    "variation": variation,
    "burstiness": burstiness,
    "slope": sloped(1_000_000),
}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, set[bytes]]:
    """The bytes each expression gives over the same 300,000 numbers: two orders, one thread and two."""
    draw = random.Random(3)
    numbers = [min(int(10 * draw.paretovariate(1.2)), 1_000_000) for _ in range(300_000)]
    shuffled = sorted(numbers, key=lambda _: draw.random())
    outcomes: dict[str, set[bytes]] = {name: set() for name in EVERY}
    for threads in (1, 2):
        held = Embedded(threads=threads, memory_gb=1)
        for order in (numbers, shuffled, sorted(numbers)):
            rows = held.table(pa.table({"x": pa.array(order, pa.int64())}), "numbers")
            values = held.arrow(rows.aggregate(**{name: e(rows.x) for name, e in EVERY.items()}), ["mean"]).to_pylist()[
                0
            ]
            for name, value in values.items():
                outcomes[name].add(struct.pack("<d", value))
        held.close()
    return outcomes


@pytest.mark.parametrize("name", EVERY)
def test_neither_the_order_of_rows_nor_the_number_of_threads_changes_a_byte(
    outcomes: dict[str, set[bytes]], name: str
) -> None:
    assert len(outcomes[name]) == 1
