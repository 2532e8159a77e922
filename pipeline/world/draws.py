"""Random numbers by address instead of by turn: the same seed, person, name and counter give the same number always.

A draw hashes its address (SplitMix64's finaliser; Steele, Lea and Flood 2014), so nothing depends on the order of
draws, the size of a chunk, or the number of workers, and whole columns are drawn at once.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bits = NDArray[np.uint64]
Flags = NDArray[np.bool_]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_HALF = 2.0**-54


def _mixed(z: Bits) -> Bits:
    """Spread every input bit over all output bits, in place."""
    z ^= z >> np.uint64(30)
    z *= _FIRST
    z ^= z >> np.uint64(27)
    z *= _SECOND
    z ^= z >> np.uint64(31)
    return z


@lru_cache(maxsize=4096)
def _address(name: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little"))


@dataclass(frozen=True)
class Draws:
    """One stream of random numbers an element of `keys`; every method returns one number for each key."""

    keys: Bits

    @classmethod
    def of(cls, seed: int, numbers: ArrayLike) -> "Draws":
        """The streams of persons (or circles, rings, months) given their numbers."""
        root = _mixed(np.array([seed], np.uint64) + _address("seed"))
        return cls(_mixed(np.asarray(numbers, np.int64).astype(np.uint64) * _STEP + root))

    def each(self, name: str, who: Ints, counter: ArrayLike) -> "Draws":
        """Streams one level down: element `who` of this one, numbered by `counter` (an event, a contact, a month)."""
        steps = np.asarray(counter, np.int64).astype(np.uint64) * _STEP
        return Draws(_mixed(self.keys[who] + steps + _address(name)))

    def bits(self, name: str) -> Bits:
        """Sixty-four random bits each."""
        return _mixed(self.keys + _address(name))

    def uniform(self, name: str) -> Floats:
        """Uniform in the open interval from 0 to 1."""
        values: Floats = (self.bits(name) >> np.uint64(11)).astype(np.float64)
        values *= 2.0**-53
        values += _HALF
        return values

    def normal(self, name: str) -> Floats:
        """Standard normal, by the inverse of its distribution function."""
        values: Floats = ndtri(self.uniform(name))
        return values

    def exponential(self, name: str) -> Floats:
        """Exponential with mean 1."""
        values: Floats = -np.log(self.uniform(name))
        return values

    def chance(self, name: str, probability: ArrayLike) -> Flags:
        """True with the given probability."""
        flags: Flags = self.uniform(name) < np.asarray(probability)
        return flags

    def whole(self, name: str, low: int, high: ArrayLike) -> Ints:
        """A whole number from `low` up to but not including `high`."""
        return low + np.floor(self.uniform(name) * (np.asarray(high) - low)).astype(np.int64)

    def poisson(self, name: str, mean: ArrayLike) -> Ints:
        """Poisson counts, by walking up the distribution function."""
        return poisson_quantile(self.uniform(name), np.asarray(mean, np.float64))

    def pick(self, name: str, cumulative: Floats) -> Ints:
        """A category each: `cumulative` holds shares that sum up to 1 along its last axis (one row, or a row each)."""
        values = self.uniform(name)
        if cumulative.ndim == 1:
            return np.searchsorted(cumulative[:-1], values, side="right").astype(np.int64)
        picked: Ints = (values[:, None] > cumulative[:, :-1]).sum(axis=1)
        return picked


def poisson_quantile(level: Floats, mean: Floats) -> Ints:
    """The smallest count whose distribution function reaches `level`, for means up to some hundreds."""
    mean = np.broadcast_to(mean, level.shape)
    counts = np.zeros(level.shape, np.int64)
    open_ = np.flatnonzero(level > np.exp(-mean))
    term = np.exp(-mean[open_])
    reached, target, rate = term.copy(), level[open_], mean[open_]
    count = 0
    while open_.size and count < 1_000:
        count += 1
        counts[open_] = count
        term = term * rate / count
        reached = reached + term
        keep = target > reached
        open_, term, reached, target, rate = open_[keep], term[keep], reached[keep], target[keep], rate[keep]
    return counts


def cumulative(weights: Floats | Sequence[float]) -> Floats:
    """Weights along the last axis turned into shares and summed up, for `Draws.pick`."""
    sums: Floats = np.cumsum(np.asarray(weights, np.float64), axis=-1)
    return sums / sums[..., -1:]


def softmax_sums(logits: Floats) -> Floats:
    """Logits along the last axis turned into summed-up shares, for `Draws.pick`."""
    return cumulative(np.exp(logits - logits.max(axis=-1, keepdims=True)))
