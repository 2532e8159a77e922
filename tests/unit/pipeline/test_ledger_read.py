"""A ledger becomes consents: records of one artefact taken together by the strictest reading, or one clear error."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.tables import BY_NAME
from pipeline.canonical import schema
from pipeline.ledger.read import Ledger, read_ledger, rows
from pipeline.ledger.terms import Terms, Vocabulary
from pipeline.pseudonyms import Pseudonyms
from saakh.errors import ConsentError, EmptyInputError, SaakhError, UnreadableInputError
from tests.ledger_records import EARLIEST, LATEST, artefact, heard, lines, notice

PSEUDONYMS = Pseudonyms(bytes(32))
SECRET = "9876543210"


def read(*files: Path, words: Vocabulary | None = None) -> Ledger:
    return read_ledger({path.name: path for path in files}, words or Vocabulary(), EARLIEST, LATEST)


def only(*records: Any, words: Vocabulary | None = None) -> Terms:
    """The terms of the one artefact that the records tell of."""
    (told,) = heard(*records, words=words).artefacts.values()
    return told


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_an_artefact_becomes_a_row_a_category_and_purpose() -> None:
    words = Vocabulary(purposes={"103": frozenset({"score", "train"})})
    table = rows(heard(artefact(Purpose={"code": "103"}), words=words).artefacts, PSEUDONYMS)
    assert table.schema == schema(BY_NAME["consents"])
    found = table.to_pylist()
    assert [(row["category"], row["purpose"]) for row in found] == [
        ("airtime", "score"),
        ("airtime", "train"),
        ("location", "score"),
        ("location", "train"),
    ]
    assert found[0] == {
        "artefact_id": PSEUDONYMS.one("artefact", "C-1"),
        "person_id": PSEUDONYMS.one("person", "u1"),
        "category": "airtime",
        "purpose": "score",
        "starts_at": datetime(2026, 1, 1),
        "expires_at": datetime(2027, 1, 1),
        "revoked_at": None,
        "data_from": datetime(2025, 1, 1),
        "data_to": datetime(2026, 7, 1),
        "basis": "explicit",
        "given_at": datetime(2025, 12, 31, 23),
        "purpose_code": "103",
        "fetch_type": "periodic",
        "frequency_times": 2,
        "frequency_unit": "day",
        "data_life_days": 30,
    }


def test_rows_are_in_the_order_of_the_key() -> None:
    told = heard(*(artefact(f"C-{n}", customer=f"u{n}") for n in range(40))).artefacts
    key = [(row["artefact_id"], row["category"], row["purpose"]) for row in rows(told, PSEUDONYMS).to_pylist()]
    assert key == sorted(key)
    assert len(set(key)) == 80


def test_no_artefact_gives_no_row_of_the_same_table() -> None:
    assert rows({}, PSEUDONYMS).schema == schema(BY_NAME["consents"])


@pytest.mark.parametrize(
    ("records", "revoked_at"),
    [
        ([artefact()], None),
        ([artefact(), notice(at="2026-03-01T00:00:00Z")], "2026-03-01"),
        ([artefact(), notice(at="2026-03-01T05:30:00+05:30")], "2026-03-01"),
        ([artefact(), notice("PAUSED", at="2026-02-01T00:00:00Z"), notice("ACTIVE")], "2026-02-01"),
        ([artefact(), notice(), notice(at="2026-02-01T00:00:00Z"), notice(at="2026-04-01T00:00:00Z")], "2026-02-01"),
        ([artefact(status="REVOKED"), notice()], "2026-01-01"),
        ([artefact(status="PAUSED")], "2026-01-01"),
        ([artefact(), artefact(status="REVOKED")], "2026-01-01"),
        ([artefact(), notice(at="2025-06-01T00:00:00Z")], "2025-06-01"),
        ([artefact(), notice("ACTIVE")], None),
    ],
)
def test_the_earliest_withdrawal_counts_and_a_pause_is_one(records: list[Any], revoked_at: str | None) -> None:
    assert only(*records).revoked_at == (None if revoked_at is None else day(revoked_at))
    assert only(*reversed(records)) == only(*records)


@pytest.mark.parametrize(
    ("records", "expires_at"),
    [
        ([artefact(), notice("EXPIRED", at="2026-02-01T00:00:00Z")], "2026-02-01"),
        ([artefact(), notice("EXPIRED", at="2027-02-01T00:00:00Z")], "2027-01-01"),
        ([artefact(status="EXPIRED")], "2027-01-01"),
        ([artefact(status="EXPIRED") | {"timestamp": "2026-05-01T00:00:00Z"}], "2026-05-01"),
        ([artefact() | {"timestamp": "2026-05-01T00:00:00Z"}], "2027-01-01"),
    ],
)
def test_an_artefact_expires_when_first_said_to(records: list[Any], expires_at: str) -> None:
    assert only(*records).expires_at == day(expires_at)


def test_of_two_records_of_one_artefact_the_strictest_reading_wins() -> None:
    loose = artefact()
    other = artefact(
        consentStart="2026-02-01T00:00:00Z",
        consentExpiry="2026-12-01T00:00:00Z",
        fetchType="ONETIME",
        fiTypes=["airtime", "apps"],
        FIDataRange={"from": "2025-02-01T00:00:00Z", "to": "2026-08-01T00:00:00Z"},
        DataLife={"unit": "DAY", "value": 10},
        Frequency={"unit": "MONTH", "value": 59},
    ) | {"createTimestamp": "2026-01-02T00:00:00Z"}
    told = only(loose, other)
    assert told == only(other, loose, other)
    assert (told.starts_at, told.expires_at) == (day("2026-02-01"), day("2026-12-01"))
    assert (told.data_from, told.data_to) == (day("2025-02-01"), day("2026-07-01"))
    assert told.categories == {"airtime"}
    assert (told.fetch_type, told.frequency, told.data_life_days) == ("onetime", (59, "month"), 10)
    assert told.given_at == datetime(2025, 12, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other", "least"),
    [
        (("HOUR", 1), ("DAY", 24), (24, "day")),
        (("INF", 0), ("HOUR", 999), (999, "hour")),
        (("YEAR", 12), ("MONTH", 1), (12, "year")),
        (("DAY", 3), ("DAY", 0), (0, "day")),
    ],
)
def test_the_rarer_frequency_is_the_stricter(one: Any, other: Any, least: Any) -> None:
    records = [artefact(Frequency={"unit": unit, "value": value}) for unit, value in (one, other)]
    assert only(*records).frequency == only(*reversed(records)).frequency == least


@pytest.mark.parametrize(
    ("life", "days"),
    [(("DAY", 5), 5), (("MONTH", 2), 60), (("YEAR", 1), 365), (("INF", 0), None)],
)
def test_data_life_is_told_in_days_and_no_bound_is_missing(life: tuple[str, int], days: int | None) -> None:
    assert only(artefact(DataLife={"unit": life[0], "value": life[1]})).data_life_days == days
    bounded = artefact(DataLife={"unit": "DAY", "value": 7})
    assert only(artefact(DataLife={"unit": life[0], "value": life[1]}), bounded).data_life_days == min(days or 7, 7)


@pytest.mark.parametrize(
    ("types", "fi_types", "categories"),
    [
        (["PROFILE", "TRANSACTIONS"], ["profile", "apps"], {"profile", "apps"}),
        (["TRANSACTIONS"], ["profile", "apps"], {"apps"}),
        (["PROFILE"], ["profile", "apps"], {"profile"}),
        (["SUMMARY", "PROFILE"], ["profile", "DEPOSIT"], {"profile"}),
        (["TRANSACTIONS"], ["DEPOSIT", "MUTUAL_FUNDS"], {"payments", "credit"}),
    ],
)
def test_types_of_data_open_the_categories_the_mapping_says(
    types: list[str], fi_types: list[str], categories: set[str]
) -> None:
    words = Vocabulary({"DEPOSIT": frozenset({"payments", "credit"}), "MUTUAL_FUNDS": frozenset()})
    assert only(artefact(consentTypes=types, fiTypes=fi_types), words=words).categories == categories


@pytest.mark.parametrize(
    ("record", "words", "reason"),
    [
        (artefact(consentMode="VIEW"), Vocabulary(), "may not be kept"),
        (artefact(), Vocabulary(consumers=frozenset({"LENDER-2"})), "given to another"),
        (artefact(fiTypes=["NPS"]), Vocabulary({"NPS": frozenset()}), "opens nothing read here"),
        (artefact(consentTypes=["SUMMARY"]), Vocabulary(), "opens nothing read here"),
        (artefact(Purpose={"code": "101"}), Vocabulary(purposes={"101": frozenset()}), "opens nothing read here"),
    ],
)
def test_an_artefact_that_opens_nothing_here_is_left_out_and_counted(
    record: Any, words: Vocabulary, reason: str
) -> None:
    ledger = heard(record, words=words)
    assert not ledger.artefacts
    assert ledger.counts[f"artefacts left out: {reason}"] == 1


def test_one_record_that_may_not_be_kept_is_enough_to_leave_an_artefact_out() -> None:
    assert not heard(artefact(), artefact(consentMode="VIEW"), artefact()).artefacts


def test_the_customer_may_be_an_identifier_and_ids_are_read_as_in_every_source() -> None:
    assert only(artefact(), words=Vocabulary(identifier="MOBILE")).customer == "+91-u1"
    assert only(artefact(customer=" 7.0 ")).customer == "7"
    assert len(heard(artefact("7"), artefact("7.0"), artefact(" 7 ")).artefacts) == 1


def test_every_record_is_counted_whatever_the_order() -> None:
    other = artefact(consentExpiry="2026-06-01T00:00:00Z")
    records = [artefact(), other, artefact(), notice(), notice(), notice(name="C-9"), artefact("C-2")]
    expected = {
        "records": 7,
        "duplicates": 2,
        "artefacts": 2,
        "artefacts told differently": 1,
        "notices": 2,
        "notices about no artefact": 1,
    }
    assert heard(*records).counts == heard(*reversed(records)).counts == expected


def test_json_lines_and_parquet_tell_the_same(tmp_path: Path) -> None:
    records = [artefact(), artefact("C-2", DataProvider={"id": "OP", "type": "FIP"}), notice()]
    plain, packed, columns = tmp_path / "a.jsonl", tmp_path / "b.ndjson.gz", tmp_path / "c.parquet"
    plain.write_text("\n" + lines(*records))
    packed.write_bytes(gzip.compress(lines(*records).encode()))
    keys = dict.fromkeys(key for record in records for key in record)
    pq.write_table(pa.table({key: [record.get(key) for record in records] for key in keys}), columns)
    told = read(plain)
    assert read(packed) == told
    assert read(columns).artefacts == told.artefacts
    assert set(told.artefacts) == {"C-1", "C-2"}


def test_typed_times_of_parquet_are_read_when_they_carry_their_zone(tmp_path: Path) -> None:
    record = notice() | {"timestamp": datetime(2026, 3, 1, tzinfo=UTC)}
    pq.write_table(pa.Table.from_pylist([record]), tmp_path / "n.parquet")
    (tmp_path / "a.jsonl").write_text(lines(artefact()))
    assert read(tmp_path / "a.jsonl", tmp_path / "n.parquet").artefacts["C-1"].revoked_at == day("2026-03-01")
    pq.write_table(pa.Table.from_pylist([record | {"timestamp": datetime(2026, 3, 1)}]), tmp_path / "n.parquet")
    with pytest.raises(ConsentError, match=r"n.parquet: line 1: timestamp needs a time zone"):
        read(tmp_path / "n.parquet")


UNKNOWN_PURPOSE = artefact(Purpose={"code": SECRET, "text": SECRET}, customer=SECRET)
MALFORMED = [
    (lines(artefact(), UNKNOWN_PURPOSE), "line 2: ConsentDetail.Purpose.code is no purpose, nor under ledger.purposes"),
    (lines(artefact(fiTypes=[SECRET])), "line 1: ConsentDetail.fiTypes holds a type that is no category"),
    ("\n" + lines(artefact(), SECRET), "line 3: is not a JSON object with each key once"),
    (lines(artefact()) + f'{{"consentId": "{SECRET}"', "line 2: is not a JSON object"),
    (f'{{"consentId": "1", "consentId": "{SECRET}"}}', "line 1: is not a JSON object with each key once"),
    ("[" * 100_000, "line 1: is not a JSON object"),
    (lines(artefact(consentStart="1999-01-01T00:00:00Z")), "line 1: holds a time outside ingest.earliest and"),
    (lines(notice(at="2030-01-01T00:00:00Z")), "line 1: holds a time outside ingest.earliest and"),
    (
        lines(artefact(), artefact("C-2"), artefact(customer=SECRET)),
        "line 3: has the consentId of line 1 of ledger.jsonl, and another customer or data consumer",
    ),
    (lines(artefact(), artefact(DataConsumer={"id": SECRET})), "line 2: has the consentId of line 1"),
]


@pytest.mark.parametrize(("content", "said"), MALFORMED)
def test_a_malformed_ledger_is_one_error_with_file_line_and_rule_and_no_value(
    tmp_path: Path, content: str, said: str
) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text(content)
    with pytest.raises(ConsentError) as caught:
        read(path)
    assert f"ledger.jsonl: {said}" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_of_many_faults_the_first_few_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text(lines(*({} for _ in range(4_000))))
    with pytest.raises(ConsentError, match=r"line 1: consentId is missing;.* and 11,995 more\. Correct it"):
        read(path)


@pytest.mark.parametrize(
    ("name", "content", "error", "said"),
    [
        ("ledger.csv", b"a,b\n", UnreadableInputError, "a ledger is JSON Lines or Parquet"),
        ("ledger.parquet", b"PAR1 nothing PAR1", UnreadableInputError, "damaged or truncated"),
        ("ledger.jsonl.gz", b"no gzip", UnreadableInputError, "damaged or truncated"),
        ("ledger.jsonl", b"\xff\xfe\xfa", UnreadableInputError, "damaged or truncated"),
        ("ledger.jsonl", b"\n\n", EmptyInputError, "holds no record"),
    ],
)
def test_a_damaged_or_empty_file_says_so(
    tmp_path: Path, name: str, content: bytes, error: type[SaakhError], said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=said):
        read(tmp_path / name)


def test_a_missing_identifier_is_a_fault_of_the_record(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text(json.dumps(artefact()))
    with pytest.raises(ConsentError, match="has no identifiers of type PAN"):
        read(path, words=Vocabulary(identifier="PAN"))
