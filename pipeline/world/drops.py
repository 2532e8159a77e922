"""Raw drops: events and their columns as Arrow tables, the way a phone's collector would hand them over.

Strings are dictionary-encoded from small whole numbers, so no string is built twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.world.clock import ZONE_SECONDS
from pipeline.world.draws import Draws, Flags, Floats, Ints
from pipeline.world.rhythm import Events

TIME = pa.timestamp("us", tz="UTC")
Column: TypeAlias = pa.Array | np.ndarray[Any, Any]


@dataclass(frozen=True)
class Drop:
    """Events of one table, its columns in the order of the events, and when each arrived if not as usual."""

    events: Events
    columns: dict[str, Column]
    received: Ints | None = None

    def arrivals(self) -> Ints:
        """When each event reached the collector, wall-clock seconds."""
        return self.events.at + lag_seconds(self.events.draws) if self.received is None else self.received

    def take(self, index: Ints) -> "Drop":
        """The events at `index`, in that order, with their columns."""
        columns = {name: _taken(column, index) for name, column in self.columns.items()}
        return Drop(self.events.take(index), columns, None if self.received is None else self.received[index])


def coded(codes: Ints | Flags, labels: Sequence[str]) -> pa.DictionaryArray:
    """Category codes as strings; a code of −1 is missing."""
    indices = np.asarray(codes).astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(indices, mask=indices < 0), pa.array(labels, pa.string()))


def named(keys: Ints, name: Callable[[Ints], pa.Array]) -> pa.DictionaryArray:
    """Identifiers by whole-number keys, −1 for missing; `name` turns the distinct keys into strings."""
    distinct, codes = np.unique(keys, return_inverse=True)
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32), mask=keys < 0), name(distinct))


def numbered(prefix: str, digits: int = 0, suffix: str = "") -> Callable[[Ints], pa.Array]:
    """Names such as `R00042`: a prefix, a number padded to so many digits, a suffix."""

    def name(keys: Ints) -> pa.Array:
        text = pc.cast(pa.array(keys), pa.string())
        return pc.binary_join_element_wise(prefix, pc.utf8_lpad(text, digits, "0"), suffix, "")

    return name


def rupees(amount: Floats) -> Floats:
    """An amount with two decimals."""
    return np.round(amount, 2)


def lag_seconds(draws: Draws) -> Ints:
    """How long an event takes to arrive: minutes mostly, hours when the phone was offline, seldom days."""
    kind, wait = draws.uniform("lag.kind"), draws.exponential("lag")
    mean = np.where(kind < 0.70, 1_200.0, np.where(kind < 0.95, 21_600.0, 172_800.0))
    return np.floor(1 + wait * mean).astype(np.int64)


def table(drop: Drop) -> pa.Table:
    """The rows that had arrived when the data end, by person and time.

    A person's days may end before the span does; what happened after the last of them was not collected.
    """
    events = drop.events
    received = drop.arrivals()
    rows = np.argsort(events.who * (1 << 40) + events.at, kind="stable")
    rows = rows[received[rows] < events.days.span.as_of]
    people = events.days.people
    columns: dict[str, Any] = {
        "person": coded(events.who[rows], numbered("P", 8)(people.numbers)),
        "happened_at": moments(events.at[rows]),
        "received_at": moments(received[rows]),
    }
    columns |= {name: pa.array(_taken(column, rows)) for name, column in drop.columns.items()}
    return pa.table(columns)


def _taken(column: Column, index: Ints) -> Column:
    return column.take(pa.array(index)) if isinstance(column, pa.Array) else column[index]


def moments(local_seconds: Ints) -> pa.Array:
    """Wall-clock seconds as UTC timestamps."""
    return pa.array((local_seconds - ZONE_SECONDS) * 1_000_000, pa.int64()).cast(TIME)
