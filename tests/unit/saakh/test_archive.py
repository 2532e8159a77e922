"""The container: an ordinary zip that has one byte form, and nothing that tricks a reader."""

import io
import zipfile

import pytest

from saakh import archive
from saakh.errors import ArtifactError, MissingInputError

MEMBERS = {"manifest.json": b"{}\n", "trees/value.f8": bytes(range(16)), "empty.json": b""}


def rezipped(write) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        write(out)
    return buffer.getvalue()


def test_members_come_back_as_they_went_in():
    assert archive.unpack(archive.pack(MEMBERS)) == MEMBERS


def test_any_zip_tool_reads_it():
    with zipfile.ZipFile(io.BytesIO(archive.pack(MEMBERS))) as opened:
        assert opened.testzip() is None
        assert {i.filename: opened.read(i) for i in opened.infolist()} == MEMBERS
        assert {i.date_time for i in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert opened.namelist() == sorted(MEMBERS)


def test_same_members_give_same_bytes_in_any_order():
    assert archive.pack(dict(reversed(MEMBERS.items()))) == archive.pack(MEMBERS)


@pytest.mark.parametrize("cut", [1, 22, 30, 100])
def test_truncated_file_is_refused(cut):
    with pytest.raises(ArtifactError):
        archive.unpack(archive.pack(MEMBERS)[:-cut])


@pytest.mark.parametrize(
    "raw",
    [b"", b"PK", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"not a zip", bytes(100)],
    ids=["empty", "two bytes", "a signature", "an empty zip", "text", "zeros"],
)
def test_what_is_no_zip_is_refused(raw):
    with pytest.raises(ArtifactError):
        archive.unpack(raw)


@pytest.mark.parametrize(
    "before, after", [(b"x", b""), (b"", b"x"), (b"PK\x03\x04", b""), (b"", b"PK\x05\x06" + bytes(18))]
)
def test_bytes_before_or_after_are_refused(before, after):
    with pytest.raises(ArtifactError):
        archive.unpack(before + archive.pack(MEMBERS) + after)


def test_one_changed_byte_names_the_member():
    raw = bytearray(archive.pack(MEMBERS))
    raw[raw.index(bytes(range(16)))] ^= 1
    with pytest.raises(ArtifactError, match=r"trees/value\.f8"):
        archive.unpack(bytes(raw))


def test_compressed_members_are_refused_so_there_are_no_bombs():
    bomb = rezipped(lambda z: z.writestr("manifest.json", bytes(10**7), zipfile.ZIP_DEFLATED))
    assert len(bomb) < 20_000
    with pytest.raises(ArtifactError):
        archive.unpack(bomb)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_used_twice_is_refused():
    def write(z):
        z.writestr("manifest.json", b"{}")
        z.writestr("manifest.json", b"[]")

    with pytest.raises(ArtifactError):
        archive.unpack(rezipped(write))


@pytest.mark.parametrize(
    "name", ["/etc/passwd.txt", "../up.json", "a/../b.json", "C:\\x.json", "a//b.json", "a", "é.json"]
)
def test_names_that_lead_elsewhere_are_refused(name):
    with pytest.raises(ArtifactError):
        archive.unpack(rezipped(lambda z: z.writestr(zipfile.ZipInfo(name), b"{}")))


def test_a_zip_made_by_another_tool_is_refused_with_advice():
    with pytest.raises(ArtifactError, match="copy it again"):
        archive.unpack(rezipped(lambda z: z.writestr("manifest.json", b"{}")))


def test_a_comment_on_the_archive_is_refused():
    def write(z):
        z.writestr(zipfile.ZipInfo("manifest.json"), b"{}")
        z.comment = b"hello"

    with pytest.raises(ArtifactError):
        archive.unpack(rezipped(write))


def test_too_many_members_are_refused():
    with pytest.raises(ArtifactError, match="members"):
        archive.unpack(archive.pack({f"m{i}.json": b"" for i in range(archive.MEMBERS_MAX + 1)}))


def test_a_file_too_large_is_refused_after_reading_no_more_than_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "BYTES_MAX", 1_000)
    (tmp_path / "large.saakh").write_bytes(bytes(5_000))
    with pytest.raises(ArtifactError, match="larger"):
        archive.read(tmp_path / "large.saakh")


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(MissingInputError, match="saakh export"):
        archive.read(tmp_path / "scorecard-0.1.0.saakh")
