"""What the catalogue tells of a feature is what is declared, and the SQL it prints gives what was worked by hand."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.catalogue import all_features, named, specs_of
from features.declare import Feature
from pipeline.canonical import TYPES
from pipeline.catalogue import facts, markdown, sql
from pipeline.catalogue.declared import definition, measured_on
from pipeline.catalogue.measured import distribution
from pipeline.catalogue.sql import shortest
from pipeline.catalogue.worked import Example, agrees, example, pages_of, worked
from pipeline.engines import Embedded, Engine
from saakh.errors import ConfigError
from tests.ascii import rows

EXAMPLES = worked()
SHAPES = {
    "rows": "call_count",
    "a condition": "call_night_share",
    "gaps": "topup_gap_longest",
    "cells": "call_hour_entropy",
    "a latest row": "income_declared",
    "tables together": "interaction_count",
    "all history": "handsets_seen",
    "a median": "call_gap_median",
    "ranks": "call_top3_contact_share",
    "neighbours": "message_response_delay_mean",
    "days apart": "call_weekly_autocorrelation",
    "some rows": "salary_recency",
}


@pytest.fixture(scope="module")
def engine():
    started = Embedded(threads=1, memory_gb=1)
    yield started
    started.close()


def as_of(feature: Feature, one: Example) -> pa.Table:
    """The rows of an example that are seen, as a script reads them."""
    drawn = rows(feature.table, one.table)
    snapshot = pa.scalar(one.snapshot, TYPES[feature.table.column("event_at").kind])
    drawn = drawn.filter(pc.and_(pc.less(drawn["event_at"], snapshot), pc.less(drawn["available_at"], snapshot)))
    drawn = drawn.append_column("snapshot_at", pa.array([one.snapshot] * drawn.num_rows, pa.timestamp("us")))
    return drawn.append_column("application", pa.array([0] * drawn.num_rows, pa.int64()))


def ran(engine: Engine, script: str, feature: Feature) -> dict[str, float | None]:
    """What a script gives, by column; its tables are gone afterwards."""
    *steps, select = [part for part in script.split(";\n") if part.strip()]
    made = [step.partition("TABLE ")[2].partition(" AS")[0] for step in steps]
    for step in steps:
        engine.connection.raw_sql(step)
    found = engine.connection.raw_sql(select).to_arrow_table().to_pylist()
    for name in made:
        engine.connection.raw_sql(f"DROP TABLE {name}")
    return {list(feature.columns)[row["slice"]]: row[feature.name] for row in found}


@pytest.mark.parametrize("name", SHAPES.values(), ids=SHAPES)
def test_the_printed_sql_gives_what_was_worked_by_hand(engine: Engine, name: str) -> None:
    feature = named(name)
    one = next(e for e in EXAMPLES[name] if e.table and e.consent)
    engine.table(as_of(feature, one), f"{feature.table.name}_as_of")
    got = ran(engine, sql(feature, "duckdb"), feature)
    wrong = {column: got[column] for column, written in one.values.items() if not agrees(got[column], written)}
    assert not wrong, one.values


def test_the_sql_of_a_column_is_that_of_its_window() -> None:
    script = sql(named("call_night_share"), "duckdb", "call_night_share_weekend_30d")
    assert "-- slice 2: call_night_share_weekend_30d" in script
    assert "_7d" not in script


def test_sql_is_written_for_both_engines_and_no_other() -> None:
    (duckdb, for_duckdb), (spark, for_spark) = shortest(named("call_hour_entropy"))
    assert (duckdb, spark) == ("DuckDB", "Spark")
    assert 'CREATE TEMP TABLE "calls_seen" AS\nSELECT\n  "t0"."application"' in for_duckdb
    assert "CREATE TEMPORARY VIEW `calls_seen` AS\nSELECT\n  `t0`.`application`" in for_spark
    assert sql(named("call_hour_entropy"), "spark") == sql(named("call_hour_entropy"), "pyspark")
    with pytest.raises(ConfigError, match="no SQL dialect 'cobol' here; try duckdb or pyspark"):
        sql(named("call_hour_entropy"), "cobol")


def test_facts_say_what_is_declared() -> None:
    told = facts(named("call_hour_entropy"))
    assert told["measures"] == "Entropy of calls over the hours of the day."
    assert told["measured on"] == "one row per hour of rows of calls"
    assert told["consent"] == "communication"
    assert told["possible"] == "0 to ∞"
    assert told["windows"] == "7, 30, 90, 180 days; also by weekday and weekend"
    assert told["declared in"].startswith("features/lifestyle/calls")


def test_a_definition_is_what_is_written_there() -> None:
    found = definition(named("call_hour_entropy"))
    assert found.text.startswith("@feature(")
    assert found.text.endswith("return entropy(hour.events)")


def test_a_source_is_said_in_words() -> None:
    said = {
        "call_count": "rows of calls",
        "salary_recency": "salary rows of payments",
        "call_top3_contact_share": "one row per contact_id of rows of calls, ranked",
        "call_weekly_autocorrelation": "one row per day of rows of calls, beside those 7 and 28 days older",
        "sim_changes": "rows of devices, each with the ones before and after",
        "call_return_delay_mean": "rows of calls, each with the ones before and after of the same contact_id",
    }
    assert {name: measured_on(named(name).source) for name in said} == said


def test_the_markdown_lists_every_feature_once_with_its_example() -> None:
    lines = [line for line in markdown().splitlines() if line.startswith(("| `", "| [`"))]
    names = [line.partition("`")[2].partition("`")[0] for line in lines]
    assert sorted(names) == sorted(f.name for f in all_features())
    assert {line.count(" | ") for line in lines} == {6}
    pages = pages_of(names)
    assert all(f"(../{pages[name]}#{name})" in line for name, line in zip(names, lines, strict=True) if name in pages)


def test_the_markdown_counts_declarations_and_columns() -> None:
    known = all_features()
    assert f"{len(known):,} declarations, {len(specs_of(known)):,} columns." in markdown()


def test_a_distribution_hides_the_few() -> None:
    values = np.array([*range(100)] * 10 + [1e9, *[np.nan] * 999])
    found = distribution(values)
    assert (found.rows, found.share) == (1_001, 1_001 / 2_000)
    assert (found.low, found.high, len(found.bars)) == (0.0, 99.0, 16)
    assert found.quantiles[1] == 50.0
    few = distribution(np.array([1.0] * 91 + [7.0] * 9))
    assert few.bars == (1.0,)
    assert distribution(np.arange(99.0)).quantiles == ()


def test_whole_numbers_of_a_short_range_have_a_bar_each() -> None:
    found = distribution(np.array([0.0] * 50 + [1.0] * 100 + [3.0] * 25))
    assert found.bars == (0.5, 1.0, 0.0, 0.25)
    assert distribution(np.array([0.5] * 200)).bars == (1.0,)
    assert distribution(np.full(10, np.nan)).share == 0.0


def test_an_example_is_read_as_it_is_written() -> None:
    body = """
consent: from 2026-01-01 to 2026-02-01

| event_at         |
|------------------|
| 2026-02-14 10:00 |

- `some_30d` = 3/7: three of seven
- `some_90d` = -: nothing
"""
    got = example("calls", "some", "A title", "2026-03-01 00:00", body)
    assert got.name == "some: A title"
    assert got.consent == (datetime(2026, 1, 1), datetime(2026, 2, 1))
    assert got.values == {"some_30d": "3/7", "some_90d": "-"}
    assert got.working == {"some_30d": "three of seven", "some_90d": "nothing"}
    assert got.table.splitlines() == ["| event_at         |", "| 2026-02-14 10:00 |"]


@pytest.mark.parametrize(
    ("value", "written", "same"),
    [
        (3 / 7, "3/7", True),
        (0.428571, "3/7", False),
        (0.4285714, "0.428571", True),
        (0.428572, "0.428571", False),
        (0.5, "0.50", True),
        (None, "-", True),
        (0.0, "-", False),
        (None, "0", False),
    ],
)
def test_a_value_agrees_as_exactly_as_it_is_written(value: float | None, written: str, same: bool) -> None:
    assert agrees(value, written) is same
