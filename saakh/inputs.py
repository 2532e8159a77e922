"""From an applicant's row to a model's inputs: what each kind of value means, and what is counted.

None, NaN and an absent key are missing: the model has a way for them. A value that cannot be (text, infinity, outside
the range its feature declares) is taken as missing too, and reported. A key that is no feature is an error, since a
misspelt name would otherwise pass for missing.
"""

import math
import struct
from collections.abc import Iterable, Mapping
from numbers import Real
from operator import itemgetter
from typing import Any

import numpy as np

from saakh import compiled
from saakh.errors import ContractError
from saakh.spec import FeatureSpec
from saakh.trees import Array

NOT_A_NUMBER, NOT_FINITE, OUT_OF_RANGE = "not_a_number", "not_finite", "out_of_range"
ROUNDING = 1e-9
_NAN, _NONE = math.nan, type(None)
_PLAIN = {float, int, bool, _NONE, np.float64}


class Inputs:
    """The inputs of a scorecard, in order."""

    def __init__(self, specs: tuple[FeatureSpec, ...]) -> None:
        self.names = tuple(s.name for s in specs)
        self.place = {name: i for i, name in enumerate(self.names)}
        self._take = itemgetter(*self.names) if len(specs) > 1 else None
        self._in_order = list(self.names)
        self._lay_out = struct.Struct(f"{len(specs)}d").pack_into
        low = np.array([-np.finfo(float).max if s.low is None else s.low for s in specs])
        high = np.array([np.finfo(float).max if s.high is None else s.high for s in specs])
        slack = (ROUNDING * np.maximum(1, np.abs(bound)) * (np.abs(bound) < 1e300) for bound in (high, low))
        self._most, self._least = high + next(slack), low - next(slack)

    @property
    def bounds(self) -> tuple[Array, Array]:
        """The least and the greatest value [features] that is no problem: declared ranges and a little slack."""
        return self._least, self._most

    def of(self, row: Mapping[str, Any]) -> tuple[Array, dict[str, str]]:
        """The inputs [features], missing as NaN, and the problems found, by feature."""
        problems: dict[str, str] = {}
        x = np.empty(len(self.names))
        if not compiled.take(row, self.names, x):
            x = self._in_order_of(self._values(row), problems)
        beyond = self._beyond(x)
        if np.count_nonzero(beyond):
            self._refuse(x, beyond, problems)
        return x, problems

    def _in_order_of(self, values: tuple[Any, ...], problems: dict[str, str]) -> Array:
        kinds = set(map(type, values))
        if kinds <= _PLAIN:
            x: Array = np.empty(len(values))
            known = [_NAN if value is None else value for value in values] if _NONE in kinds else values
            try:
                self._lay_out(x.data, 0, *known)  # a few times faster than `np.array`
            except (OverflowError, struct.error):  # a whole number beyond all floats
                pass
            else:
                return x
        return self._one_by_one(values, problems)

    def _beyond(self, x: Array) -> Array:
        """Which inputs [..., features] cannot be."""
        return np.asarray((x > self._most) | (x < self._least))

    def of_many(self, rows: Array | Iterable[Mapping[str, Any]]) -> tuple[Array, Array]:
        """The inputs [rows, features], missing as NaN, and which of them are problems."""
        if not isinstance(rows, np.ndarray):
            found = [self.of(row) for row in rows]
            x = np.array([x for x, _ in found]).reshape(-1, len(self.names))
            return x, np.array([[name in p for name in self.names] for _, p in found], bool).reshape(x.shape)
        if rows.ndim != 2 or rows.shape[1] != len(self.names) or rows.dtype.kind not in "fiub":
            raise ContractError(
                f"an array of rows has numbers in {len(self.names)} columns, in the order of `features`; "
                f"this one is {rows.dtype} {rows.shape}"
            )
        x = rows.astype(float, order="C")
        refused = self._beyond(x)
        x[refused] = np.nan
        return x, refused

    def _values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        if self._take and type(row) is dict and len(row) == len(self.names):
            if list(row) == self._in_order:
                return tuple(row.values())
            try:
                values: tuple[Any, ...] = self._take(row)
            except KeyError:
                pass
            else:
                return values
        if not isinstance(row, Mapping):
            raise ContractError(f"a row maps features to numbers; this one is a {type(row).__name__}")
        if unknown := sorted(str(k) for k in row if k not in self.place):
            shown = ", ".join(k[:60] for k in unknown[:10])
            more = f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""
            raise ContractError(f"keys of the row that are no features of the scorecard: {shown}{more}; see `features`")
        return tuple(map(row.get, self.names))

    def _one_by_one(self, values: tuple[Any, ...], problems: dict[str, str]) -> Array:
        x = np.full(len(values), np.nan)
        for i, value in enumerate(values):
            try:
                x[i] = _as_float(value)
            except (TypeError, ValueError):  # a signalling NaN raises ValueError
                problems[self.names[i]] = NOT_A_NUMBER
        return x

    def _refuse(self, x: Array, where: Array, problems: dict[str, str]) -> None:
        for i in np.flatnonzero(where):
            problems[self.names[i]] = NOT_FINITE if math.isinf(x[i]) else OUT_OF_RANGE
            x[i] = np.nan


def _as_float(value: Any) -> float:
    if value is None:
        return math.nan
    from decimal import Decimal  # noqa: PLC0415 - who has none does not wait for it

    if not isinstance(value, Real | Decimal | np.bool_):
        raise TypeError
    try:
        return float(value)
    except OverflowError:
        return math.inf
