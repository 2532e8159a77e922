"""What is known of a chunk of applications so far, each piece made once, and what making it took."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock, local
from time import perf_counter

from pipeline.arrays.blocks import Cut, Entries, Keyed
from pipeline.arrays.rows import Rows
from pipeline.measure import Taken, Watch

Name = tuple[str, tuple[str, ...], Cut, bool]
"""A block: the source of its rows, its keys, its slices, and whether it is of gaps."""


class Times:
    """What each step took, over all chunks: what another step in it took counts there alone."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], int] = {}
        self._seconds: dict[tuple[str, str], float] = {}
        self._lock, self._thread = Lock(), local()

    @contextmanager
    def of(self, name: str, kind: str, rows: int = 0) -> Iterator[None]:
        """Count the time within."""
        outer, began = getattr(self._thread, "within", 0.0), perf_counter()
        self._thread.within = 0.0
        try:
            yield
        finally:
            took = perf_counter() - began
            own, self._thread.within = took - self._thread.within, outer + took
            with self._lock:
                self._seconds[name, kind] = self._seconds.get((name, kind), 0.0) + own
            self.count(name, kind, rows)

    def count(self, name: str, kind: str, rows: int) -> None:
        """Count rows made."""
        with self._lock:
            self._rows[name, kind] = self._rows.get((name, kind), 0) + rows

    def tell(self, table: str, watch: Watch) -> None:
        """Say each step, in the order in which they were first done."""
        for (name, kind), seconds in self._seconds.items():
            if name != table:  # the rows themselves took nothing
                watch(Taken(table, name, kind, self._rows[name, kind], seconds, is_in_memory=True))


class Sheet:
    """Rows by source, their keys, and the entries of blocks, of so many applications."""

    def __init__(
        self,
        count: int,
        rows: Callable[[str], Rows],
        reduce: Mapping[Name, Callable[[Keyed], Entries]],
        times: Times,
    ) -> None:
        self.count = count
        self._make, self._reduce, self._times = rows, reduce, times
        self._rows: dict[str, Rows] = {}
        self._keyed: dict[tuple[str, tuple[str, ...], bool], Keyed] = {}
        self._entries: dict[Name, Entries] = {}

    def rows(self, source: str) -> Rows:
        """The rows of a source."""
        if source not in self._rows:
            with self._times.of(source, "rows"):
                self._rows[source] = self._make(source)
            self._times.count(source, "rows", len(self._rows[source]))
        return self._rows[source]

    def keyed(self, source: str, keys: tuple[str, ...] = (), *, is_of_gaps: bool = False) -> Keyed:
        """The rows of a source by some keys, or those that have one before them."""
        name = (source, keys, is_of_gaps)
        if name not in self._keyed:
            self._keyed[name] = self.keyed(source, keys).with_gaps if is_of_gaps else self._by(source, keys)
        return self._keyed[name]

    def _by(self, source: str, keys: tuple[str, ...]) -> Keyed:
        if not keys:
            return Keyed(self.rows(source))
        outer = self.keyed(source, keys[:-1])
        with self._times.of("_".join([source, "per", *keys]), "keys", len(outer.rows)):
            return outer.by(keys[-1])

    def entries(self, name: Name) -> Entries:
        """The entries of a block."""
        if name not in self._entries:
            source, keys, _, is_of_gaps = name
            keyed = self.keyed(source, keys, is_of_gaps=is_of_gaps)
            said = "_".join([source, *(["per", *keys] if keys else []), "gaps" if is_of_gaps else "cells"])
            with self._times.of(said, "cells"):
                self._entries[name] = self._reduce[name](keyed)
            self._times.count(said, "cells", len(self._entries[name].keys))
        return self._entries[name]
