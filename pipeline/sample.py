"""The sample a model learns from: loans whose outcome is known, beside their features, in one fixed order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.columns import Sensitivity
from features.joined import JOINED
from features.tables import EVENT_TABLES
from models.arrays import Codes, Flags, Floats, Times
from models.refusals import Keys, Refusals, keys
from pipeline.engines import column_names, read_table
from pipeline.pseudonyms import SLOTS
from pipeline.workspace import Workspace, digest, read_json
from saakh.errors import ContractError, EmptyInputError, LeakageError
from saakh.spec import FeatureSpec

KEY = "application_id"
VALUES_AT_ONCE = 32_000_000
CATEGORY = {table.name: table.category.value for table in (*EVENT_TABLES, *JOINED)}
FILES = (
    ("derive", "features.parquet"),
    ("derive", "specs.json"),
    ("derive", "coverage.parquet"),
    ("label", "labels.parquet"),
    ("cohort", "cohort.parquet"),
)


@dataclass(frozen=True)
class Declined:
    """Applications the lender declined, as `Sample` has loans; and the chance with which each `granted` loan was to be.

    `draw` is a number in [0, 1) a hash gives each application. Chances are NaN where the lender did not keep them.
    """

    person: Codes
    applied: Times
    x: Floats
    key: Keys
    refusals: Refusals
    draw: Floats
    propensity: Floats
    granted: Floats


@dataclass(frozen=True)
class Sample:
    """Loans with a known outcome, sorted by application; `x` is loans × features with NaN where missing.

    `key` is a number that a hash gives each person, and `refusals` which categories of consent each loan lacks.
    `declined` were not granted; they are there only where they are asked for.
    """

    application: pa.Array
    person: Codes
    applied: Times
    bad: Flags
    x: Floats
    indeterminate: int
    key: Keys
    refusals: Refusals
    declined: Declined | None = None


def read_specs(ws: Workspace) -> list[FeatureSpec]:
    """The feature specs, in the order of their columns; a protected one is a `LeakageError`."""
    specs = [FeatureSpec.from_dict(raw) for raw in read_json(ws.need("derive", "specs.json"))]
    if barred := [s.name for s in specs if s.sensitivity == Sensitivity.PROTECTED]:
        raise LeakageError(
            f"{', '.join(barred)} rest on a protected column, which only the fairness audit may read; leave them "
            "out of the catalogue, or name them in derive.leave_out"
        )
    return specs


def read_sample(ws: Workspace, specs: Sequence[FeatureSpec]) -> Sample:
    """The loans that ended good or bad; indeterminate ones are counted."""
    labels = _keyed(ws, "label", "labels.parquet", ["label"])
    known = labels.filter(pc.is_in(labels["label"], pa.array(["good", "bad"])))
    if len(known) == 0:
        raise EmptyInputError("no application has a good or bad outcome; see label/label.json for what became of them")
    application = known[KEY].combine_chunks()
    cohort = _keyed(ws, "cohort", "cohort.parquet", ["person_id", "applied_at"])
    cohort = cohort.take(positions(cohort, application, "cohort"))
    return Sample(
        application,
        codes(cohort["person_id"]),
        cohort["applied_at"].to_numpy(),
        pc.equal(known["label"], "bad").to_numpy(),
        read_features(ws, application, specs),
        len(labels) - len(known),
        person_keys(ws, cohort["person_id"].combine_chunks()),
        refusals(ws, application, specs),
    )


def with_declined(ws: Workspace, specs: Sequence[FeatureSpec], sample: Sample) -> Sample:
    """The sample with the declined applications of the cohort beside it; none of them is an `EmptyInputError`."""
    cohort = _keyed(ws, "cohort", "cohort.parquet", ["person_id", "applied_at", "disbursed_at", "propensity"])
    others = cohort.filter(pc.is_null(cohort["disbursed_at"]))
    if not len(others):
        raise EmptyInputError(
            "train.reject_inference learns from declined applications, and the cohort has none; set cohort.declined "
            "and run again from `saakh cohort`, or set train.reject_inference to none"
        )
    loans = cohort.take(positions(cohort, sample.application, "cohort"))
    application = others[KEY].combine_chunks()
    both = codes(pa.chunked_array([*loans["person_id"].chunks, *others["person_id"].chunks]))
    declined = Declined(
        both[len(loans) :],
        others["applied_at"].to_numpy(),
        read_features(ws, application, specs),
        person_keys(ws, others["person_id"].combine_chunks()),
        refusals(ws, application, specs),
        keys(application.to_pylist(), "declined") / 2.0**64,
        others["propensity"].to_numpy().astype(np.float64),
        loans["propensity"].to_numpy().astype(np.float64),
    )
    return replace(sample, person=both[: len(loans)], declined=declined)


def person_keys(ws: Workspace, person: pa.Array) -> Keys:
    """A number for each person: modulo `SLOTS` their slot, which another key of pseudonyms does not move; else a hash.

    The file of slots lists people whom no consent opens too, so its digest is no part of what a model records.
    """
    slots = read_table(ws.need("ingest", "shards.parquet"), ["person_id", "slot"])
    place = pc.index_in(person, slots["person_id"].combine_chunks())
    if place.null_count:
        raise ContractError(
            f"{place.null_count} of {len(person)} labelled applications are of people without a slot in "
            "ingest/shards.parquet; the stages ran on different inputs: run `saakh run`"
        )
    drawn = keys(person.to_pylist(), "shard") // np.uint64(2 * SLOTS)  # halved: what is put together stays in 64 bits
    return np.asarray(drawn * np.uint64(SLOTS) + slots["slot"].take(place).to_numpy().astype(np.uint64))


def refusals(ws: Workspace, application: pa.Array, specs: Sequence[FeatureSpec]) -> Refusals:
    """Which of the categories that the specs name each application refused, as coverage tells."""
    names = sorted({spec.category for spec in specs})
    closed = np.zeros((len(application), len(names)), dtype=bool)
    coverage = read_table(ws.need("derive", "coverage.parquet"), [KEY, "source", "status"])
    shut = coverage.filter(pc.equal(coverage["status"], "closed"))
    for source in shut["source"].unique().to_pylist():
        if CATEGORY.get(source) in names:
            who = shut.filter(pc.equal(shut["source"], source))[KEY].combine_chunks()
            closed[:, names.index(CATEGORY[source])] |= pc.is_in(application, who).to_numpy(zero_copy_only=False)
    return Refusals(closed, np.array([names.index(spec.category) for spec in specs], dtype=np.int64))


def refused(found: Refusals, specs: Sequence[FeatureSpec]) -> list[tuple[str, ...]]:
    """The same, as a scorecard takes it: the categories each application refused."""
    names = sorted({spec.category for spec in specs})
    return [tuple(names[i] for i in np.flatnonzero(row)) for row in found.closed]


def matrix(features: pa.Table, specs: Sequence[FeatureSpec]) -> Floats:
    """Loans × features in the order of the specs, NaN where null."""
    x = np.empty((len(features), len(specs)))
    for i, spec in enumerate(specs):
        x[:, i] = features[spec.name].to_numpy()
    return x


def read_features(ws: Workspace, application: pa.Array, specs: Sequence[FeatureSpec]) -> Floats:
    """The features of applications, as `matrix` has them, read a few at a time: all at once are as large as it."""
    names = [spec.name for spec in specs]
    path = _with_columns(ws, "derive", "features.parquet", names)
    at = positions(_once(read_table(path, [KEY]), path), application, "features").to_numpy()
    x, few = np.empty((len(at), len(specs))), max(1, VALUES_AT_ONCE // max(1, len(at)))
    for start in range(0, len(specs), few):
        table = read_table(path, names[start : start + few])
        for i, name in enumerate(names[start : start + few], start):
            x[:, i] = table[name].to_numpy()[at]
    return x


def codes(names: pa.ChunkedArray) -> Codes:
    """A whole number for each name, in the order of the names, so that the order of rows does not show."""
    return np.unique(names.to_numpy(), return_inverse=True)[1].astype(np.int64)


def digests(ws: Workspace) -> dict[str, str]:
    """The SHA-256 of every file a model is learned from."""
    return {file: digest(ws.need(stage, file)) for stage, file in FILES}


def _keyed(ws: Workspace, stage: str, file: str, columns: Sequence[str]) -> pa.Table:
    path = _with_columns(ws, stage, file, columns)
    return _once(read_table(path, [KEY, *columns]), path).sort_by(KEY)


def _with_columns(ws: Workspace, stage: str, file: str, columns: Sequence[str]) -> Path:
    path = ws.need(stage, file)
    there = set(column_names(path))
    if missing := [c for c in (KEY, *columns) if c not in there]:
        raise ContractError(f"{path} has no column {', '.join(missing)}; rerun `saakh {stage}`")
    return path


def _once(table: pa.Table, path: Path) -> pa.Table:
    if pc.count_distinct(table[KEY]).as_py() != len(table):
        raise ContractError(f"{path} holds an application twice; it must have one row each")
    return table


def positions(table: pa.Table, application: pa.Array, what: str) -> pa.Array:
    """Where the table has these applications; one that is not there is a `ContractError`."""
    where = pc.index_in(application, table[KEY].combine_chunks())
    if where.null_count:
        raise ContractError(
            f"{where.null_count} of {len(application)} labelled applications have no row in the {what}; the stages ran "
            "on different inputs: run `saakh run`"
        )
    return where
