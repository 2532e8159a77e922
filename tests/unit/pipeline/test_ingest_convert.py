"""One column at a time: units, categories, flags and ids, from text and from typed files alike."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from features.tables import BY_NAME
from pipeline.ingest.convert import Converter
from pipeline.ingest.mapping import MISSING
from pipeline.ingest.mapping_readings import Reading
from pipeline.pseudonyms import Pseudonyms
from saakh.errors import MappingError

CONVERTER = Converter(Pseudonyms(bytes(32)), "UTC", MISSING)


def convert(
    where: str, held: list[Any], kind: pa.DataType | None = None, **options: Any
) -> tuple[list[Any], list[Any]]:
    """The values of a canonical column `table.column`, and (rule, rows) of its faults."""
    table, name = where.split(".")
    reading = Reading.model_validate({"from": "x", **options})
    raw = pa.array(held, kind or pa.string())
    converted = CONVERTER.convert(BY_NAME[table].column(name), reading, {"x": raw})
    faults = [(fault.rule, [int(n) for n in fault.rows.nonzero()[0]]) for fault in converted.faults]
    return converted.values.to_pylist(), faults


@pytest.mark.parametrize(
    ("where", "options", "text", "value"),
    [
        ("topups.amount_minor", {"unit": "major"}, "8988.12", 898_812),
        ("topups.amount_minor", {"unit": "major"}, "0.285", 28),  # half a minor unit goes to the even one
        ("topups.amount_minor", {"times": 1000}, "1.5", 1_500),
        ("calls.duration_s", {"unit": "minutes"}, "2.5", 150),
        ("calls.duration_s", {"unit": "milliseconds"}, "61499", 61),
        ("data_usage.bytes_total", {"unit": "megabytes"}, "1.5", 1_500_000),
        ("people.employment_months", {"unit": "years"}, "2", 24),
        ("people.income_minor", {"unit": "major_a_year"}, "120000", 1_000_000),
        ("applications.rate_bp_month", {"unit": "percent_a_month"}, "1.8", 180),
        ("applications.tenor_days", {"unit": "weeks"}, " 4 ", 28),
        ("data_usage.bytes_total", {}, "9007199254740991", 9_007_199_254_740_991),
        ("calls.duration_s", {}, "7.0", 7),
    ],
)
def test_numbers_arrive_in_canonical_units(where: str, options: dict[str, Any], text: str, value: int) -> None:
    assert convert(where, [text], **options) == ([value], [])


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("seven", "not_a_number"),
        ("1,200", "not_a_number"),
        ("7.5", "not_whole"),
        ("0x1A", "not_a_number"),
        ("-1", "out_of_range"),
        ("86401", "out_of_range"),
        ("1e400", "out_of_range"),
        ("inf", "out_of_range"),
    ],
)
def test_a_faulty_number_is_named_by_rule_and_position(text: str, rule: str) -> None:
    assert convert("calls.duration_s", ["3", text, None]) == ([3, None, None], [(rule, [1])])


@pytest.mark.parametrize("text", ["", "  ", "NaN", "NULL", "null", None])
def test_missing_is_no_fault(text: str | None) -> None:
    assert convert("calls.duration_s", ["3", text]) == ([3, None], [])
    assert convert("calls.contact_id", [text]) == ([None], [])
    assert convert("calls.direction", [text]) == ([None], [])
    assert convert("calls.event_at", [text]) == ([None], [])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([19.99, float("nan")], pa.float64()),
        ([19.99, None], pa.float32()),
        ([Decimal("19.99"), None], pa.decimal128(10, 2)),
        (["19.99", ""], pa.dictionary(pa.int8(), pa.string())),
        (["19.99", None], pa.large_string()),
    ],
)
def test_money_is_the_same_from_any_type(values: list[Any], kind: pa.DataType) -> None:
    assert convert("topups.amount_minor", values, kind, unit="major") == ([1999, None], [])


def test_an_id_is_the_same_from_text_a_whole_number_or_a_float() -> None:
    text, _ = convert("calls.contact_id", ["7", " 7 ", "7.0"])
    whole, _ = convert("calls.contact_id", [7, 7], pa.int32())
    floating, _ = convert("calls.contact_id", [7.0, None], pa.float64())
    assert text == [*whole, whole[0]] == [floating[0]] * 3
    assert convert("calls.contact_id", ["7.5"])[0] != text[:1]
    assert floating[1] is None


def test_an_id_of_two_columns_is_missing_when_either_is_and_cannot_be_shifted() -> None:
    reading = Reading.model_validate({"from": ["a", "b"]})
    raw = {"a": pa.array(["1", "12", "1"]), "b": pa.array(["23", "3", ""])}
    column = BY_NAME["applications"].column("application_id")
    first, second, third = CONVERTER.convert(column, reading, raw).values.to_pylist()
    assert first != second
    assert third is None


def test_categories_are_mapped_slugged_or_unknown() -> None:
    values = {"INCOMING": "in", "2": "out"}
    found = convert("calls.direction", ["INCOMING", " 2", "Out", "missed"], values=values)
    assert found == (["in", "out", "out", None], [("unknown_value", [3])])
    assert convert("calls.direction", [2, 1], pa.int64(), values={"2": "out", "1": "in"}) == (["out", "in"], [])
    assert convert("app_sessions.app_category", ["Casino"], otherwise="other") == (["other"], [])


def test_an_open_category_takes_slugs_of_at_most_24_characters() -> None:
    found = convert("devices.brand", ["Acme Mobile+", "x" * 25, "--"])
    assert found == (["acme_mobile", None, None], [("unknown_value", [1, 2])])


def test_flags_are_read_from_the_usual_words() -> None:
    assert convert("calls.is_answered", ["Y", "0", "TRUE", "nah"]) == (
        [True, False, True, None],
        [("unknown_value", [3])],
    )
    assert convert("calls.is_answered", [True, None], pa.bool_()) == ([True, None], [])
    assert convert("calls.is_answered", ["ANS"], values={"ANS": True}) == ([True], [])


@pytest.mark.parametrize(
    ("value", "unit"),
    [(1767609000, "seconds"), (1767609000_000, "milliseconds"), (1767609000_000_000_000, "nanoseconds")],
)
def test_times_since_1970_need_their_unit(value: int, unit: str) -> None:
    for held, kind in ((value, pa.int64()), (str(value), pa.string())):
        found, faults = convert("calls.event_at", [held], kind, unit=unit)
        assert (found[0].isoformat(), faults) == ("2026-01-05T10:30:00", [])
    with pytest.raises(MappingError, match="say their unit since 1970: seconds"):
        convert("calls.event_at", [value], pa.int64())


def test_a_time_that_cannot_be_is_a_fault() -> None:
    assert convert("calls.event_at", ["2026-13-01"]) == ([None], [("bad_time", [0])])
    assert convert("calls.event_at", ["1e30"], unit="seconds") == ([None], [("bad_time", [0])])


def test_hexadecimal_is_no_number_whatever_else_is_in_the_batch() -> None:
    assert convert("calls.duration_s", ["0x1A", "26"]) == ([None, 26], [("not_a_number", [0])])
    assert convert("calls.duration_s", ["0x1A", "26.0"]) == ([None, 26], [("not_a_number", [0])])


def test_a_nested_column_is_refused_by_name_and_type() -> None:
    with pytest.raises(MappingError, match="column 'x' is of type list"):
        convert("calls.duration_s", [[1]], pa.list_(pa.int64()))
