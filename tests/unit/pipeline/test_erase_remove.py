"""A person's records go from raw files of every format; of others only the fields that name the person change."""

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.erase.find import Found, Looker
from pipeline.erase.remove import refuse_unwritable, rewrite, taken
from pipeline.ingest.mapping import read_mapping
from pipeline.pseudonyms import Pseudonyms
from pipeline.retention.errors import ErasureError
from tests.ledger_records import artefact, lines, notice
from tests.lender_drop import CALLS, KEY, TOPUPS, Drop, mapping

PSEUDONYMS = Pseudonyms(bytes.fromhex(KEY))
NUMBERS: dict[str, Any] = {
    "files": "numbers.csv",
    "table": "contact_names",
    "columns": {"person_id": "user", "event_at": "at", "available_at": {"like": "event_at"}, "contact_id": "other"},
}
TOMBSTONE = "erased-1"


def person(raw: str) -> str:
    return PSEUDONYMS.one("person", raw)


def looked(drop: Drop, content: dict[str, Any], *people: str, numbers: tuple[str, ...] = ()) -> Found:
    params = drop.params(content)
    looker = Looker(read_mapping(params.ingest.mapping), params.ingest.source, PSEUDONYMS)
    return looker.look(frozenset(map(person, people)), frozenset(numbers))


def taken_out(drop: Drop, content: dict[str, Any], *people: str, numbers: tuple[str, ...] = ()) -> Found:
    found = looked(drop, content, *people, numbers=numbers)
    named = {(d, PSEUDONYMS.one(d, n)): TOMBSTONE for d in ("contact", "counterparty") for n in found.numbers}
    for mark in found.marks.values():
        rewrite(mark, named)
    return found


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    return Drop(tmp_path)


def test_csv_keeps_the_bytes_of_every_other_row(drop):
    header, one, two = "user,other,at,way,note\r\n", 'u1,c,2026-01-05 10:00:00,in,"a, ""b""\nc"\r\n', " u2 ,c,x,in,\n"
    path = drop.write("calls.csv", header + one + two + one.replace("u1", "u3") + two + "u2.0,c,x,in,")
    found = taken_out(drop, mapping(CALLS), "u2")
    assert path.read_bytes().decode() == header + one + one.replace("u1", "u3") + "u2.0,c,x,in,"
    assert found.rows == {"calls": 2}
    assert found.raw == {"u2"}


def test_ids_are_read_as_ingest_reads_them(drop):
    path = drop.write("calls.csv", "user,other,at,way\n7,c,x,in\n 7.0 ,c,x,in\n07,c,x,in\nNULL,c,x,in\n")
    taken_out(drop, mapping(CALLS), "7")
    assert path.read_text() == "user,other,at,way\n07,c,x,in\nNULL,c,x,in\n"


def test_rows_that_cannot_be_split_go_when_a_field_of_theirs_is_the_persons(drop):
    rows = "u1,c,x,in\nu1,c,x,in,too,many\nu2,c\n,u1\nu2,u11,x,in,more\n"
    path = drop.write("calls.csv", "user,other,at,way\n" + rows)
    found = taken_out(drop, mapping(CALLS), "u1")
    assert path.read_text() == "user,other,at,way\nu2,c\nu2,u11,x,in,more\n"
    assert found.rows == {"calls": 3}


def test_other_delimiters_and_encodings_stay(drop):
    source = CALLS | {"delimiter": ";", "encoding": "latin-1"}
    path = drop.write("calls.csv", "user;other;at;way;né\nu1;c;x;in;é\nu2;c;x;in;ü\n".encode("latin-1"))
    taken_out(drop, mapping(source), "u1")
    assert path.read_bytes() == "user;other;at;way;né\nu2;c;x;in;ü\n".encode("latin-1")


def test_packed_files_are_packed_again_without_a_time(drop):
    path = drop.write("calls.csv.gz", gzip.compress(b"user,other,at,way\nu1,c,x,in\nu2,c,x,in\n"))
    taken_out(drop, mapping(CALLS), "u1")
    assert gzip.decompress(path.read_bytes()) == b"user,other,at,way\nu2,c,x,in\n"
    assert path.read_bytes()[4:8] == bytes(4)


def test_json_lines_keep_their_blanks_and_their_order(drop):
    kept = '{"way": "in",  "user": "u2", "other": 5, "at": "x"}\n'
    path = drop.write("calls.jsonl", '{"user": "u1", "other": 5, "at": "x", "way": "in"}\n\n' + kept)
    taken_out(drop, mapping(CALLS), "u1")
    assert path.read_text() == "\n" + kept


def calls(users: list[str], others: list[Any], **kinds: pa.DataType) -> pa.Table:
    fixed = {"at": ["2026-01-05T10:00:00Z"] * len(users), "way": ["in"] * len(users)}
    return pa.table({"user": users, "other": pa.array(others, kinds.get("other")), **fixed})


def test_parquet_keeps_rows_groups_types_and_compression_and_no_dictionary_of_what_went(drop):
    table = calls(["u1", "u2", "u1", "u3"], ["a", "b", "c", None])
    coded = table.set_column(0, "user", table["user"].dictionary_encode()).replace_schema_metadata({"by": "them"})
    path = drop.root / "raw/calls.parquet"
    path.parent.mkdir()
    pq.write_table(coded, path, row_group_size=2, compression={"user": "gzip", "other": "none"})
    found = taken_out(drop, mapping(CALLS), "u1")
    after = pq.ParquetFile(path)
    assert after.read().to_pydict() == coded.take([1, 3]).to_pydict()
    assert (after.schema_arrow, after.schema_arrow.metadata) == (coded.schema, {b"by": b"them"})
    assert [after.metadata.row_group(g).num_rows for g in range(after.num_row_groups)] == [1, 1]
    assert [after.metadata.row_group(0).column(c).compression for c in (0, 1)] == ["GZIP", "UNCOMPRESSED"]
    assert b"u1" not in path.read_bytes()
    assert found.rows == {"calls": 2}


def test_others_who_name_the_person_get_a_tombstone_and_nobody_else_is_touched(drop):
    drop.write("numbers.csv", "user,at,other\nu1,x,+91-1\nu2,x,+91-2\n")
    csv = drop.write("calls.csv", "user,other,at,way\nu1,+91-2,x,in\nu2,+91-1,x,in\nu2, +91-2 ,x,in\n")
    text = '{"user": "u2", "other": "+91-1", "at": "x", "way": "in"}\n'
    packed = drop.write("calls.jsonl.gz", gzip.compress((text + text.replace("+91-1", "+91-3")).encode()))
    table = drop.write("calls.parquet", calls(["u3", "u3", "u1"], ["+91-1", None, "+91-1"]))
    found = taken_out(drop, mapping(CALLS, NUMBERS), "u1")
    assert csv.read_text() == f"user,other,at,way\nu2,{TOMBSTONE},x,in\nu2, +91-2 ,x,in\n"
    assert gzip.decompress(packed.read_bytes()).decode() == text.replace("+91-1", TOMBSTONE) + text.replace("-1", "-3")
    assert pq.read_table(table)["other"].to_pylist() == [TOMBSTONE, None]
    assert (drop.root / "raw/numbers.csv").read_text() == "user,at,other\nu2,x,+91-2\n"
    assert (found.named, found.affected) == (3, {person("u2"), person("u3")})
    assert found.numbers == {"+91-1"}


def test_a_number_may_be_given_and_one_that_another_person_has_too_stays(drop):
    drop.write("numbers.csv", "user,at,other\nu1,x,shared\nu2,x,shared\n")
    path = drop.write("calls.csv", "user,other,at,way\nu3,shared,x,in\nu3,given,x,in\n")
    taken_out(drop, mapping(CALLS, NUMBERS), "u1", numbers=("given",))
    assert path.read_text() == f"user,other,at,way\nu3,shared,x,in\nu3,{TOMBSTONE},x,in\n"


def test_a_ledger_loses_the_persons_artefacts_and_the_notices_about_them(drop):
    told = mapping(TOPUPS | {"files": "topups.csv"}, ledger={"files": ["ledger/*.jsonl"]})
    del told["consent"]
    drop.write("topups.csv", "user,at,got,rupees,kind,advance\nu2,2026-01-05 10:00:00,2026-01-05 10:05:00,1,data,no\n")
    first = drop.write("ledger/1.jsonl", lines(notice(), artefact("C-2", customer="u2"), notice(name="C-2")))
    second = drop.write("ledger/2.jsonl", lines(artefact(), notice(name="C-9")))
    found = taken_out(drop, told, "u1")
    assert first.read_text() == lines(artefact("C-2", customer="u2"), notice(name="C-2"))
    assert second.read_text() == lines(notice(name="C-9"))
    assert found.rows == {"consents": 2, "topups": 0}


def test_a_file_that_was_the_persons_alone_goes_unless_it_is_the_last(drop):
    one = drop.write("calls-1.jsonl", '{"user": "u1", "other": 5, "at": "x", "way": "in"}\n')
    two = drop.write("calls-2.csv", "user,other,at,way\nu1,c,x,in\n")
    found = looked(drop, mapping(CALLS), "u1")
    rewrite(found.marks[one], {}, is_last=False)
    rewrite(found.marks[two], {}, is_last=True)
    assert not one.exists()
    assert two.read_text() == "user,other,at,way\n"


def test_a_file_that_changed_since_it_was_looked_through_is_left_as_it_is(drop):
    path = drop.write("calls.csv", "user,other,at,way\nu2,c,x,in\nu1,c,x,in\n")
    found = looked(drop, mapping(CALLS), "u1")
    path.write_text("user,other,at,way\nu1,c,x,in\n")
    with pytest.raises(ErasureError, match="changed since it was looked through"):
        rewrite(found.marks[path], {})
    assert path.read_text() == "user,other,at,way\nu1,c,x,in\n"
    assert [p.name for p in path.parent.iterdir()] == ["calls.csv"]


def test_a_link_is_followed_to_the_bytes(drop, tmp_path):
    kept = tmp_path / "elsewhere.csv"
    kept.write_text("user,other,at,way\nu1,c,x,in\nu2,c,x,in\n")
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/calls.csv").symlink_to(kept)
    taken_out(drop, mapping(CALLS), "u1")
    assert (tmp_path / "raw/calls.csv").is_symlink()
    assert kept.read_text() == "user,other,at,way\nu2,c,x,in\n"


def test_modes_stay(drop):
    path = drop.write("calls.csv", "user,other,at,way\nu1,c,x,in\nu2,c,x,in\n")
    path.chmod(0o640)
    taken_out(drop, mapping(CALLS), "u1")
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_is_taken_out_can_be_kept_with_its_header(drop):
    csv = drop.write("calls.csv", "user,other,at,way\nu1,c,x,in\nu2,c,x,in\n")
    table = drop.write("calls.parquet", calls(["u2", "u1"], ["a", "b"]))
    found = looked(drop, mapping(CALLS), "u1", "u2")
    assert taken(found.marks[csv], person("u1")) == b"user,other,at,way\nu1,c,x,in\n"
    kept = pq.read_table(pa.BufferReader(taken(found.marks[table], person("u1"))))
    assert kept.to_pylist() == calls(["u1"], ["b"]).to_pylist()


def test_a_constant_person_is_that_person_in_every_row(drop):
    source = CALLS | {"columns": CALLS["columns"] | {"person_id": {"constant": "u1"}}}
    path = drop.write("calls.csv", "other,at,way\nc,x,in\nd,x,in\n")
    taken_out(drop, mapping(source), "u1")
    assert path.read_text() == "other,at,way\n"


def test_an_id_of_several_columns_is_found_by_its_pseudonym(drop):
    source = CALLS | {"columns": CALLS["columns"] | {"person_id": ["user", "at"]}}
    path = drop.write("calls.csv", "user,other,at,way\nu1,c,x,in\nu1,c,y,in\n")
    params = drop.params(mapping(source))
    looker = Looker(read_mapping(params.ingest.mapping), params.ingest.source, PSEUDONYMS)
    found = looker.look(frozenset({PSEUDONYMS.one("person", "u1\x1fx")}))
    rewrite(found.marks[path], {})
    assert path.read_text() == "user,other,at,way\nu1,c,y,in\n"


def test_nobody_is_in_the_representation_of_what_is_looked_for(drop):
    from pipeline.erase.search import Names

    assert "u1" not in repr(Names(frozenset({"u1"})))


def test_drops_that_cannot_be_written_are_refused_before_anything_is_changed(drop, monkeypatch):
    path = drop.write("calls.csv", "user,other,at,way\nu1,c,x,in\nu2,c,x,in\n")
    found = looked(drop, mapping(CALLS), "u1")
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write anywhere
    with pytest.raises(ErasureError, match=r"cannot be written: calls\.csv"):
        refuse_unwritable(found.marks)
    assert "u1" in path.read_text()
