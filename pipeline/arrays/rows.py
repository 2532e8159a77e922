"""As-of rows in memory, sorted by application and time, cut into chunks, and told about their neighbours."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from features.neighbours import content
from features.reduce import KEY
from features.sources import Rows as SourceRows
from features.windows import DAY_S
from pipeline.arrays import kernel
from pipeline.arrays.columns import MOST, Array, Column, UnfitError, stacked, unknown
from pipeline.measure import Coverage

TIME_BITS = 36
"""Of a key that sorts by application and time: seconds of two thousand years."""
EARLIEST_S = -(2**34)
MOST_BITS = 63 - TIME_BITS


class Rows:
    """Rows of some applications: `starts` says where each one's begin and end; columns are made when first read."""

    def __init__(self, starts: Array, make: Callable[[str], Column]) -> None:
        self.starts, self._make = starts, make
        self._columns: dict[str, Column] = {}
        self._once: dict[object, Any] = {}

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __getitem__(self, name: str) -> Column:
        if name not in self._columns:
            self._columns[name] = self._make(name)
        return self._columns[name]

    def once(self, what: object, make: Callable[[], Any]) -> Any:
        """What is made of these rows, made when first asked for."""
        if what not in self._once:
            self._once[what] = make()
        return self._once[what]

    def beside(self, columns: Mapping[str, Column]) -> "Rows":
        """These rows with further columns."""
        return Rows(self.starts, lambda name: columns[name] if name in columns else self[name])

    def chosen(self, where: Array | None) -> "Rows":
        """Those rows for which it says yes."""
        if where is None or bool(np.all(where)):
            return self
        at = np.flatnonzero(np.broadcast_to(where, len(self)))
        return Rows(np.searchsorted(at, self.starts), lambda name: self[name].take(at))

    @property
    def with_gaps(self) -> "Rows":
        """Rows that have one before them, with `gap_s`: seconds since the applicant's previous row among these."""
        event_s = self["event_s"].values
        gap = np.zeros(len(self), np.int64)
        gap[1:] = event_s[1:] - event_s[:-1]
        is_second = np.ones(len(self), bool)
        is_second[self.starts[:-1][self.starts[:-1] < len(self)]] = False
        return self.beside({"gap_s": Column(gap)}).chosen(is_second)


@dataclass(frozen=True)
class Part:
    """As-of rows of one table: its `columns` as they came, and the `order` that sorts them by `key`.

    A key is a row's application and second. `said` is said of all rows: a word for each of some columns. `late` rows
    happened or came in too late to be here.
    """

    columns: Mapping[str, Column]
    key: Array
    order: Array
    late: int = 0
    said: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(columns: Mapping[str, Column], content: Sequence[str], late: int = 0) -> "Part":
        """The rows that have these columns, `application` and `event_at` among them.

        Rows of one second are in the order of their `content`, so that the order they came in does not show.
        """
        application, second = columns[KEY].values, columns["event_at"].values - EARLIEST_S
        if len(second) and (second.min() < 0 or second.max() >> TIME_BITS or application.max() >> MOST_BITS):
            raise UnfitError("more time, or more applications, than a key holds")
        key = (application << TIME_BITS) + second
        order = np.arange(len(key))
        if np.any(key[1:] < key[:-1]):
            order = np.argsort(key, kind="stable")
            key = key[order]
        is_tie = key[1:] == key[:-1]
        if content and is_tie.any():
            at = np.flatnonzero(np.append(is_tie, False) | np.append(False, is_tie))
            tied = order[at]
            by = [sortable(columns[name].take(tied)) for name in content]
            order[at] = tied[np.lexsort((*reversed(by), key[at]))]
        return Part(columns, key, order, late)

    @cached_property
    def begins(self) -> Array:
        """Where the rows of each application that has any begin, in order."""
        return np.flatnonzero(np.diff(self.key >> TIME_BITS, prepend=-1))

    @property
    def applications(self) -> Array:
        """The applications that have rows, in order."""
        return self.key[self.begins] >> TIME_BITS

    @property
    def counts(self) -> Array:
        """How many rows each application has that has any."""
        return np.diff(self.begins, append=len(self.key))

    def within(self, low: int, high: int) -> Callable[[str], Column | None]:
        """The columns of the rows of applications `low` to `high` - 1, in order; None for one that is not there."""
        at = self.order[self._at(low) : self._at(high)]

        def column(name: str) -> Column | None:
            if name in self.said:
                return Column(np.zeros(len(at), np.int64), None, (self.said[name],))
            return self.columns[name].take(at) if name in self.columns else None

        return column

    def keys(self, low: int, high: int) -> Array:
        """The keys of the rows of applications `low` to `high` - 1."""
        return self.key[self._at(low) : self._at(high)]

    def _at(self, application: int) -> int:
        return int(np.searchsorted(self.key, application << TIME_BITS))


@dataclass(frozen=True)
class Chunk:
    """Some applications, by number, and where the rows of each begin among theirs."""

    applications: Array
    starts: Array

    def rows(self, parts: Sequence[Part]) -> Rows:
        """Their rows of all parts, by time; of one second, those of the first part come first."""
        low, high = int(self.applications[0]), int(self.applications[-1]) + 1
        columns = [part.within(low, high) for part in parts]
        order = np.argsort(np.concatenate([p.keys(low, high) for p in parts]), kind="stable") if parts[1:] else None

        def column(name: str) -> Column:
            found = [make(name) for make in columns]
            if not any(found):
                raise KeyError(name)
            lengths = (len(p.keys(low, high)) for p in parts)
            whole = stacked([c or unknown(length) for c, length in zip(found, lengths, strict=True)])
            return whole if order is None else whole.take(order)

        return Rows(self.starts, column)


def chunks(parts: Sequence[Part], most: int, applications: int) -> Iterator[Chunk]:
    """All applications that have rows of these parts, so many rows or applications at a time."""
    every, place = np.unique(np.concatenate([p.applications for p in parts]), return_inverse=True)
    ends = np.cumsum(np.bincount(place, np.concatenate([p.counts for p in parts]))).astype(np.int64)
    first = 0
    while first < len(ends):
        before = ends[first - 1] if first else 0
        last = min(int(np.searchsorted(ends, before + most, side="right")), first + applications)
        last = max(first + 1, last)
        yield Chunk(every[first:last], np.append(0, ends[first:last] - before))
        first = last


def told(rows: Rows, source: SourceRows, reading: set[str]) -> Rows:
    """Rows told about the ones before and after with the same key (see `features.neighbours`), still sorted by time."""
    rows = rows.chosen(rows[source.by].known)
    codes, _, _ = kernel.factorise(rows.starts, sortable(rows[source.by]))
    order = _in_order(rows, source, codes)
    previous, following = np.full(len(rows), -1), np.full(len(rows), -1)
    application = np.repeat(np.arange(len(rows.starts) - 1), np.diff(rows.starts))
    older, newer = order[:-1], order[1:]
    is_same = (codes[older] == codes[newer]) & (application[older] == application[newer])
    previous[newer[is_same]], following[older[is_same]] = older[is_same], newer[is_same]
    beside: dict[str, Column] = {}
    for side, at, span in (("last", previous, "since_s"), ("next", following, "until_s")):
        beside |= {f"{side}_{c}": _there(rows[c], at) for c in source.carried if f"{side}_{c}" in reading}
        if span in reading:
            there = _there(rows["event_s"], at)
            beside[span] = Column(np.abs(rows["event_s"].values - there.values), there.known)
    return rows.beside(beside)


def _in_order(rows: Rows, source: SourceRows, codes: Array) -> Array:
    """By key and time; rows of one second by what they say, so that the order they came in does not show."""
    names = dict.fromkeys([*source.carried, *content(source.table)])
    application_start = rows.starts
    event_s = rows["event_s"].values
    return kernel.ordered(application_start, [codes, event_s, *(sortable(rows[name]) for name in names)])


def _there(column: Column, at: Array) -> Column:
    """The value of another row, unknown where there is none (-1)."""
    taken = column.take(np.maximum(at, 0)) if len(at) else column
    return Column(taken.values, taken.certain & (at >= 0), column.words)


def sortable(column: Column) -> Array:
    """Whole numbers of 64 bits in the order of a column's values, what is not known last."""
    values = column.values
    if values.dtype.kind == "f":
        bits = values.view(np.int64)
        values = np.where(bits < 0, bits ^ MOST, bits)
    whole = np.ascontiguousarray(values.astype(np.int64, copy=False))  # one value may stand for all
    return whole if column.known is None else np.where(column.known, whole, MOST)


def covered(part: Part, snapshot_s: Array) -> Coverage:
    """Who has rows: how many, on how many days before the snapshot, and how old the youngest is."""
    applications, counts, begins = part.applications, part.counts, part.begins
    age_s = np.repeat(snapshot_s[applications], counts) - ((part.key & (2**TIME_BITS - 1)) + EARLIEST_S)
    day = (age_s - 1) // DAY_S
    is_new = np.diff(day, prepend=-1) != 0
    is_new[begins] = True
    days = np.add.reduceat(is_new.astype(np.int64), begins) if len(day) else np.zeros(0, np.int64)
    return Coverage(applications, counts, days, age_s[begins + counts - 1])
