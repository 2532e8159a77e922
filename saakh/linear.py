"""A linear model on bounded, monotone transforms of the inputs: the smooth part of a scorecard."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Self

import numpy as np
import numpy.typing as npt

from saakh.errors import ArtifactError
from saakh.grid import BITS, STEP
from saakh.trees import VALUE_MAX, Array

FAR, REACH = 32.0, 4.0
"""A transformed input reaches 4 some 27 scales from the centre, and stays there; beyond 32 it is not even looked at."""
ARRAYS: Mapping[str, str] = MappingProxyType(
    {"feature": "<i4", "center": "<f8", "scale": "<f8", "coefficient": "<f8", "mean": "<f8"}
)
# Arrays, which numpy takes in three times faster than numbers; for one applicant that is most of the work.
_FAR, _REACH, _STEP = np.array(FAR), np.array(REACH), np.array(STEP)
_HALF, _ONE, _THREE, _FIVE, _FIFTEEN = (np.array(number) for number in (0.5, 1.0, 3.0, 5.0, 15.0))
_FIFTEEN_EIGHTHS, _NOTHING = np.array(15 / 8), np.array(0.0)


@dataclass(frozen=True, eq=False)
class Linear:
    """Log-odds of bad: `intercept` + Σ `coefficient` · (transformed input − `mean`), over the inputs in `feature`.

    The transform is that of `transformed`, within ±`REACH`. A missing input stands at its mean and so adds exactly 0.
    Each term is rounded to the grid. Since they add up, each input's Shapley value is its own term.
    """

    intercept: float
    feature: Array
    center: Array
    scale: Array
    coefficient: Array
    mean: Array

    @classmethod
    def of(cls, inputs: int, intercept: float, **arrays: npt.ArrayLike) -> Self:
        """A linear model over so many inputs, every array checked; an `ArtifactError` says which rule is broken."""
        linear = cls(intercept, **{name: np.asarray(arrays[name], dtype) for name, dtype in ARRAYS.items()})
        linear._check(inputs)
        return linear

    @classmethod
    def none(cls) -> Self:
        """The linear part of a scorecard that has none."""
        return cls.of(0, 0.0, **dict.fromkeys(ARRAYS, ()))

    def effects_of(self, x: Array) -> Array:
        """What each input in `feature` adds [..., features of the part] for inputs [..., features], missing as NaN."""
        effects = transformed(x if self._is_whole(x) else x.take(self.feature, axis=-1), self.center, self.scale)
        effects -= self.mean
        effects *= self.coefficient_in_steps
        effects += _HALF
        np.floor(effects, out=effects)
        effects *= _STEP
        np.copyto(effects, _NOTHING, where=np.isnan(effects))
        return effects

    @cached_property
    def coefficient_in_steps(self) -> Array:
        """The coefficients in steps of the grid: a power of two, which changes no bit of what is multiplied by them."""
        return self.coefficient * 2.0**BITS

    def _is_whole(self, x: Array) -> bool:
        """Whether all inputs are read: they are in order, each once, and so it takes no more than counting them."""
        return len(self.feature) == x.shape[-1]

    @property
    def most(self) -> float:
        """The most that it can come to, either way."""
        return abs(self.intercept) + float((np.abs(self.coefficient) * (REACH + np.abs(self.mean))).sum())

    def _check(self, inputs: int) -> None:
        numbers = np.array([getattr(self, name) for name in ARRAYS], dtype=float)
        rules = {
            "an array is not as long as the others": numbers.ndim == 2,
            "a number is not finite or too large": bool((np.abs(numbers) <= 1e300).all()),
            "a scale is not above zero": bool((self.scale > 0).all()),
            "inputs are not in order, each at most once": bool((np.diff(self.feature) > 0).all()),
            "an input is not declared": bool(((self.feature >= 0) & (self.feature < inputs)).all()),
            "a coefficient is out of range": bool((np.abs(self.coefficient) <= VALUE_MAX).all()),
            "a mean is out of reach": bool((np.abs(self.mean) <= REACH).all()),
        }
        if broken := [rule for rule, holds in rules.items() if not holds]:
            raise ArtifactError(f"the linear part is not sound: {broken[0]}")


def transformed(x: Array, center: Array, scale: Array) -> Array:
    """Inputs on a robust scale: straight near the centre, logarithmic far from it, constant beyond some 27 scales.

    arcsinh(z) of z = (x − center) / scale, to 0.007, within ±4. Libraries differ in the last bits of arcsinh, and so it
    is worked out in operations that IEEE 754 defines to the last: with u = |z|, 32 at most, v the fourth root of
    u + √(u² + 1), and y = (v − 1) / (v + 1), it is 8 · (y + y³ / 3 + y⁵ / 5), with the sign of z.
    """
    z: Array = x - center
    z /= scale
    size: Array = np.abs(z)
    np.minimum(size, _FAR, out=size)
    root: Array = size * size
    root += _ONE
    np.sqrt(root, out=root)
    root += size
    np.sqrt(root, out=root)
    np.sqrt(root, out=root)
    part: Array = np.subtract(root, _ONE, out=size)
    root += _ONE
    part /= root
    square: Array = np.multiply(part, part, out=root)
    series: Array = square * _THREE
    series += _FIVE
    series *= square
    series += _FIFTEEN
    series *= part
    series /= _FIFTEEN_EIGHTHS  # times 8 by 15 in one: 15 / 8 is exact, and so the quotient is the same
    np.minimum(series, _REACH, out=series)
    return np.copysign(series, z, out=series)
