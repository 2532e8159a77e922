"""A batch's tables in memory: their as-of rows brought from the engine once, then measured in arrays."""

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.columns import Column as Declared
from features.columns import Kind, Table
from features.declare import Feature
from features.joined import JOINED, STACKED
from features.meaning import CLOCKED, fields_of_clock
from features.reduce import KEY
from pipeline.arrays.columns import Array, Column, UnfitError
from pipeline.arrays.rows import Part, covered
from pipeline.arrays.tables import TableInArrays, in_arrays
from pipeline.engines import Engine
from pipeline.measure import Batch, Shown, Taken, Watch

MICRO = 1_000_000


class InMemory:
    """Measuring in this process. What cannot be measured so, exactly as the engine would, is left to it."""

    def __init__(self, engine: Engine, batch: Batch, watch: Watch | None = None) -> None:
        self._engine, self._batch, self._watch = engine, batch, watch
        self._snapshot_s = _seconds(batch.snapshots)
        self._kept: dict[str, Part] = {}
        stacks = [t for t in JOINED if t.name in STACKED and t.name in batch.reads]
        self._stacked = {name for table in stacks for name in table.sources}

    def shown(self, table: Table, features: tuple[Feature, ...]) -> Shown | None:
        """What a table that was ingested shows; None when the engine must say."""
        how = in_arrays(table, features, self._batch.question.calendar) if self._engine.is_near else None
        if how is None:
            return None
        try:
            return self._measured(table, how)
        except UnfitError:
            return None

    def _measured(self, table: Table, how: TableInArrays) -> Shown:
        began = perf_counter()
        parts = self._parts(table)
        rows = sum(len(part.key) for part in parts)
        if self._watch:
            self._watch(Taken(table.name, f"{table.name}_seen", "as-of rows", rows, perf_counter() - began))
        columns = how.columns(parts, self._snapshot_s, self._engine.threads, self._watch) if rows else {}
        coverage = covered(parts[0], self._snapshot_s) if len(parts) == 1 else None
        return Shown(coverage, sum(part.late for part in parts), columns)

    def _parts(self, table: Table) -> list[Part]:
        """A table's as-of rows, brought, or those of its sources, which were."""
        is_given = table.name in self._batch.question.events
        if table.name in STACKED and not is_given and set(table.sources) <= set(self._kept):
            return [replace(self._kept[name], said=STACKED[table.name][name]) for name in table.sources]
        part = self._brought(table)
        if table.name in self._stacked:
            self._kept[table.name] = part
        return [part]

    def _brought(self, table: Table) -> Part:
        batch = self._batch
        rows = batch.consented(batch.question.rows(table), table)
        wanted = [table.by_name[name] for name in _columns(table, batch.reads.get(table.name, ()))]
        brought = self._engine.batches(_asked(self._engine, rows, wanted)).read_all()
        is_past = brought["is_past"]
        seen = brought if pc.all(is_past, skip_nulls=False).as_py() else brought.filter(is_past)
        columns = {KEY: Column(seen[KEY].to_numpy())} | {c.name: _column(seen[c.name], c) for c in wanted}
        others = sorted((c for c in wanted if c.name != "event_at"), key=lambda c: c.kind is Kind.PSEUDONYM)
        late = len(brought) - len(seen) - is_past.null_count  # of a row without its times nothing is known
        return Part.of(columns, [c.name for c in others], late)


def _columns(table: Table, reads: Sequence[str]) -> list[str]:
    """The columns of a table that must be there for these to be read: those themselves, and what tells time."""
    clock = set().union(*(fields_of_clock(name) for name in reads if name in CLOCKED.columns and name != "gap_s"))
    wanted = {"event_at", *reads, *clock} - {"snapshot_at"}
    return [c.name for c in table.columns if c.name in wanted]


def _asked(engine: Engine, rows: ir.Table, wanted: Sequence[Declared]) -> ir.Table:
    """Rows as they are brought: pseudonyms as numbers, and words of a closed set as their places in it."""
    coded = engine.coded(rows, [c.name for c in wanted if c.kind is Kind.PSEUDONYM])
    said = {c.name: _placed(coded[c.name], c) if c.values else coded[c.name] for c in wanted}
    return coded.select(KEY, "is_past", **said)


def _placed(words: ir.Value, declared: Declared) -> ir.Value:
    """The place of a word in a closed set in order; -1 for another, null for none."""
    places = [(word, ibis.literal(n, "int8")) for n, word in enumerate(sorted(declared.values))]
    other = ibis.ifelse(words.isnull(), ibis.null("int8"), ibis.literal(-1, "int8"))
    return words.cases(*places, else_=other)


def _column(brought: pa.ChunkedArray, declared: Declared) -> Column:
    """A column as it was brought."""
    if declared.kind is Kind.TIMESTAMP:
        return Column(_seconds(brought), _known(brought))
    if declared.kind is Kind.CATEGORY and not declared.values:
        return _worded(brought)
    words = tuple(sorted(declared.values)) or None
    known = _known(brought)
    filled = brought if known is None else brought.fill_null(False if declared.kind is Kind.FLAG else 0)
    values = filled.to_numpy()
    if values.dtype == np.uint64:
        values = (values ^ np.uint64(1 << 63)).view(np.int64)  # in the same order
    if words and np.any(values < 0):
        raise UnfitError("a word that is none of its set")
    return Column(values, known, words)


def _known(brought: pa.ChunkedArray) -> Array | None:
    return None if not brought.null_count else brought.is_valid().to_numpy()


def _seconds(moments: pa.ChunkedArray) -> Array:
    """Moments in whole seconds, rounded down."""
    micros = moments.cast(pa.timestamp("us")).cast(pa.int64())
    return (micros.fill_null(0) if micros.null_count else micros).to_numpy() // MICRO


def _worded(brought: pa.ChunkedArray) -> Column:
    """Texts of an open set as places among those there are, in order."""
    coded = brought.combine_chunks().dictionary_encode()
    words = [w.as_py() for w in coded.dictionary]
    place = np.zeros(len(words) + 1, np.int64)
    place[np.array(sorted(range(len(words)), key=words.__getitem__), dtype=int)] = np.arange(len(words))
    return Column(place[coded.indices.fill_null(0).to_numpy()], _known(brought), tuple(sorted(words)))
