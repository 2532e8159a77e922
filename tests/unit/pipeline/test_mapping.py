"""A mapping says what is wrong with it: the key, what was there, the nearest name that is known."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.ingest.mapping import read_mapping
from saakh.errors import ConfigError, MappingError, MissingInputError
from tests.lender_drop import TOPUPS, mapping

ROOT = Path(__file__).parents[3]

CLOCK = {"days_before_receipt_max": 30, "minutes_after_receipt_max": 10}


def read(tmp_path: Path, content: Any) -> Any:
    path = tmp_path / "mapping.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return read_mapping(path)


def topups(**columns: Any) -> dict[str, Any]:
    return TOPUPS | {"columns": TOPUPS["columns"] | columns}


@pytest.mark.parametrize("name", ["sample", "kenya_gps"])
def test_the_mappings_that_come_with_the_project_are_valid(name: str) -> None:
    assert read_mapping(ROOT / "data" / "mappings" / f"{name}.yaml").sources


def test_the_sample_mapping_fills_every_column_but_outcome_and_what_only_a_ledger_tells() -> None:
    sources = read_mapping(ROOT / "data" / "mappings" / "sample.yaml").sources
    left_out = {
        (s.table, c.name) for s in sources for c in s.canonical.columns if c.name not in {*s.columns, *s.derived}
    }
    told_by_a_ledger = ("given_at", "purpose_code", "fetch_type", "frequency_times", "frequency_unit", "data_life_days")
    assert left_out == {("applications", "outcome"), *(("consents", name) for name in told_by_a_ledger)}
    assert len(sources) == 16


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (mapping(TOPUPS, colour=1), "unknown key 'colour'"),
        (mapping(TOPUPS, sourcs=[]), "did you mean 'sources'?"),
        (mapping(TOPUPS | {"tabel": "topups"}), "did you mean 'table'?"),
        (mapping(TOPUPS | {"table": "topup"}), "unknown table 'topup'; did you mean 'topups'?"),
        (mapping(topups(bundel="kind")), "unknown column 'bundel'; did you mean 'bundle'?"),
        (mapping(topups(amount_minor={"fro": "rupees"})), "unknown key 'fro'; did you mean 'from'?"),
        (mapping(topups(amount_minor={"from": "x", "unit": "mayor"})), "did you mean 'major'?"),
        (mapping(topups(bundle={"from": "k", "values": {"D": "dta"}})), "did you mean 'data'?"),
        (mapping(topups(bundle={"constant": "sm"})), "did you mean 'sms'?"),
        (mapping(topups(event_at={"from": "at", "zone": "Asia/Calcuta"})), "no time zone 'Asia/Calcuta'"),
        (mapping(topups(event_at={"from": "at", "format": "%d/%m/%Y %z"})), "cannot read an offset"),
        (mapping(topups(event_at={"constant": "2020-01-01"})), "with its zone"),
        (mapping(topups(local_at="local")), "local_at: worked out by ingest"),
        (mapping(topups(amount_minor={"from": "x", "values": {"a": "b"}})), "values does not apply"),
        (mapping(topups(amount_minor={"from": "x", "unit": "major", "times": 2})), "give times or unit, not both"),
        (mapping(topups(amount_minor=["a", "b"])), "only a pseudonym may be made from several"),
        (mapping(topups(amount_minor={"constant": -1})), "within its bounds"),
        (mapping(topups(is_advance={"constant": "no"})), "must be true or false"),
        (mapping(topups(available_at={"like": "applied_at"})), "must name a column of topups"),
        (mapping(topups(available_at={"like": "event_at", "from": "got"})), "needs exactly one of"),
        (mapping(TOPUPS | {"drop": {"note": " "}}), "needs a reason"),
        (mapping(TOPUPS | {"drop": {"rupees": "no"}}), "both read and under 'drop'"),
        (mapping(TOPUPS, refuse=["Rupees"]), "which 'refuse' forbids"),
        (mapping(TOPUPS | {"location": {"latitude": "a", "longitude": "b"}}), "belongs to the table locations"),
        (mapping(TOPUPS, consent=None), "needs either a source for the table consents"),
        (mapping(TOPUPS | {"encoding": "utf9"}), "no encoding 'utf9'"),
        (mapping(TOPUPS | {"encoding": "base64"}), "no encoding 'base64'"),
        (mapping(TOPUPS | {"files": "/drops/*.csv"}), "'/drops/*.csv' is no pattern within ingest.source"),
        (mapping(TOPUPS | {"files": ["a.csv", "../b.csv"]}), "'../b.csv' is no pattern within ingest.source"),
        (mapping(TOPUPS | {"files": ""}), "'' is no pattern within ingest.source"),
        (mapping(TOPUPS | {"files": "a**.csv"}), "'a**.csv' is no pattern within ingest.source"),
        (mapping(TOPUPS | {"columns": ["user"]}), "sources[0].columns: must hold keys and values"),
        (mapping(TOPUPS | {"clock": {"days_before_receipt_max": 1}}), "minutes_after_receipt_max: is missing"),
        (mapping(TOPUPS | {"clock": CLOCK | {"days_before_receipt_max": 1e15}}), "less than or equal to 36525"),
        (mapping(topups(amount_minor={"from": "x", "times": float("inf")})), "times: must be a finite number"),
        ({**mapping(TOPUPS), "sources": []}, "sources"),
    ],
)
def test_a_fault_is_named_with_what_to_try(tmp_path: Path, content: Any, said: str) -> None:
    with pytest.raises(MappingError) as caught:
        read(tmp_path, content)
    assert said in str(caught.value)
    assert "mapping.yaml" in str(caught.value)
    assert "Value error" not in str(caught.value)
    assert "Tuple" not in str(caught.value) or content["sources"] == []


def test_a_required_column_left_out_is_named_with_a_way_out(tmp_path: Path) -> None:
    columns = {name: reading for name, reading in TOPUPS["columns"].items() if name != "available_at"}
    with pytest.raises(MappingError, match=r"topups requires available_at; .*\{like: event_at\}"):
        read(tmp_path, mapping(TOPUPS | {"columns": columns}))


def test_a_location_needs_one_reference_latitude_and_no_fine_cell(tmp_path: Path) -> None:
    place = {"latitude": "lat", "longitude": "lon"}
    fixes = {
        "files": "f.csv",
        "table": "locations",
        "columns": {"person_id": "user", "event_at": "at", "available_at": "got"},
    }
    with pytest.raises(MappingError, match="reference_latitude"):
        read(tmp_path, mapping(fixes | {"location": place}))
    with pytest.raises(MappingError, match="cell_degrees"):
        read(tmp_path, mapping(fixes | {"location": place | {"cell_degrees": 0.001}}, reference_latitude=20))


def test_truth_values_of_yaml_must_be_quoted_in_a_value_map(tmp_path: Path) -> None:
    content = yaml.safe_dump(mapping(topups(bundle={"from": "kind", "values": {"X": "data"}})))
    with pytest.raises(MappingError, match="put quotes around"):
        read(tmp_path, content.replace("X: data", "no: data"))


def test_a_mapping_that_is_no_yaml_or_not_there_has_its_own_error(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError):
        read_mapping(tmp_path / "none.yaml")
    with pytest.raises(ConfigError):
        read(tmp_path, "- just\n- a list\n")
