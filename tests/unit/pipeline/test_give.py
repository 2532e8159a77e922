"""A table given out: only what was agreed to be shared, no record of few, under pseudonyms for one recipient."""

import csv
import stat
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features import tables
from features.tables import BY_NAME
from pipeline.audit import path_of
from pipeline.audit.register import shares
from pipeline.canonical import schema
from pipeline.engines import write_table
from pipeline.params import Params
from pipeline.pseudonyms import Pseudonyms
from pipeline.reidentify.give import Wanted, export_table
from pipeline.workspace import Workspace, digest
from saakh.errors import ConfigError, ConsentError, ContractError, SaakhError

KEY = "5f" * 32
PEOPLE = [f"{n:032x}" for n in range(40)]
FIRST = datetime(2026, 3, 2, 9)

Row = dict[str, Any]


def applications(channel: str = "app", **more: Any) -> list[Row]:
    """An application each in March, for 10,001 to 10,040 minor units."""
    return [
        {
            "application_id": f"a{person[1:]}",
            "person_id": person,
            "applied_at": FIRST + timedelta(hours=n),
            "is_accepted": True,
            "amount_minor": 10_001 + n,
            "channel": channel,
        }
        | more
        for n, person in enumerate(PEOPLE)
    ]


def consent(person: str, purpose: str = "share", category: str = "credit", **more: Any) -> dict[str, Any]:
    basis = {"artefact_id": person, "person_id": person, "category": category, "purpose": purpose, "basis": "explicit"}
    return basis | {"starts_at": datetime(2026, 1, 1)} | more


def house(
    root: Path, rows: list[dict[str, Any]], consents: list[dict[str, Any]], table: str = "applications"
) -> Params:
    """A workspace with one table and its consents."""
    ws = Workspace(root / "work")
    write_table(ws.stage("ingest") / f"{table}.parquet", pa.Table.from_pylist(rows, schema(BY_NAME[table])))
    held = pa.Table.from_pylist(consents, schema(tables.consents))
    write_table(ws.root / "ingest/consents.parquet", held)
    (root / "key.txt").write_text(KEY)
    said = {
        "policy": "explicit-consent",
        "as_of": "2026-06-01T00:00:00Z",
        "workspace": ws.root,
        "threads": 1,
        "audit": {"actor": "tester"},
    }
    return Params.model_validate(said | {"ingest": {"key_file": root / "key.txt"}})


def wanted(root: Path, *columns: str, **more: Any) -> Wanted:
    chosen = {"table": tables.applications, "recipient": "credit-bureau", "why": "credit_bureau"}
    return Wanted(**(chosen | {"columns": columns, "out": root / "out/given.parquet"} | more))


def give(params: Params, asked: Wanted) -> pa.Table:
    export_table(params, Workspace(params.workspace), asked)
    return pq.read_table(asked.out)


@pytest.fixture
def agreed(tmp_path: Path) -> Params:
    """Everybody agreed that their credit record be shared."""
    return house(tmp_path, applications(), [consent(person) for person in PEOPLE])


def test_rows_are_given_under_the_recipients_pseudonyms_in_an_order_of_their_own(
    agreed: Params, tmp_path: Path
) -> None:
    given = give(agreed, wanted(tmp_path, "person_id", "applied_at", "channel"))
    theirs = Pseudonyms(bytes.fromhex(KEY)).for_recipient("credit-bureau")
    assert given["person_id"].to_pylist() == sorted(theirs.one("person", person) for person in PEOPLE)
    assert set(given["applied_at"].to_pylist()) == {datetime(2026, 3, 1)}
    other = give(agreed, wanted(tmp_path, "person_id", "channel", recipient="partner", out=tmp_path / "b.parquet"))
    assert not set(given["person_id"].to_pylist()) & set(other["person_id"].to_pylist())


def test_only_who_agreed_to_sharing_is_in_it(tmp_path: Path) -> None:
    said = [
        *(consent(person) for person in PEOPLE[:15]),
        *(consent(person, "score") for person in PEOPLE[15:20]),
        *(consent(person, category="airtime") for person in PEOPLE[20:25]),
        *(consent(person, revoked_at=datetime(2026, 5, 1)) for person in PEOPLE[25:30]),
        *(consent(person, expires_at=datetime(2026, 5, 1)) for person in PEOPLE[30:35]),
        *(consent(person, data_from=datetime(2026, 4, 1)) for person in PEOPLE[35:]),
    ]
    given = give(house(tmp_path, applications(), said), wanted(tmp_path, "person_id", "channel"))
    theirs = Pseudonyms(bytes.fromhex(KEY)).for_recipient("credit-bureau")
    assert set(given["person_id"].to_pylist()) == {theirs.one("person", person) for person in PEOPLE[:15]}


def test_consent_beyond_the_policys_bounds_shares_nothing(tmp_path: Path) -> None:
    said = [consent(person, basis="explicit" if n < 15 else "asserted_by_source") for n, person in enumerate(PEOPLE)]
    params = house(tmp_path, applications(), said)
    assert give(params, wanted(tmp_path, "channel")).num_rows == 40
    strict = params.model_copy(update={"policy": ("explicit-consent", "in-rbi-2025")})
    assert give(strict, wanted(tmp_path, "channel")).num_rows == 15


def test_nobody_agreed_is_an_error_and_nothing_is_written(tmp_path: Path) -> None:
    params = house(tmp_path, applications(), [consent(person, "train") for person in PEOPLE])
    with pytest.raises(ConsentError, match="agreed, within explicit-consent, that credit be shared"):
        give(params, wanted(tmp_path, "channel"))
    assert not (tmp_path / "out").exists()
    assert not path_of(Workspace(params.workspace)).exists()


def test_records_of_few_stop_it_and_are_left_out_when_asked(agreed: Params, tmp_path: Path) -> None:
    asked = wanted(tmp_path, "person_id", "applied_at", "amount_minor", steps={"amount_minor": 16})
    with pytest.raises(ContractError, match="10-anonymous: fewer than 10 of 40 people") as caught:
        give(agreed, asked)  # 10,001 to 10,015 and 10,016 to 10,031 are enough, 10,032 to 10,040 are nine
    assert not any(person in str(caught.value) for person in PEOPLE)
    given = give(agreed, replace(asked, thin=True))
    counts = given.group_by("amount_minor").aggregate([([], "count_all")]).to_pylist()
    assert {row["amount_minor"]: row["count_all"] for row in counts} == {10_000: 15, 10_016: 16}


def test_rows_that_a_pseudonym_ties_together_must_be_alike_together(tmp_path: Path) -> None:
    second = [row | {"application_id": f"b{row['person_id'][1:]}", "channel": "web"} for row in applications()[:5]]
    params = house(tmp_path, [*applications(), *second], [consent(person) for person in PEOPLE])
    loose = wanted(tmp_path, "applied_at", "is_accepted")
    assert give(params, loose).num_rows == 45  # nothing ties the two together
    with pytest.raises(ContractError, match="fewer than 10 of 40 people"):
        give(params, wanted(tmp_path, "person_id", "applied_at"))  # five people have two rows
    tied = give(params, wanted(tmp_path, "person_id", "application_id", "applied_at", thin=True))
    assert tied.num_rows == 35


def test_a_contact_is_as_telling_as_any_value(tmp_path: Path) -> None:
    times = dict.fromkeys(("event_at", "available_at", "local_at"), FIRST)
    call = {"direction": "in", "duration_s": 60, "is_answered": True}
    rows = [{"person_id": p, "contact_id": "c" * 32 if n < 30 else p} | times | call for n, p in enumerate(PEOPLE)]
    said = [consent(person, category="communication") for person in PEOPLE]
    params = house(tmp_path, rows, said, "calls")
    asked = wanted(tmp_path, "contact_id", "direction", table=tables.calls)
    with pytest.raises(ContractError, match="10 of 40 people"):
        give(params, asked)
    [contact] = set(give(params, replace(asked, thin=True))["contact_id"].to_pylist())
    assert contact == Pseudonyms(bytes.fromhex(KEY)).for_recipient("credit-bureau").one("contact", "c" * 32)


def test_a_share_is_in_the_register_with_the_files_digest(agreed: Params, tmp_path: Path) -> None:
    asked = wanted(tmp_path, "person_id", "channel", out=tmp_path / "given.csv")
    summary = export_table(agreed, Workspace(agreed.workspace), asked)
    [line] = shares(path_of(Workspace(agreed.workspace)))
    assert (line.recipient, line.what, line.why, line.rows) == ("credit-bureau", "table", "credit_bureau", 40)
    assert line.artefact == digest(asked.out)
    assert stat.S_IMODE(asked.out.stat().st_mode) == 0o600
    assert summary.facts["k"] == "40"
    assert len(list(csv.DictReader(asked.out.read_text().splitlines()))) == 40


@pytest.mark.parametrize(
    ("more", "error", "says"),
    [
        ({"table": tables.consents, "columns": ("category",)}, ConfigError, "no time that a consent could cover"),
        ({"table": tables.people, "columns": ("gender",)}, ConfigError, "people.gender is protected"),
        ({"columns": ()}, ConfigError, "name the columns"),
        ({"columns": ("channel", "channel")}, ConfigError, "each once"),
        ({"k": 9}, ConfigError, "k is at least 10"),
        ({"steps": {"channel": 5}}, ConfigError, "a step is a whole number"),
        ({"recipient": "Asha Kumari"}, ConfigError, "recipient"),
        ({"why": "because"}, ConfigError, "why"),
    ],
)
def test_what_cannot_be_given_is_refused_and_nothing_is_written(
    agreed: Params, tmp_path: Path, more: dict[str, Any], error: type[SaakhError], says: str
) -> None:
    with pytest.raises(error, match=says):
        give(agreed, replace(wanted(tmp_path, "channel"), **more))
    assert not list(tmp_path.glob("out/*"))
    assert not path_of(Workspace(agreed.workspace)).exists()


def test_a_column_that_the_policy_bars_is_not_given_out(tmp_path: Path) -> None:
    params = house(tmp_path, applications(), []).model_copy(update={"policy": ("in-rbi-2025",)})
    with pytest.raises(ConfigError, match=r"the policy in-rbi-2025 bars devices\.sim_id"):
        give(params, wanted(tmp_path, "brand", "sim_id", table=tables.devices))
