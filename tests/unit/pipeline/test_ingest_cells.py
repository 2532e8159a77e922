"""Coordinates: coarse cells under pseudonyms, metres from a secret origin, distances kept and places lost."""

import math
from typing import Any

import pyarrow as pa
import pytest

from pipeline.ingest.cells import EARTH_METRES_A_DEGREE, coarsen
from pipeline.ingest.convert import Converter
from pipeline.ingest.mapping import Location
from pipeline.pseudonyms import Pseudonyms

PSEUDONYMS = Pseudonyms(bytes(32))
CONVERTER = Converter(PSEUDONYMS, "UTC", ("",))
AT = Location(latitude="lat", longitude="lon", cell_degrees=0.02)


def placed(fixes: list[tuple[Any, Any]], people: list[str | None] | None = None) -> tuple[dict[str, list[Any]], Any]:
    raw = {"lat": pa.array([lat for lat, _ in fixes]), "lon": pa.array([lon for _, lon in fixes])}
    person = PSEUDONYMS.column("person", pa.array(people or ["p"] * len(fixes)))
    columns, faults = coarsen(raw, person, AT, -1.0, CONVERTER)
    found = [(fault.rule, fault.column, fault.rows.tolist()) for fault in faults]
    return {name: values.to_pylist() for name, values in columns.items()}, found


def test_fixes_of_one_cell_share_it_and_those_of_the_next_do_not() -> None:
    columns, faults = placed([(-1.299, 36.841), (-1.281, 36.859), (-1.279, 36.841), (-1.299, 36.861)])
    first, same, north, east = columns["cell_id"]
    assert first == same
    assert len({first, north, east}) == 3
    assert faults == []


def test_coordinates_on_the_grid_each_open_a_cell_of_their_own() -> None:
    columns, _ = placed([(round(n * 0.02, 2), 0.0) for n in range(-200, 200)])
    assert len(set(columns["cell_id"])) == 400
    steps = {b - a for a, b in zip(columns["north_m"], columns["north_m"][1:], strict=False)}
    assert steps == {2223, 2224}


def test_distances_are_those_of_the_cells_at_the_reference_latitude() -> None:
    columns, _ = placed([(-1.30, 36.84), (-1.20, 36.84), (-1.30, 36.94)])
    tenth = 0.1 * EARTH_METRES_A_DEGREE
    assert columns["north_m"][1] - columns["north_m"][0] == pytest.approx(tenth, abs=1)
    assert columns["east_m"][2] - columns["east_m"][0] == pytest.approx(tenth * math.cos(math.radians(1.0)), abs=1)


def test_two_people_in_one_cell_share_its_name_and_not_its_metres() -> None:
    columns, _ = placed([(12.97, 77.59)] * 2, ["p", "q"])
    assert columns["cell_id"][0] == columns["cell_id"][1]
    assert columns["east_m"][0] != columns["east_m"][1]
    assert columns["north_m"][0] != columns["north_m"][1]


def test_metres_are_the_cells_centre_and_do_not_tell_where_in_it_a_fix_was() -> None:
    columns, _ = placed([(12.961, 77.581), (12.979, 77.599)])
    assert columns["east_m"][0] == columns["east_m"][1]


def test_places_not_on_earth_and_missing_ones_are_faults_of_their_source_columns() -> None:
    columns, faults = placed([("91", "0"), ("0", "-180.5"), ("", "0"), ("x", "0"), ("90", "180")])
    assert [value is None for value in columns["cell_id"]] == [True, True, True, True, False]
    assert [value is None for value in columns["east_m"]] == [True, True, True, True, False]
    assert {(rule, column, rows.index(True)) for rule, column, rows in faults} == {
        ("out_of_range", "lat", 0),
        ("out_of_range", "lon", 1),
        ("missing", "lat", 2),
        ("not_a_number", "lat", 3),
    }


def test_nan_is_missing() -> None:
    columns, faults = placed([(math.nan, 1.0)])
    assert columns["cell_id"] == [None]
    assert faults == [("missing", "lat", [True])]
