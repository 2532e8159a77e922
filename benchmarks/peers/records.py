"""Calls and messages of made-up people, the same for every tool measured, each in the form it reads.

A person talks and writes mostly to a few of their contacts, by day more than by night, and messages come in
conversations. No two records of a person fall into one second.
"""

import csv
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.columns import Table
from features.tables import calls, consents, messages
from pipeline.canonical import schema

DAYS = 180
SNAPSHOT = datetime(2026, 6, 1)
EPISODES = 620
"""Calls and conversations a person on average; with some two messages a conversation, about a thousand records."""
HOURS = np.array([1, 1, 1, 1, 1, 2, 4, 8, 10, 10, 9, 9, 10, 9, 8, 8, 9, 11, 13, 13, 11, 8, 5, 2], float)
CELLS = 400
DAY_S = 86_400


def draw(people: int, seed: int = 1, days: int = DAYS) -> dict[str, np.ndarray]:
    """Columns of the records of so many days, sorted by person and time; `second` counts from the first day."""
    rng = np.random.default_rng(seed)
    episodes = rng.negative_binomial(6, 6 / (6 + EPISODES), people)
    person = np.repeat(np.arange(people), episodes)
    n = len(person)
    circle = rng.integers(8, 120, people)[person]
    rank = np.floor(circle ** rng.random(n)).astype(int) - 1  # the share of a contact falls with its rank
    hour = rng.choice(24, n, p=HOURS / HOURS.sum())
    start = rng.integers(0, days, n) * DAY_S + hour * 3_600 + rng.integers(0, 3_600, n)
    is_call = rng.random(n) < 0.55
    size = np.where(is_call, 1, rng.geometric(0.42, n))
    row, place = np.repeat(np.arange(n), size), _places(size)
    wait = np.where(place == 0, 0, 5 + rng.lognormal(4.6, 1.3, len(row)).astype(int))
    second = start[row] + _running(wait, place)
    first = rng.random(n) < 0.5
    is_out = first[row] ^ ((place > 0) & (rng.random(len(row)) < 0.6)) ^ (place % 2 == 1)
    answered = rng.random(len(row)) < 0.85
    talked = 1 + rng.lognormal(4.1, 1.2, len(row)).astype(int) % 7_000
    home = rng.integers(0, CELLS, people)[person[row]]
    drawn = {
        "person": person[row],
        "contact": person[row] * 1_000 + rank[row],
        "second": second,
        "is_call": is_call[row],
        "is_out": is_out,
        "is_answered": answered,
        "duration": np.where(answered, talked, 0),
        "cell": (home + np.floor(12.0 ** rng.random(len(row))).astype(int) - 1) % CELLS,
    }
    drawn = {name: values[second < days * DAY_S] for name, values in drawn.items()}
    _, kept = np.unique(drawn["person"] * np.int64(days * DAY_S) + drawn["second"], return_index=True)
    return {name: values[kept] for name, values in drawn.items()}


def write(folder: Path, people: int, csv_people: int, seed: int = 1) -> int:
    """Write the records in every form; returns how many there are. CSV for the first `csv_people` only.

    `ingest/` and `cohort/` are those of a workspace; `records.parquet` is one flat file with cells, `cells.parquet`
    says where those lie; `csv/` has one file a person.
    """
    drawn = draw(people, seed)
    at = np.datetime64(SNAPSHOT - timedelta(days=DAYS), "us") + drawn["second"].astype("m8[s]")
    person, contact = _ids(drawn["person"], 1), _ids(drawn["contact"], 2)
    direction = pa.array(np.where(drawn["is_out"], "out", "in"))
    times = {name: pa.array(at) for name in ("event_at", "available_at", "local_at")}
    shared = {"person_id": person, **times, "contact_id": contact, "direction": direction}
    talk = {"duration_s": pa.array(drawn["duration"]), "is_answered": pa.array(drawn["is_answered"])}
    words = {"sender_class": pa.repeat("person", len(person))}
    for table, said, chosen in ((calls, talk, drawn["is_call"]), (messages, words, ~drawn["is_call"])):
        _put_table(folder, table, {n: c.filter(pa.array(chosen)) for n, c in (shared | said).items()})
    flat = {name: shared[name] for name in ("person_id", "contact_id", "direction")} | {"at": pa.array(at)}
    flat["kind"] = pa.array(np.where(drawn["is_call"], "call", "text"))
    flat["duration_s"] = pa.array(drawn["duration"], mask=~drawn["is_call"])
    _put(folder / "records.parquet", pa.table(flat | {"cell": pa.array(drawn["cell"])}))
    _put(folder / "cells.parquet", _cells(seed))
    _ask(folder, people)
    _csv(folder / "csv", drawn, at, csv_people)
    return len(at)


def _places(size: np.ndarray) -> np.ndarray:
    """0, 1, 2 ... within each group of these sizes."""
    return np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)


def _running(wait: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Sums of the waits so far, begun anew at each place 0."""
    summed = np.cumsum(wait)
    begin = np.flatnonzero(place == 0)
    return summed - np.repeat(summed[begin], np.diff(np.append(begin, len(wait))))


def _ids(numbers: np.ndarray, domain: int) -> pa.Array:
    """Pseudonyms: 32 hexadecimal characters, without order or meaning."""
    different, back = np.unique(numbers, return_inverse=True)
    made = [f"{(int(i) * 8 + domain) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}" for i in different]
    return pa.array(made).take(pa.array(back))


def _cells(seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    place = {"latitude": pa.array(rng.uniform(12, 14, CELLS)), "longitude": pa.array(rng.uniform(77, 79, CELLS))}
    return pa.table({"cell": pa.array(np.arange(CELLS)), **place})


def _ask(folder: Path, people: int) -> None:
    """An application and a consent for each person."""
    person, loan = _ids(np.arange(people), 1), _ids(np.arange(people), 3)
    asked = pa.repeat(pa.scalar(SNAPSHOT, pa.timestamp("us")), people)
    moments = {"snapshot_at": asked, "asked_at": asked}
    _put(folder / "cohort/cohort.parquet", pa.table({"application_id": loan, "person_id": person, **moments}))
    (folder / "cohort/cohort.json").write_text(json.dumps({"purpose": "score"}), encoding="utf-8")
    said = {"category": "communication", "purpose": "score", "basis": "explicit"}
    begun = pa.repeat(pa.scalar(SNAPSHOT - timedelta(days=400), pa.timestamp("us")), people)
    held = {"artefact_id": loan, "person_id": person, "starts_at": begun}
    _put_table(folder, consents, held | {name: pa.repeat(word, people) for name, word in said.items()})


def _put_table(folder: Path, table: Table, columns: Mapping[str, pa.Array]) -> None:
    """Write a canonical table; columns not given are null."""
    kinds, count = schema(table), len(columns["person_id"])
    filled = [columns.get(kind.name, pa.nulls(count, kind.type)) for kind in kinds]
    _put(folder / "ingest" / f"{table.name}.parquet", pa.table(filled, schema=kinds))


def _csv(folder: Path, drawn: dict[str, np.ndarray], at: np.ndarray, people: int) -> None:
    """One file a person, as bandicoot reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    ends = np.searchsorted(drawn["person"], np.arange(people + 1))
    for number in range(people):
        with (folder / f"{number}.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(["interaction", "direction", "correspondent_id", "datetime", "call_duration"])
            for i in range(ends[number], ends[number + 1]):
                is_call, said = drawn["is_call"][i], "out" if drawn["is_out"][i] else "in"
                when = str(at[i].astype("M8[s]")).replace("T", " ")
                talked = drawn["duration"][i] if is_call else ""
                writer.writerow(["call" if is_call else "text", said, drawn["contact"][i], when, talked])


def _put(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd")
