"""A batch of source rows as canonical rows: convert, compare clocks, and give every row a verdict, one rule at most."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.columns import Column, Kind, Table
from pipeline.canonical import TYPES
from pipeline.ingest.cells import coarsen
from pipeline.ingest.clocks import MICROSECONDS, micros, settle_clocks, to_local
from pipeline.ingest.convert import Converted, Converter, Fault
from pipeline.ingest.files import Rows
from pipeline.ingest.mapping import Mapping, Source
from pipeline.ingest.mapping_readings import constant
from pipeline.pseudonyms import Pseudonyms

# A due date may lie years ahead; the bounds of a consent may lie anywhere: some sources write a far year for "no end".
AHEAD = ("due_at",)
ANYWHERE = ("expires_at", "data_from", "data_to")

PSEUDONYMS = pa.dictionary(pa.int32(), pa.string())

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Bounds:
    """Times outside these are refused: nothing before `earliest`, nothing after `latest`, nothing due after `due`."""

    earliest: datetime
    latest: datetime
    due: datetime


@dataclass(frozen=True)
class Verdict:
    """Canonical rows kept, with their lines, and the rows refused by (rule, source column)."""

    kept: pa.Table
    lines: npt.NDArray[np.int64]
    refused: dict[tuple[str, str], npt.NDArray[np.int64]] = field(default_factory=dict)
    clock_repaired: int = 0
    receipt_raised: int = 0


@dataclass(frozen=True)
class Canon:
    """What it takes to turn one source's rows into canonical ones."""

    mapping: Mapping
    source: Source
    pseudonyms: Pseudonyms
    bounds: Bounds

    @property
    def table(self) -> Table:
        """The canonical table the source fills."""
        return self.source.canonical

    @property
    def schema(self) -> pa.Schema:
        """The canonical schema, with pseudonyms as dictionaries: few are distinct, and each is computed once."""
        kinds = {c.name: PSEUDONYMS if c.kind is Kind.PSEUDONYM else TYPES[c.kind] for c in self.table.columns}
        return pa.schema([pa.field(name, kind) for name, kind in kinds.items()])

    def judge(self, rows: Rows) -> Verdict:
        """Canonical rows and refusals of a batch; rows in = rows kept + rows refused, each by its first broken rule."""
        columns = self._converted(rows)
        repaired, raised = self._settle(columns)
        refused: dict[tuple[str, str], npt.NDArray[np.int64]] = {}
        good = np.ones(len(rows.lines), bool)
        for column in self.table.columns:
            for fault in self._faults(column, columns[column.name]):
                fresh = fault.rows & good
                if fresh.any():
                    refused[fault.rule, fault.column] = rows.lines[fresh]
                    good &= ~fresh
        if len(rows.broken):
            refused["wrong_number_of_fields", ""] = rows.broken
        table = pa.table([columns[field.name].values.cast(field.type) for field in self.schema], self.schema)
        counts = int((repaired & good).sum()), int((raised & good).sum())
        return Verdict(table.filter(pa.array(good)), rows.lines[good], refused, *counts)

    def _converted(self, rows: Rows) -> dict[str, Converted]:
        """Every canonical column of the batch; those the mapping leaves out are null."""
        source, count = self.source, len(rows.lines)
        converter = Converter(self.pseudonyms, self.mapping.time_zone, ("", *source.missing))
        columns = {c.name: Converted(pa.nulls(count, TYPES[c.kind])) for c in self.table.columns}
        for name, reading in source.columns.items():
            column = self.table.column(name)
            if reading.from_:
                columns[name] = converter.convert(column, reading, rows.columns)
            elif reading.constant is not None:
                columns[name] = Converted(self._constant(column, reading.constant, count))
        for name, reading in source.columns.items():
            if reading.like is not None:
                columns[name] = columns[reading.like]
        if source.location is not None and self.mapping.reference_latitude is not None:
            person = columns["person_id"].values
            latitude = self.mapping.reference_latitude
            placed, faults = coarsen(rows.columns, person, source.location, latitude, converter)
            columns |= {name: Converted(values) for name, values in placed.items()}
            columns["cell_id"] = Converted(placed["cell_id"], faults)
        return columns

    def _constant(self, column: Column, value: object, count: int) -> pa.Array:
        held = constant(column, value)
        if column.kind is Kind.PSEUDONYM:
            return self.pseudonyms.column(column.domain, pa.repeat(pa.scalar(str(held)), count))
        if isinstance(held, datetime):
            return pa.repeat(pa.scalar(micros(held)), count).cast(MICROSECONDS)
        return pa.repeat(pa.scalar(held, TYPES[column.kind]), count)

    def _settle(self, columns: dict[str, Converted]) -> tuple[Mask, Mask]:
        """Put event_at, available_at and local_at in order; the rows whose clock was repaired, and receipt moved up."""
        if "local_at" not in columns:
            nothing = np.zeros(1, bool)
            return nothing, nothing
        event, received = columns["event_at"], columns["available_at"]
        settled = settle_clocks(event.values, received.values, self.source.clock)
        columns["event_at"] = Converted(settled.event_at, event.faults)
        columns["available_at"] = Converted(settled.available_at, received.faults)
        columns["local_at"] = Converted(to_local(settled.event_at, self.mapping.local_zone))
        return settled.repaired, settled.raised

    def _faults(self, column: Column, converted: Converted) -> list[Fault]:
        """Faults of conversion, then times out of bounds, then what is required and missing."""
        faults = list(converted.faults)
        if column.name == "local_at":
            return faults
        reading = self.source.columns.get(column.name)
        name = "+".join(reading.from_) if reading else ""
        if column.kind is Kind.TIMESTAMP and column.name not in ANYWHERE:
            latest = self.bounds.due if column.name in AHEAD else self.bounds.latest
            faults.append(Fault("time_out_of_range", name, _outside(converted.values, self.bounds.earliest, latest)))
        if column.required:
            faults.append(Fault("missing", name, converted.values.is_null().to_numpy(zero_copy_only=False)))
        return faults


def _outside(times: pa.Array, earliest: datetime, latest: datetime) -> Mask:
    values = times.cast(pa.int64())
    outside = pc.or_(pc.less(values, micros(earliest)), pc.greater(values, micros(latest)))
    mask: Mask = pc.fill_null(outside, False).to_numpy(zero_copy_only=False)
    return mask
