"""A column of rows in memory: its values, and which of them are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
LEAST, MOST = -(2**63), 2**63 - 1


class UnfitError(Exception):
    """What cannot be measured in arrays, exactly as an engine's SQL would have it: the engine does it instead."""


@dataclass(frozen=True, slots=True)
class Column:
    """Values of rows, or one value for all of them.

    Whole numbers and moments (in seconds) have 64 bits; a text is its place among `words`, which are in order. `known`
    says which values are not null (None: all). A value that is not known may be anything.
    """

    values: Any
    known: Any = None
    words: tuple[str, ...] | None = None

    def take(self, at: Array | slice) -> "Column":
        """The column of these rows."""
        known = self.known if self.known is None else self.known[at]
        return Column(self.values[at], known, self.words)

    def full(self, rows: int) -> "Column":
        """The column with a value for each row."""
        if np.ndim(self.values) and (self.known is None or np.ndim(self.known)):
            return self
        known = self.known if self.known is None else np.broadcast_to(self.known, rows)
        return Column(np.broadcast_to(self.values, rows), known, self.words)

    @property
    def truth(self) -> Any:
        """Where a column of flags says yes."""
        return self.values if self.known is None else self.values & self.known

    @property
    def certain(self) -> Any:
        """Where a value is known, as flags."""
        return np.True_ if self.known is None else self.known


def known_in(*columns: Column) -> Any:
    """Where all of these are known; None: everywhere."""
    some = [c.known for c in columns if c.known is not None]
    return reduce(np.logical_and, some) if some else None


def unknown(rows: int, words: tuple[str, ...] | None = None) -> Column:
    """A column of which nothing is known."""
    return Column(np.zeros(rows, np.int64), np.zeros(rows, bool), words)


def stacked(parts: Sequence[Column]) -> Column:
    """Columns one below another; one of which nothing is known takes the kind of the others."""
    if len(parts) == 1:
        return parts[0]
    known = None
    if any(p.known is not None for p in parts):
        known = np.concatenate([np.broadcast_to(p.certain, len(p.values)) for p in parts])
    kinds = [p.values.dtype for p in parts if p.known is None or np.any(p.known)]
    kind = np.result_type(*kinds) if kinds else parts[0].values.dtype
    if all(p.words is None for p in parts):
        return Column(np.concatenate([p.values.astype(kind, copy=False) for p in parts]), known)
    words = tuple(sorted({word for p in parts for word in p.words or ()}))
    return Column(np.concatenate([recoded(p, words) for p in parts]), known, words)


def recoded(column: Column, words: tuple[str, ...]) -> Any:
    """The places of a column's texts among `words`, which have them all."""
    if column.words == words or not column.words:
        return column.values
    place = {word: n for n, word in enumerate(words)}
    return np.array([place[word] for word in column.words])[column.values]
