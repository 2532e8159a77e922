"""Names are found wherever they stand, packed or not; what merely resembles them is not."""

import gzip
import sqlite3
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.erase import search as searching
from pipeline.erase.search import Names, files_naming

NAME = "0123456789abcdef0123456789abcdef"
RAW = "P00000012"
NAMES = Names(frozenset({NAME, "f" * 32}), frozenset({RAW, "7", "9876543210"}))


def found(folder, *leave_out):
    searched, paths = files_naming([folder], NAMES, leave_out)
    assert searched >= len(paths)
    return [path.name for path in paths]


@pytest.mark.parametrize("text", [NAME, f"x{NAME}0", f"\n{RAW},", f'"{RAW}"', RAW, f"{RAW}-1", "+9876543210"])
def test_a_name_is_found_in_text(tmp_path, text):
    (tmp_path / "a.txt").write_text(text)
    assert found(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("text", ["", "7", NAME[:-1], NAME.upper(), f"x{RAW}", f"{RAW}3", "19876543210"])
def test_what_resembles_a_name_is_none(tmp_path, text):
    (tmp_path / "a.txt").write_text(text)
    assert found(tmp_path) == []


def test_a_name_is_found_across_pieces_and_not_made_up_at_their_edges(tmp_path, monkeypatch):
    monkeypatch.setattr(searching, "PIECE", 16)
    for before in range(60):
        (tmp_path / "a.txt").write_text("x" * before + NAME + "y" * 5)
        assert found(tmp_path) == ["a.txt"], before
        (tmp_path / "a.txt").write_text("x" * before + f",{RAW}," + "y" * 40)
        assert found(tmp_path) == ["a.txt"], before
        (tmp_path / "a.txt").write_text("x" * before + f"Q{RAW}0" + "y" * 40)
        assert found(tmp_path) == [], before


def test_packed_files_are_looked_into(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(NAME.encode()))
    with zipfile.ZipFile(tmp_path / "b.saakh", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("train.json", f"{{{RAW}}}")
    (tmp_path / "c.gz").write_bytes(b"\x1f\x8b no gzip " + NAME.encode())
    (tmp_path / "d.gz").write_bytes(gzip.compress(b"nobody"))
    assert found(tmp_path) == ["a.gz", "b.saakh", "c.gz"]


def test_parquet_is_read_by_column_whatever_it_is_called(tmp_path):
    def write(name, column, **how):
        pq.write_table(pa.table({"id": column}), tmp_path / name, **how)

    write("text", [None, NAME])
    write("binary", pa.array([RAW.encode()]))
    write("number", pa.array([9876543210]))
    write("nested", pa.array([{"a": [{"b": RAW}]}]))
    write("second-group", [str(i) for i in range(9)] + [NAME], row_group_size=3)
    write("nobody", ["a"])
    unused = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), pa.array(["a", NAME]))
    write("value-without-a-row", unused)
    pq.write_table(pa.table({"id": ["a"]}).replace_schema_metadata({"made for": RAW}), tmp_path / "metadata")
    everywhere = ["binary", "metadata", "nested", "number", "second-group", "text", "value-without-a-row"]
    assert found(tmp_path) == everywhere


def test_deleted_rows_of_a_database_are_seen_until_its_pages_are_written_anew(tmp_path):
    with sqlite3.connect(tmp_path / "a.db") as store:
        store.execute("PRAGMA secure_delete = OFF")
        store.execute("CREATE TABLE runs (id TEXT)")
        store.execute("INSERT INTO runs VALUES (?), ('other')", [NAME])
    assert found(tmp_path) == ["a.db"]
    with sqlite3.connect(tmp_path / "a.db") as store:
        store.execute("PRAGMA secure_delete = OFF")
        store.execute("DELETE FROM runs WHERE id = ?", [NAME])
    assert found(tmp_path) == ["a.db"]
    store.execute("VACUUM")
    store.close()
    assert found(tmp_path) == []


def test_folders_can_be_left_out_and_links_are_followed_once(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b.txt").write_text(NAME)
    (tmp_path / "c.txt").symlink_to(tmp_path / "a/b.txt")
    assert found(tmp_path) == ["b.txt"]
    assert found(tmp_path, tmp_path / "a") == ["c.txt"]
