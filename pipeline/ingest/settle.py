"""Staged rows in their final order, each once: the order of input leaves no trace in the bytes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.columns import Table
from pipeline.canonical import schema
from pipeline.engines import Engine, write_batches

ORIGIN = (pa.field("_file", pa.int32()), pa.field("_line", pa.int64()))
_ORIGIN_NAMES = tuple(f.name for f in ORIGIN)

Mask = npt.NDArray[np.bool_]


def settle(engine: Engine, staged: Path, table: Table, out: Path) -> tuple[int, pa.Table]:
    """Write a table sorted by its key, then by all other columns; returns the rows written and the duplicates dropped.

    Of rows alike in every canonical column the first by (_file, _line) is kept. The engine sorts by the leading
    columns (out of core); rows that tie there are put in order here, since a sort by every column costs three times
    as much.
    """
    lead = table.key[:2] if len(table.key) == len(table.columns) else table.key
    rows = engine.batches(engine.read(staged).order_by([*lead, *_ORIGIN_NAMES]))
    duplicates: list[pa.Table] = []
    canonical = schema(table)
    batches = (b for part in _tidied(rows, lead, duplicates) for b in part.select(canonical.names).to_batches())
    count = write_batches(out, pa.RecordBatchReader.from_batches(canonical, (b.cast(canonical) for b in batches)))
    return count, pa.concat_tables([pa.schema(ORIGIN).empty_table(), *duplicates])


def _tidied(rows: pa.RecordBatchReader, lead: Sequence[str], duplicates: list[pa.Table]) -> Iterator[pa.Table]:
    """Stretches of whole groups of rows that tie on `lead`; a group that a batch cuts waits for the next."""
    held = rows.schema.empty_table()
    for batch in rows:
        held = pa.concat_tables([held, pa.Table.from_batches([batch])]).combine_chunks()
        same = _same_as_before(held, lead)
        cut = int(np.flatnonzero(~same)[-1]) if held.num_rows else 0
        yield _tidy(held.slice(0, cut), same[:cut], duplicates)
        held = held.slice(cut)
    yield _tidy(held, _same_as_before(held, lead), duplicates)


def _tidy(rows: pa.Table, same: Mask, duplicates: list[pa.Table]) -> pa.Table:
    """Rows with ties put in the order of all columns, and of equal rows the first."""
    tied = np.flatnonzero(same | np.append(same[1:], False))
    if not tied.size:
        return rows
    ties = rows.take(pa.array(tied)).append_column("_group", pa.array(np.cumsum(~same)[tied]))
    others = [name for name in rows.column_names if name not in _ORIGIN_NAMES]
    keys = ["_group", *others, *_ORIGIN_NAMES]
    order = pc.sort_indices(ties, sort_keys=[(k, "ascending") for k in keys]).to_numpy()
    repeated = _same_as_before(ties.take(pa.array(order)), ["_group", *others])
    places = np.arange(rows.num_rows)
    places[tied] = tied[order]
    if repeated.any():
        duplicates.append(rows.select(list(_ORIGIN_NAMES)).take(pa.array(places[tied[repeated]])))
    return rows.take(pa.array(np.delete(places, tied[repeated])))


def _same_as_before(rows: pa.Table, names: Sequence[str]) -> Mask:
    """Whether each row equals the one before it in these columns, missing being equal to missing."""
    same = np.ones(rows.num_rows, bool)
    same[:1] = False
    for name in names:
        column = rows.column(name).combine_chunks()
        before, after = column[:-1], column[1:]
        equal = pc.or_(pc.fill_null(pc.equal(before, after), False), pc.and_(before.is_null(), after.is_null()))
        same[1:] &= equal.to_numpy(zero_copy_only=False)
    return same
