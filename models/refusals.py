"""Refusing must cost nothing, so refusing must teach nothing.

Trees learn from missing values. Where a category of consent was refused, its columns are therefore filled from another
applicant who refused nothing of it (a hot deck), whoever that is: to the trees, refusal then says nothing at all.
Columns that are open and silent stay missing, which is a behaviour.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.arrays import Codes, Flags, Floats

Keys = npt.NDArray[np.uint64]
"""For each row a number drawn by a keyed hash: the same whatever other rows there are."""


@dataclass(frozen=True)
class Refusals:
    """Which categories each row refused [rows, categories], and the category of each column [columns]."""

    closed: Flags
    category: Codes

    @classmethod
    def none(cls, rows: int, columns: int) -> "Refusals":
        """Nobody refused anything."""
        return cls(np.zeros((rows, 0), bool), np.full(columns, -1))

    def rows(self, where: Flags | Codes) -> "Refusals":
        """Those of some rows."""
        return Refusals(self.closed[where], self.category)

    def columns(self, where: Sequence[int]) -> "Refusals":
        """Those of some columns."""
        return Refusals(self.closed, self.category[list(where)])

    def groups(self) -> Iterator[tuple[Codes, frozenset[int]]]:
        """The rows that withhold the same, and the columns they withhold."""
        if not self.closed.shape[1]:
            yield np.arange(len(self.closed)), frozenset()
            return
        packed = np.packbits(self.closed, axis=1)  # of which fewer columns are compared
        _, first, counts = np.unique(packed, axis=0, return_index=True, return_counts=True)
        order = np.lexsort(packed.T[::-1])
        for row, count, end in zip(first, counts, np.cumsum(counts), strict=True):
            withheld = self.closed[row][self.category] & (self.category >= 0)
            yield order[end - count : end], frozenset(np.flatnonzero(withheld).tolist())


def withheld(x: Floats, refusals: Refusals) -> Floats:
    """The same rows without what was refused: there, every value is missing. Where all is already, it is `x` itself."""
    out = x
    for category in np.flatnonzero(refusals.closed.any(axis=0)):
        at = np.ix_(refusals.closed[:, category], refusals.category == category)
        if not np.isnan(out[at]).all():
            out = x.copy() if out is x else out
            out[at] = np.nan
    return out


def filled(x: Floats, refusals: Refusals, part: Codes, key: Keys) -> Floats:
    """The same rows with the columns of refused categories taken from a donor of the same part.

    A part is a shard and a fold: no value crosses either. The donor is the next open row by hashed key, so that taking
    one person out changes a row only if that person was its donor. Where all refused, values stay missing.
    """
    if not refusals.closed.any():
        return x
    out = x.copy()
    for category in np.flatnonzero(refusals.closed.any(axis=0)).tolist():
        columns = np.flatnonzero(refusals.category == category)
        turned = _turned(key, category)
        for p in np.unique(part[refusals.closed[:, category]]):
            here, closed = part == p, refusals.closed[:, category]
            donors, takers = np.flatnonzero(here & ~closed), np.flatnonzero(here & closed)
            if len(donors) and len(columns):
                order = donors[np.argsort(turned[donors], kind="stable")]
                place = np.searchsorted(turned[order], turned[takers]) % len(order)
                out[np.ix_(takers, columns)] = x[np.ix_(order[place], columns)]
    return out


def keys(names: Sequence[str], what: str) -> Keys:
    """A number for each name, by SHA-256 of the name and of what it is for."""
    digests = [hashlib.sha256(f"{what} {name}".encode()).digest()[:8] for name in names]
    return np.array([int.from_bytes(d, "big") for d in digests], dtype=np.uint64)


def _turned(key: Keys, category: int) -> Keys:
    """Another order of the same keys for each category (a step of SplitMix64), so that donors differ."""
    z = key + np.uint64((category + 1) * 0x9E3779B97F4A7C15 % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)
