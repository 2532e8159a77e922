"""Ways in which a run fails, each as a user meets it, with canaries wherever a message could pick one up.

Each function spoils a house and says which command then fails; its exit code tells that it failed as meant.
"""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.canaries import NAME, NUMBER
from tests.house import House

CONFIG, MAPPING, MISSING, UNREADABLE, EMPTY, CONTRACT, CONSENT, ARTIFACT, AUDIT = 3, 4, 5, 6, 7, 8, 9, 11, 13
ASHA = f"{NAME} Asha"
Spoil = Callable[[House], None]
LATER = ("ingest", "cohort", "label", "derive", "train", "evaluate", "explain", "export")


@dataclass(frozen=True)
class Failing:
    """A way to fail: what to run, the exit code, and the stages that must have been run before.

    `code` is None where it hangs on who notices first.
    """

    spoil: Spoil
    command: tuple[str, ...]
    code: int | None
    stages: tuple[str, ...] = ()
    before: str = ""

    @property
    def name(self) -> str:
        return self.spoil.__name__


FAILING: list[Failing] = []


def fails(
    command: str, code: int | None, *stages: str, before: str = ""
) -> Callable[[Callable[[House], None]], object]:
    """Registers a way to fail."""

    def register(spoil: Callable[[House], None]) -> object:
        FAILING.append(Failing(spoil, tuple(command.split()), code, stages, before))
        return spoil

    return register


def first(house: House, table: str) -> Path:
    return sorted((house.raw / table).glob("*.parquet"))[0]


def with_column(path: Path, name: str, column: pa.Array | None = None) -> None:
    """Add a column to a Parquet file, or put one in the place of another; without, one of canaries."""
    table = pq.read_table(path)
    values = pa.array([f"{ASHA} {row}" for row in range(table.num_rows)]) if column is None else column
    if name in table.column_names:
        table = table.set_column(table.column_names.index(name), name, values)
    else:
        table = table.append_column(name, values)
    pq.write_table(table, path)


def rows(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)


def append(path: Path, text: str) -> None:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "at") as stream:
        stream.write(text)


# Parameters, mappings and keys


@fails("ingest --params nowhere.yaml", MISSING)
def parameters_are_not_there(house: House) -> None:
    """Nothing to spoil."""


@fails("ingest --params raw/people.jsonl", UNREADABLE)
def parameters_are_a_drop(house: House) -> None:
    """Nothing to spoil: a file of people where parameters belong."""


@fails("ingest --params one.yaml", CONFIG)
def parameters_are_one_persons_record(house: House) -> None:
    house.write("one.yaml", json.dumps({"person": ASHA, "number": f"{NUMBER}1"}))


@fails("label", CONFIG)
def a_parameter_is_impossible(house: House) -> None:
    house.params(label={"dpd_days": -3})


@fails("ingest", MAPPING)
def the_mapping_has_an_unknown_key(house: House) -> None:
    house.source("calls", colums={})


@fails("ingest", MAPPING)
def the_mapping_is_a_drop(house: House) -> None:
    (house.root / "mapping.yaml").write_text(json.dumps({"person": ASHA, "sources": [{"files": ASHA}]}))


@fails("ingest", MAPPING)
def the_mapping_names_a_column_that_is_not_there(house: House) -> None:
    house.source("devices", columns={**house.read("mapping.yaml")["sources"][4]["columns"], "brand": "maker"})


@fails("ingest", MAPPING)
def the_mapping_reads_text_as_a_category(house: House) -> None:
    house.source("messages", drop={}, columns={"person_id": "person", "sender_class": "message_text"})


@fails("ingest", MISSING)
def the_key_is_gone(house: House) -> None:
    house.params(ingest={"key_file": "gone.txt"})


@fails("ingest", CONFIG)
def the_key_is_no_key(house: House) -> None:
    house.write("bad.txt", ASHA)
    house.params(ingest={"key_file": "bad.txt"})


@fails("ingest", CONFIG)
def the_key_stands_where_its_place_belongs(house: House) -> None:
    house.params(ingest={"key_file": None, "key_env": house.key})


@fails("ingest", CONFIG)
def the_keyring_does_not_answer(house: House) -> None:
    house.params(ingest={"key_file": None, "key_ring": "saakh/pseudonyms"})


# What arrives


@fails("ingest", CONTRACT)
def a_refused_column_arrives(house: House) -> None:
    with_column(first(house, "payments"), "upi_id")


@fails("ingest", CONTRACT)
def a_column_arrives_that_nobody_may_hand_over(house: House) -> None:
    with_column(first(house, "web_visits"), "page_url")


@fails("ingest", CONTRACT)
def a_later_record_brings_a_refused_field(house: House) -> None:
    append(house.raw / "people.jsonl", json.dumps({"person": ASHA, "full_name": ASHA}) + "\n")


@fails("ingest", MISSING)
def a_source_has_no_file(house: House) -> None:
    for path in (house.raw / "topups").iterdir():
        path.unlink()


@fails("ingest", MAPPING)
def a_header_is_missing(house: House) -> None:
    lines = (house.raw / "applications.csv").read_text().splitlines(keepends=True)
    (house.raw / "applications.csv").write_text("".join(lines[1:]))


@fails("ingest", CONTRACT)
def a_column_is_there_twice(house: House) -> None:
    text = (house.raw / "applications.csv").read_text()
    (house.raw / "applications.csv").write_text(text.replace("remark", "person", 1))


@fails("ingest", UNREADABLE)
def a_quote_is_left_open(house: House) -> None:
    append(house.raw / "applications.csv", f'"{ASHA}\n{ASHA},\n{ASHA}\n')


@fails("ingest", UNREADABLE)
def a_file_is_of_another_encoding(house: House) -> None:
    with (house.raw / "applications.csv").open("ab") as stream:
        stream.write(f"{ASHA} \u00e9t\u00e9,{ASHA}\n".encode("latin-1"))


@fails("ingest", EMPTY)
def a_file_is_empty(house: House) -> None:
    (house.raw / "people.jsonl").write_text("\n\n")


@fails("ingest", UNREADABLE)
def a_packed_file_is_cut_off(house: House) -> None:
    body = (house.raw / "repayments.csv.gz").read_bytes()
    (house.raw / "repayments.csv.gz").write_bytes(body[: len(body) // 2])


@fails("ingest", UNREADABLE)
def a_record_is_broken(house: House) -> None:
    append(house.raw / "people.jsonl", f'{{"person": "{ASHA}", "household_size": {NAME}\n')


@fails("ingest", UNREADABLE)
def a_field_is_there_twice(house: House) -> None:
    append(house.raw / "people.jsonl", f'{{"person": "{ASHA}", "person": "{ASHA} again"}}\n')


@fails("ingest", MAPPING)
def a_field_holds_a_list(house: House) -> None:
    append(house.raw / "people.jsonl", json.dumps({"person": [ASHA, f"{NUMBER}2"]}) + "\n")


@fails("ingest", UNREADABLE)
def a_parquet_file_is_damaged(house: House) -> None:
    path = first(house, "calls")
    body = path.read_bytes()
    path.write_bytes(body[:200] + ASHA.encode() * 40 + body[200 + 40 * len(ASHA) :])


@fails("ingest", MAPPING)
def a_column_is_of_an_impossible_type(house: House) -> None:
    path = first(house, "topups")
    with_column(path, "amount_rupees", pa.array([[ASHA]] * rows(path)))


@fails("ingest", MAPPING)
def a_time_is_a_group_of_fields(house: House) -> None:
    path = first(house, "topups")
    with_column(path, "happened_at", pa.array([{"who": ASHA}] * rows(path)))


@fails("run", CONTRACT)
def too_many_rows_are_turned_away(house: House) -> None:
    with_column(first(house, "calls"), "duration_s")


@fails("run", CONTRACT)
def a_row_comes_twice_with_another_value(house: House) -> None:
    lines = (house.raw / "applications.csv").read_text().splitlines()
    append(house.raw / "applications.csv", lines[1].replace(",app,", ",web,").replace("true", "false", 1) + "\n")


def ledger(house: House, *records: object) -> None:
    """Consent by a ledger of these records instead of rows."""
    said = house.read("mapping.yaml")
    said["sources"] = [source for source in said["sources"] if source["table"] != "consents"]
    house.write("mapping.yaml", said | {"ledger": {"files": "ledger.jsonl"}})
    (house.raw / "ledger.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


def artefact(**more: object) -> dict[str, object]:
    detail = {"consentStart": "2026-01-01T10:00:00Z", "consentExpiry": "2027-01-01T00:00:00Z", "consentMode": "STORE"}
    detail |= {"fetchType": "PERIODIC", "consentTypes": ["TRANSACTIONS"], "fiTypes": ["calls"]}
    detail |= {"Customer": {"id": ASHA}}
    detail |= {"DataConsumer": {"id": ASHA, "type": "FIU"}, "Purpose": {"code": "score", "text": ASHA}}
    said = {"ver": "2.0.0", "consentId": f"{NAME}-1", "status": "ACTIVE", "createTimestamp": "2026-01-01T09:59:00Z"}
    return said | {"ConsentDetail": detail | more}


@fails("ingest", CONSENT)
def a_consent_has_an_unknown_key(house: House) -> None:
    ledger(house, artefact(**{ASHA: NUMBER}))


@fails("ingest", CONSENT)
def a_consent_is_for_an_unknown_purpose(house: House) -> None:
    ledger(house, artefact(Purpose={"code": ASHA, "text": ASHA}))


@fails("ingest", CONSENT)
def a_consent_starts_at_no_time(house: House) -> None:
    ledger(house, artefact(consentStart=ASHA))


@fails("ingest", CONSENT)
def a_ledger_holds_something_else(house: House) -> None:
    ledger(house, [ASHA, NUMBER])
