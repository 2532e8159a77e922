"""Outputs appear whole or not at all, and what was there before stays until they do."""

from pathlib import Path

import pytest

from pipeline.workspace import whole_folder


def filled(folder: Path, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "file").write_text(text)


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    filled(tmp_path / "ingest", "old")
    (tmp_path / "ingest/older").write_text("")
    with whole_folder(tmp_path / "ingest") as out:
        filled(out, "new")
    assert [(p.name, p.read_text()) for p in (tmp_path / "ingest").iterdir()] == [("file", "new")]
    assert [p.name for p in tmp_path.iterdir()] == ["ingest"]


def test_a_folder_that_cannot_take_its_place_leaves_the_former_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path / "ingest", "old")
    move = Path.replace

    def full(self: Path, target: Path) -> Path:
        if (self / "file").read_text() == "new":
            raise OSError
        return move(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError), whole_folder(tmp_path / "ingest") as out:
        filled(out, "new")
    assert (tmp_path / "ingest/file").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["ingest"]


def test_a_file_in_the_folders_place_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ingest").write_text("mine")
    with pytest.raises(NotADirectoryError), whole_folder(tmp_path / "ingest") as out:
        filled(out, "new")
    assert (tmp_path / "ingest").read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["ingest"]
