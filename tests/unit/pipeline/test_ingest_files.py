"""Files of every format give the same rows under their own line numbers; damaged ones stop with the file's name."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.ingest import files
from pipeline.ingest.files import SourceFile, find
from saakh.errors import EmptyInputError, MappingError, MissingInputError, SaakhError, UnreadableInputError


def read(
    path: Path, columns: Sequence[str] = ("a", "b"), **options: str
) -> tuple[list[int], dict[str, list[str]], list[int]]:
    lines, broken = [], []
    values: dict[str, list[str]] = {name: [] for name in columns}
    for rows in SourceFile(path, **options).rows(columns):
        lines += rows.lines.tolist()
        broken += rows.broken.tolist()
        for name in columns:
            values[name] += [None if v is None else str(v) for v in rows.columns[name].to_pylist()]
    return lines, values, broken


def test_every_format_gives_the_same_rows(tmp_path: Path) -> None:
    csv, records = "c,a,b\nx,1,p\ny,2,\n", '{"a": 1, "b": "p", "c": 0}\n\n{"a": 2}\n'
    (tmp_path / "f.csv").write_text(csv)
    (tmp_path / "f.csv.gz").write_bytes(gzip.compress(csv.encode()))
    (tmp_path / "f.jsonl").write_text(records)
    (tmp_path / "f.ndjson.gz").write_bytes(gzip.compress(records.encode()))
    pq.write_table(pa.table({"b": ["p", None], "a": [1, 2], "c": [0, 0]}), tmp_path / "f.parquet")
    expected = {"f.csv": [2, 3], "f.csv.gz": [2, 3], "f.jsonl": [1, 3], "f.ndjson.gz": [1, 3], "f.parquet": [1, 2]}
    for name, lines in expected.items():
        found, values, broken = read(tmp_path / name)
        values["b"] = [v or None for v in values["b"]]
        assert (found, values, broken) == (lines, {"a": ["1", "2"], "b": ["p", None]}, []), name


def test_lines_stay_right_past_broken_and_blank_ones_and_over_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "CSV_BLOCK_BYTES", 400)
    body = [f"{n},v{n}" for n in range(2, 500)]
    for at in (5, 6, 120, 301, 499):
        body[at - 2] = "one,two,three"
    body[200 - 2] = ""
    (tmp_path / "f.csv").write_text("\n".join(["a,b", *body, "last,one,odd"]) + "\n")
    lines, values, broken = read(tmp_path / "f.csv")
    assert broken == [5, 6, 120, 301, 499, 500]
    assert all(a == str(line) for line, a in zip(lines, values["a"], strict=True) if line != 200)
    assert sorted(lines + broken) == list(range(2, 501))


def test_quotes_delimiters_encodings_and_byte_order_marks_are_read(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes('\ufeffa;b\n1;"x;""y"""\n2;é\n'.encode())
    assert read(tmp_path / "f.csv", delimiter=";")[1] == {"a": ["1", "2"], "b": ['x;"y"', "é"]}
    (tmp_path / "g.csv").write_bytes("a,b\n1,é\n".encode("latin-1"))
    assert read(tmp_path / "g.csv", encoding="latin-1")[1]["b"] == ["é"]
    (tmp_path / "h.csv").write_bytes("\ufeffa,b\n1,é\n".encode())
    assert read(tmp_path / "h.csv", encoding="utf_8")[1]["a"] == ["1"]
    with pytest.raises(UnreadableInputError, match="check 'encoding'"):
        read(tmp_path / "g.csv")


def test_numbers_in_json_keep_all_their_digits(tmp_path: Path) -> None:
    (tmp_path / "f.jsonl").write_text('{"a": 12345678901234567890, "b": 0.10}\n{"a": true, "b": NaN}\n')
    assert read(tmp_path / "f.jsonl")[1] == {"a": ["12345678901234567890", "true"], "b": ["0.10", "NaN"]}


def damaged() -> dict[str, tuple[bytes, type[SaakhError]]]:
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 50_000)
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": np.arange(9_000), "b": np.random.default_rng(1).random(9_000)}), sink)
    parquet = sink.getvalue().to_pybytes()
    return {
        "truncated.csv.gz": (packed[: len(packed) // 2], UnreadableInputError),
        "plain.csv.gz": (b"a,b\n1,2\n", UnreadableInputError),
        "truncated.parquet": (parquet[: len(parquet) // 2], UnreadableInputError),
        "scrambled.parquet": (parquet[:200] + bytes(4_000) + parquet[4_200:], UnreadableInputError),
        "text.parquet": (b"a,b\n1,2\n", UnreadableInputError),
        "cut.jsonl": (b'{"a": 1, "b": 2}\n{"a": 1, "b', UnreadableInputError),
        "list.jsonl": (b"[1, 2]\n", UnreadableInputError),
        "binary.csv": (b"a,b\n\xff\xfe\x00,1\n", UnreadableInputError),
        "empty.csv": (b"", EmptyInputError),
        "empty.jsonl": (b"\n", EmptyInputError),
        "table.xlsx": (b"", UnreadableInputError),
    }


@pytest.mark.parametrize("name", damaged())
def test_a_damaged_file_is_named_and_nothing_of_it_repeated(tmp_path: Path, name: str) -> None:
    content, kind = damaged()[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(kind, match=name) as caught:
        read(tmp_path / name)
    assert "1,2" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_the_line_of_a_broken_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "f.jsonl").write_text('{"a": 1}\n{"a": \n')
    with pytest.raises(UnreadableInputError, match="line 2 is not a JSON object"):
        read(tmp_path / "f.jsonl", ["a"])


def test_a_nested_field_is_a_fault_of_the_mapping(tmp_path: Path) -> None:
    (tmp_path / "f.jsonl").write_text('{"a": [1]}\n')
    with pytest.raises(MappingError, match="field 'a' holds lists"):
        read(tmp_path / "f.jsonl", ["a"])


def test_files_are_found_once_and_in_order(tmp_path: Path) -> None:
    for name in ("b/2.csv", "b/10.csv", "a.csv", "note.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a\n1\n")
    found = find(tmp_path, ["b/*.csv", "*.csv", "b/2.csv"])
    assert [p.relative_to(tmp_path).as_posix() for p in found] == ["a.csv", "b/10.csv", "b/2.csv"]
    with pytest.raises(MissingInputError, match=r"matches c/\*\.csv"):
        find(tmp_path, ["c/*.csv"])
    with pytest.raises(MissingInputError, match=r"set ingest\.source"):
        find(tmp_path / "none", ["*.csv"])


@pytest.mark.parametrize("body", ['1,"2\n3,4\n', '"1,2\n3,4\n5,6\n', '1,2\n3,"4\n5"\n'])
def test_a_quote_left_open_stops_the_file_for_it_takes_rows_along(tmp_path: Path, body: str) -> None:
    (tmp_path / "f.csv").write_text("a,b\n" + body)
    with pytest.raises(UnreadableInputError, match="is a quote left open there"):
        read(tmp_path / "f.csv")


def test_a_field_of_several_lines_that_is_not_read_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text('a,note,b\n1,"two\nlines",2\n3,,4\n')
    assert read(tmp_path / "f.csv")[:2] == ([2, 3], {"a": ["1", "3"], "b": ["2", "4"]})


@pytest.mark.parametrize("content", ["a,b", "a,b\n"])
def test_a_header_alone_is_no_rows(tmp_path: Path, content: str) -> None:
    (tmp_path / "f.csv").write_text(content)
    assert read(tmp_path / "f.csv") == ([], {"a": [], "b": []}, [])


def test_text_stored_as_bytes_as_views_or_as_nothing_but_nulls_is_read_as_text(tmp_path: Path) -> None:
    columns = {"a": pa.array([b"x", "é".encode()]), "b": pa.array(["x", "y"], pa.string_view()), "c": pa.nulls(2)}
    pq.write_table(pa.table(columns), tmp_path / "f.parquet")
    assert read(tmp_path / "f.parquet", ("a", "b", "c"))[1] == {"a": ["x", "é"], "b": ["x", "y"], "c": [None, None]}
    pq.write_table(pa.table({"a": pa.array([b"\xe9"])}), tmp_path / "g.parquet")
    with pytest.raises(UnreadableInputError, match="cannot be read"):
        read(tmp_path / "g.parquet", ("a",))


def test_an_empty_first_line_is_no_header(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("\na,b\n1,2\n")
    with pytest.raises(EmptyInputError, match="begins with an empty line"):
        read(tmp_path / "f.csv")


def test_a_field_twice_in_a_record_stops_the_file_for_one_value_would_be_lost(tmp_path: Path) -> None:
    (tmp_path / "f.jsonl").write_text('{"a": 1, "b": 2}\n{"a": 1, "b": 2, "a": 3}\n')
    with pytest.raises(UnreadableInputError, match="line 2 is not a JSON object with each field once"):
        read(tmp_path / "f.jsonl")
