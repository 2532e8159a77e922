"""Every declared feature gives what was worked out by hand on the pages beside this file."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from features.catalogue import all_features
from features.columns import Table
from features.tables import consents
from pipeline.canonical import schema
from pipeline.catalogue.worked import Example, agrees, examples
from pipeline.derive import derive
from pipeline.engines import Embedded, Engine
from tests.ascii import rows
from tests.conftest import Claim
from tests.sparks import spark

PAGES = sorted(Path(__file__).parent.glob("*/*.md"))
EXAMPLES = [example for page in PAGES for example in examples(page)]
FEATURES = {feature.name: feature for feature in all_features()}
TABLES = {table.name: table for table in (FEATURES[e.feature].table for e in EXAMPLES)}

Row = dict[str, float | None]


@pytest.fixture(scope="module")
def on_duckdb() -> Iterator[list[Row]]:
    with closing(Embedded(threads=1, memory_gb=1)) as engine:
        yield measured(engine)


def measured(engine: Engine) -> list[Row]:
    """The derive stage over all examples at once, each an applicant: a row of features an example."""
    tables = {name: engine.table(events(table), name) for name, table in sorted(TABLES.items())}
    consented = engine.table(agreed(), "consents")
    return derive(engine, cohort(), consented, tables, all_features(), "score").matrix.to_pylist()


def table_of(example: Example) -> Table:
    return FEATURES[example.feature].table


def person(number: int) -> str:
    return f"{number:04}"


def cohort() -> pa.Table:
    names = [person(number) for number in range(len(EXAMPLES))]
    moments = pa.array([example.snapshot for example in EXAMPLES], pa.timestamp("us"))
    return pa.table({"application_id": names, "person_id": names, "snapshot_at": moments, "asked_at": moments})


def agreed() -> pa.Table:
    granted = [
        {
            "artefact_id": person(number),
            "person_id": person(number),
            "category": table_of(example).category.value,
            "purpose": "score",
            "starts_at": example.snapshot,
            "data_from": example.consent[0],
            "data_to": example.consent[1],
            "basis": "explicit",
        }
        for number, example in enumerate(EXAMPLES)
        if example.consent is not None
    ]
    return pa.Table.from_pylist(granted, schema=schema(consents))


def events(table: Table) -> pa.Table:
    """The rows of one table that all examples draw, each under its own applicant."""
    drawn = []
    for number, example in enumerate(EXAMPLES):
        if table_of(example) is table and example.table:
            part = rows(table, example.table)
            drawn.append(part.set_column(0, "person_id", pa.array([person(number)] * part.num_rows, pa.string())))
    return pa.concat_tables(drawn)


def wrong(row: Row, example: Example) -> Row:
    """What a row has in the example's columns, where it is not what was written."""
    return {c: row[c] for c, written in example.values.items() if not agrees(row[c], written)}


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=[example.name for example in EXAMPLES])
def test_a_feature_gives_what_was_worked_by_hand(on_duckdb: list[Row], number: int) -> None:
    example = EXAMPLES[number]
    assert not wrong(on_duckdb[number], example), f"{example.page}.md, {example.name}: written {example.values}"


@pytest.mark.timeout(1_800)
def test_spark_gives_what_was_worked_by_hand(claim: Claim) -> None:  # one test, so that one process measures them
    with closing(spark()) as engine:
        pairs = list(zip(measured(engine), EXAMPLES, strict=True))
    missed = {(e.page, e.name): found for row, e in pairs if (found := wrong(row, e))}
    claim("hand-worked examples that Spark agrees with", "all", f"{len(pairs) - len(missed):,} of {len(pairs):,}")
    assert missed == {}


@pytest.mark.parametrize("feature", FEATURES.values(), ids=FEATURES)
def test_every_feature_is_worked_by_hand(feature) -> None:
    worked = {column for e in EXAMPLES if e.feature == feature.name for column in e.values}
    assert worked
    assert worked <= set(feature.columns)


def test_a_page_holds_its_family_and_nothing_else() -> None:
    assert [(e.page, e.name) for e in EXAMPLES if e.page.split("/")[0] != FEATURES[e.feature].family] == []


def test_an_example_draws_only_columns_of_its_table() -> None:
    for example in EXAMPLES:
        drawn = {cell.strip() for cell in example.table.partition("\n")[0].strip("|").split("|")} - {""}
        assert drawn <= set(table_of(example).by_name), example.name
