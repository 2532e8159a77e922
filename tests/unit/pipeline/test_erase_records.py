import gzip
import json

import pytest

from pipeline.erase.records import csv_fields, json_fields, opened, records, with_fields


def texts(record, spans):
    return [record[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        ("a,b,c\n", ["a", "b", "c"]),
        ("a,,\r\n", ["a", "", ""]),
        ('"a,1",b\n', ['"a,1"', "b"]),
        ('"a ""x"", 1",b\n', ['"a ""x"", 1"', "b"]),
        ('a "x",b\n', ['a "x"', "b"]),  # a quote within a field is a character
        ('"a"1,b\n', ['"a"1', "b"]),
        ('"two\nlines",b\n', ['"two\nlines"', "b"]),
        ("\n", [""]),
        ("only", ["only"]),
    ],
)
def test_fields_of_a_csv_record_lie_between_delimiters_outside_of_quotes(record, fields):
    assert texts(record, csv_fields(record, ",")) == fields


def test_fields_of_a_json_object_lie_where_their_values_do():
    record = '\ufeff {"a": "x, \\"y\\"", "b":12.50 ,"c" : null, "d": {"e": [1, 2]}}\n'
    spans = json_fields(record)
    assert {name: record[start:end] for name, (start, end) in spans.items()} == {
        "a": '"x, \\"y\\""',
        "b": "12.50",
        "c": "null",
        "d": '{"e": [1, 2]}',
    }
    assert json_fields("{}") == {}
    changed = with_fields(record, {spans["a"]: '"z"', spans["b"]: '"w"'})
    assert changed == '\ufeff {"a": "z", "b":"w" ,"c" : null, "d": {"e": [1, 2]}}\n'
    assert json.loads(changed.lstrip("\ufeff"))["d"] == {"e": [1, 2]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_records_are_numbered_as_lines_whatever_ends_them(tmp_path, end):
    path = tmp_path / "a.csv"
    path.write_bytes(f'h,i{end}1,"a{end}b"{end}{end}2,c'.encode())
    with opened(path, "utf8") as stream:
        found = list(records(stream, ","))
    assert found == [(1, f"h,i{end}"), (2, f'1,"a{end}b"{end}'), (3, end), (4, "2,c")]


def test_lines_of_json_are_not_joined_by_their_quotes(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": "\n{"b": 1}\n'))
    with opened(path, "utf8") as stream:
        assert [number for number, _ in records(stream, None)] == [1, 2]


def test_byte_order_mark_stays_with_the_first_record(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfh\n1\n")
    with opened(path, "utf8") as stream:
        assert "".join(text for _, text in records(stream, ",")).encode() == path.read_bytes()
