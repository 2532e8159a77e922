"""The door: what no mapping can let in, and the one form in which the rest may pass."""

from pathlib import Path

import pytest

from pipeline.ingest.door import FORBIDDEN, Form, bare, kind_of
from pipeline.init import draft
from saakh.errors import ContractError, MappingError
from tests.lender_drop import GOOD, HEADER, TOPUPS, Drop, mapping


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    return Drop(tmp_path)


def topups(**columns: object) -> dict[str, object]:
    return mapping({**TOPUPS, "columns": {**TOPUPS["columns"], **columns}})


@pytest.mark.parametrize("name", ["Message Text", "SMS_BODY", "contactName", "installed-apps", "Selfie", "LAT", "pan"])
def test_a_forbidden_column_is_known_in_any_spelling(name: str) -> None:
    assert kind_of(name) is not None


@pytest.mark.parametrize("name", ["user", "contact", "app", "number", "amount", "bundle", "place", "channel"])
def test_an_ordinary_column_is_not(name: str) -> None:
    assert kind_of(name) is None


def test_no_name_is_of_two_kinds() -> None:
    names = [bare(name) for kind in FORBIDDEN for name in kind.names]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("column", ["message_text", "Contact Name", "photo", "installed_apps", "latitude", "email"])
def test_a_file_that_holds_one_is_turned_away_though_the_mapping_says_nothing(drop: Drop, column: str) -> None:
    drop.write("topups.csv", HEADER.replace("user", f"{column},user", 1) + "Asha," + GOOD)
    with pytest.raises(ContractError, match="is taken in as it is") as caught:
        drop.ingest(topups())
    assert column in str(caught.value)
    assert "Asha" not in str(caught.value)
    assert not (drop.root / "run/ingest").exists()


def test_one_that_only_a_later_json_record_holds_is_found(drop: Drop) -> None:
    good = '{"user": "u1", "at": "2026-01-05 10:00:00", "got": "2026-01-05 10:05:00", "rupees": 5, "kind": "data"'
    drop.write("topups.jsonl", f'{good}, "advance": "no"}}\n{good}, "advance": "no", "sms_body": "Asha"}}\n')
    with pytest.raises(ContractError, match="sms_body \\(the text of messages\\)"):
        drop.ingest(mapping({**TOPUPS, "files": "topups.jsonl"}))


def test_it_may_lie_there_unread_with_a_reason(drop: Drop) -> None:
    drop.write("topups.csv", HEADER.replace("user", "message_text,user", 1) + "Asha," + GOOD)
    done = drop.ingest(mapping({**TOPUPS, "drop": {"message_text": "what was written is nobody's business"}}))
    assert done.report["tables"]["topups"]["rows_kept"] == 1
    assert all(b"Asha" not in held for held in done.bytes.values())


@pytest.mark.parametrize("form", [Form.NOTHING, Form.CELL])
def test_what_has_no_form_of_a_pseudonym_is_read_as_none(drop: Drop, form: Form) -> None:
    name = next(kind.names[0] for kind in FORBIDDEN if kind.form is form)
    drop.write("topups.csv", HEADER + GOOD)
    with pytest.raises(MappingError, match=f"read from '{name}'"):
        drop.ingest(topups(retailer_id=name))


def test_a_name_or_a_number_may_become_a_pseudonym_and_nothing_else(drop: Drop) -> None:
    drop.write("topups.csv", HEADER.replace("user", "phone_number", 1) + GOOD)
    assert drop.ingest(topups(person_id="phone_number")).report["rows_kept"] == 1
    with pytest.raises(MappingError, match="that may become a keyed pseudonym"):
        drop.ingest(topups(bundle={"from": "contact_name", "otherwise": "data"}))


def test_a_draft_of_a_mapping_marks_it(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/calls.csv").write_text("user,time,callee_name,photo,number,duration_s\n")
    draft(tmp_path / "raw", tmp_path / "mine.yaml")
    assert "refused: callee_name, photo. Have them taken out at the source." in (tmp_path / "mine.yaml").read_text()
