"""One table's features measured in memory, chunk by chunk of applications, on several threads."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial

import numpy as np
import pyarrow as pa

from features.bind import fields_under
from features.calendar import Calendar
from features.columns import Table
from features.declare import Feature
from features.groups import Group
from features.meaning import clocked
from features.plan import grouped, reads_of
from features.sources import Rows as SourceRows
from features.windows import CLOCK
from models.arrays import Floats
from pipeline.arrays.blocks import Block
from pipeline.arrays.columns import Array, Column, UnfitError
from pipeline.arrays.groups import GroupInArrays
from pipeline.arrays.programs import Program
from pipeline.arrays.rows import Chunk, Part, Rows, chunks, told
from pipeline.arrays.sheet import Name, Sheet, Times
from pipeline.measure import Watch
from saakh.errors import ContractError

CHUNK, APPLICATIONS = 300_000, 5_000
"""Rows and applications measured together: enough that a call to numpy is nothing beside them, and few enough that what
is made of them, a row for each application, slice and key, stays near."""


class TableInArrays:
    """How to measure these features of one table; an `UnfitError` when an engine must."""

    def __init__(self, table: Table, features: tuple[Feature, ...], calendar: Calendar) -> None:
        if table.state:
            raise UnfitError("the latest of several declarations")
        groups = grouped(table, features)
        blocks: dict[Name, Block] = {}
        self._table = table.name
        self._groups = [GroupInArrays(group, blocks) for group in groups]
        self._reduce = {name: block.drawn() for name, block in blocks.items()}
        self._sources = {group.rows.name: Source(group, groups) for group in groups}
        self._clock = Clock(calendar, reads_of(table, features))

    def columns(
        self, parts: Sequence[Part], snapshot_s: Array, threads: int, watch: Watch | None = None
    ) -> dict[str, pa.Array]:
        """The columns of the features for every application that has a snapshot, null where nothing was measured."""
        features = [feature for g in self._groups for feature in g.group.features]
        found = {column: np.full(len(snapshot_s), np.nan) for feature in features for column in feature.columns}
        times = Times()
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(
                partial(self._measure, parts, snapshot_s, found, times), chunks(parts, CHUNK, APPLICATIONS)
            ):
                pass
        if watch:
            times.tell(self._table, watch)
        return {name: pa.array(values, mask=np.isnan(values)) for name, values in found.items()}

    def _measure(
        self, parts: Sequence[Part], snapshot_s: Array, found: dict[str, Floats], times: Times, chunk: Chunk
    ) -> None:
        """Fill in the columns of some applications."""
        applications, rows = chunk.applications, chunk.rows(parts)
        seen = self._clock.on(rows, np.repeat(snapshot_s[applications], np.diff(rows.starts)))
        sheet = Sheet(len(applications), lambda name: self._sources[name].of(seen), self._reduce, times)
        with np.errstate(all="ignore"):  # what is not known may be anything
            for g in self._groups:
                slices = len(g.cut)
                with times.of(g.group.name, "slices", len(applications) * slices):
                    columns = g.columns(sheet)
                for feature, column in columns.items():
                    values = _values(feature, column.full(len(applications) * slices))
                    for name, cut in feature.columns.items():
                        found[name][applications] = values[g.cut.number(cut) :: slices]


def _values(feature: Feature, column: Column) -> Floats:
    """Numbers, NaN for null; one that is NaN itself is a fault of its declaration."""
    values: Floats = column.values.astype(np.float64)
    if np.isnan(values if column.known is None else values[column.known]).any():
        raise ContractError(f"feature '{feature.name}' gives NaN; a value that is not there must be null")
    return values if column.known is None else np.where(column.known, values, np.nan)


class Source:
    """How to make the rows of a source of a table's rows."""

    def __init__(self, group: Group, groups: Sequence[Group]) -> None:
        self._told = group.rows if isinstance(group.rows, SourceRows) else None
        where = self._told.where if self._told else None
        self._where = None if where is None else Program([where.op()])
        alike = [g for g in groups if g.rows.name == group.rows.name]
        self._reading = set().union(*(fields_under(atom) for g in alike for atom in g.atoms), *(g.keys for g in alike))

    def of(self, seen: Rows) -> Rows:
        """The source's rows."""
        if self._told is None:
            return seen
        if self._where is not None:
            (is_chosen,) = self._where.run(lambda name: seen[str(name)])
            seen = seen.chosen(is_chosen.truth)
        return told(seen, self._told, self._reading) if self._told.by else seen


class Clock:
    """The columns that tell time, of those that are read (see `features.windows.with_clock`)."""

    def __init__(self, calendar: Calendar, reads: Sequence[str]) -> None:
        table = clocked(calendar)
        self._names = [name for name in dict.fromkeys(["event_s", "age_s", *reads]) if name in CLOCK]
        self._program = Program([table[name].op() for name in self._names])

    def on(self, rows: Rows, snapshot_s: Array) -> Rows:
        """Rows with their clock."""
        moments = {"snapshot_at": Column(snapshot_s)}
        times = self._program.run(lambda name: moments[str(name)] if name in moments else rows[str(name)])
        return rows.beside(dict(zip(self._names, times, strict=True)))


@lru_cache(maxsize=256)
def in_arrays(table: Table, features: tuple[Feature, ...], calendar: Calendar) -> TableInArrays | None:
    """How to measure these features in memory; None when an engine must. The same object for the same question."""
    try:
        return TableInArrays(table, features, calendar)
    except UnfitError:
        return None
