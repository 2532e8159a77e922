"""The two sides of a comparison: what the scorecard was judged on, and the batch, each scored by the scorecard."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.arrays import Codes, Flags, Floats, Times
from pipeline.engines import read_table
from pipeline.monitor.book import Book, read_book
from pipeline.params import Params
from pipeline.sample import KEY, positions, refusals, refused
from pipeline.workspace import Workspace, read_json
from saakh import Scorecard
from saakh.errors import ConsentError, ContractError, EmptyInputError

STATUSES = ("present", "silent", "closed", "absent", "barred")
PURPOSES = ("monitor", "score", "train")
GOOD, BAD, UNKNOWN = 0, 1, -1


@dataclass(frozen=True)
class Side:
    """Applications, one element each: inputs and contributions are applications × features.

    `outcome` is `GOOD`, `BAD` or `UNKNOWN`; `reason` the code of the principal reason, empty where nothing lowered the
    score enough; `decided` what `decide` said, empty where it was not asked; `group` is empty where it is not known.
    `granted`: whether money was paid out. Of `book` see there.
    """

    key: pa.Array
    person: Codes
    applied: Times
    granted: Flags
    x: Floats
    points: Floats
    log_odds: Floats
    contributions: Floats
    reason: np.ndarray
    outcome: Codes
    decided: np.ndarray
    group: np.ndarray
    status: Mapping[str, np.ndarray]
    book: Book

    def __len__(self) -> int:
        return len(self.points)

    def take(self, rows: Flags) -> "Side":
        """Some of the applications."""
        arrays = ("person", "applied", "granted", "x", "points", "log_odds", "contributions", "reason", "outcome")
        changed: dict[str, Any] = {name: getattr(self, name)[rows] for name in (*arrays, "decided", "group")}
        changed["status"] = {name: codes[rows] for name, codes in self.status.items()}
        return replace(self, key=self.key.filter(pa.array(rows)), book=self.book.take(rows), **changed)

    def among(self, other: "Side") -> Flags:
        """Which applications are also on the other side."""
        return np.asarray(pc.is_in(self.key, other.key).to_numpy(zero_copy_only=False), np.bool_)

    @property
    def vintage(self) -> Times:
        """The month of each application."""
        return self.applied.astype("datetime64[M]")


@dataclass(frozen=True)
class Sides:
    """`reference`: applications from the out-of-time period on; `batch`: those the model was not trained on.

    `fresh`: the batch's latest, like those of the reference and not among them. `trained_on` were left out.
    """

    reference: Side
    batch: Side
    fresh: Side
    purpose: str
    trained_on: int


def read_sides(params: Params, ws: Workspace, batch: Workspace, card: Scorecard, as_of: datetime) -> Sides:
    """Both sides; a batch that was drawn for another purpose than monitoring allows is a `ConsentError`."""
    purpose = str(read_json(batch.need("cohort", "cohort.json"))["purpose"])
    if purpose not in PURPOSES:
        raise ConsentError(f"the batch was drawn for the purpose {purpose}; monitoring asks for {', '.join(PURPOSES)}")
    account = read_json(ws.need("train", "train.json"))
    then = np.datetime64(datetime.fromisoformat(account["as_of"]).replace(tzinfo=None), "us")
    now = np.datetime64(as_of.replace(tzinfo=None), "us")
    begins = np.datetime64(datetime.fromisoformat(account["split"]["out_of_time_from"]).replace(tzinfo=None), "us")
    reference = _side(params, ws, card, then)
    reference = reference.take((reference.applied >= begins) & (reference.applied < then))
    everybody = _side(params, batch, card, now)
    known = _learned_from(ws, everybody)
    seen = everybody.take(~known & (everybody.applied < now))
    if not len(reference) or not len(seen):
        raise EmptyInputError(f"nothing to compare: {len(reference)} applications before, {len(seen)} in the batch")
    granted_only = read_json(ws.need("cohort", "cohort.json"))["purpose"] == "train"
    recent = seen.applied >= now - np.timedelta64(params.monitor.recent_days, "D")
    fresh = recent & ~seen.among(reference)
    return Sides(reference, seen, seen.take(fresh & seen.granted if granted_only else fresh), purpose, int(known.sum()))


def _learned_from(ws: Workspace, side: Side) -> Flags:
    """Which applications the model was trained on: what it says of them proves nothing."""
    scores = read_table(ws.need("train", "scores.parquet"), [KEY, "split"])
    developed = scores.filter(pc.equal(scores["split"], "development"))[KEY].combine_chunks()
    return np.asarray(pc.is_in(side.key, developed).to_numpy(zero_copy_only=False), np.bool_)


def _side(params: Params, ws: Workspace, card: Scorecard, as_of: np.datetime64) -> Side:
    cohort = read_table(ws.need("cohort", "cohort.parquet")).sort_by([("applied_at", "ascending"), (KEY, "ascending")])
    key = cohort[KEY].combine_chunks()
    derived = read_table(ws.need("derive", "features.parquet"))
    if missing := [name for name in card.features if name not in derived.column_names]:
        raise ContractError(f"{ws.root}: derive wrote no {', '.join(missing[:5])}, which the scorecard asks for")
    derived = derived.take(positions(derived, key, "features"))
    x = np.column_stack([derived[name].to_numpy().astype(np.float64) for name in card.features])
    specs = card.manifest.features
    withheld = refused(refusals(ws, key, specs), specs)
    scores, contributions = card.score_many(x, withheld), card.explain_many(x, withheld)
    _, person = np.unique(cohort["person_id"].to_numpy(), return_inverse=True)
    status = _status(ws, key)
    return Side(
        key=key,
        person=person.astype(np.int64),
        applied=cohort["applied_at"].to_numpy().astype("datetime64[us]"),
        granted=pc.less(cohort["disbursed_at"].cast(pa.timestamp("us")), pa.scalar(as_of.item()))
        .fill_null(False)
        .to_numpy(),
        x=x,
        points=scores.points,
        log_odds=scores.log_odds,
        contributions=contributions,
        reason=principal(card, contributions),
        outcome=_outcome(ws, key),
        decided=_decided(ws, key),
        group=_group(params, ws, cohort, status),
        status=status,
        book=read_book(ws, cohort, as_of),
    )


def principal(card: Scorecard, contributions: Floats) -> np.ndarray:
    """The code of each applicant's weightiest reason, by the scorecard's own rule."""
    group, codes = card.reasons.group, card.reasons.codes
    totals = np.stack([contributions[:, group == g].sum(axis=1) for g in range(len(codes))], axis=1).round(6)
    first = totals.argmin(axis=1)
    names, rule = np.array(codes)[first], card.manifest.reasons
    return np.where(totals[np.arange(len(first)), first] <= -rule.least_points, names, "")


def _outcome(ws: Workspace, key: pa.Array) -> Codes:
    """What became of each loan; nothing is known where no label was written."""
    path = ws.root / "label" / "labels.parquet"
    if not path.exists():
        return np.full(len(key), UNKNOWN)
    named = _looked_up(read_table(path, [KEY, "label"]), key, "label")
    return np.select([named == "bad", named == "good"], [BAD, GOOD], UNKNOWN).astype(np.int64)


def _decided(ws: Workspace, key: pa.Array) -> np.ndarray:
    path = ws.root / "decide" / "decisions.parquet"
    return _looked_up(read_table(path, [KEY, "outcome"]), key, "outcome") if path.exists() else np.full(len(key), "")


def _status(ws: Workspace, key: pa.Array) -> dict[str, np.ndarray]:
    """What each source shows of each application."""
    coverage = read_table(ws.need("derive", "coverage.parquet"), [KEY, "source", "status"])
    sources = sorted(pc.unique(coverage["source"]).to_pylist())
    return {s: _looked_up(coverage.filter(pc.equal(coverage["source"], s)), key, "status") for s in sources}


def _group(params: Params, ws: Workspace, cohort: pa.Table, status: Mapping[str, np.ndarray]) -> np.ndarray:
    """The group that fairness is watched by, where its table is open to this purpose; nothing is decided by it."""
    column = params.monitor.groups
    if column is None:
        return np.full(len(cohort), "")
    people = read_table(ws.need("ingest", "people.parquet"), ["person_id", "available_at", column])
    people = people.sort_by("available_at")
    last = dict(zip(people["person_id"].to_pylist(), people[column].to_pylist(), strict=True))
    named = np.array([last.get(person) or "" for person in cohort["person_id"].to_pylist()])
    seen = status.get("people")
    return named if seen is None else np.where(seen == "present", named, "")


def _looked_up(table: pa.Table, key: pa.Array, column: str) -> np.ndarray:
    """A column for each application, empty where the table has none."""
    place = pc.index_in(key, table[KEY].combine_chunks())
    return np.array(table[column].take(place).fill_null("").to_pylist(), dtype=str)
