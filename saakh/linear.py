"""A linear model on bounded, monotone transforms of the inputs: the smooth part of a scorecard."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import numpy as np
import numpy.typing as npt

from saakh.errors import ArtifactError
from saakh.grid import rounded
from saakh.trees import VALUE_MAX, Array

FAR, REACH = 32.0, 4.0
"""A transformed input reaches 4 some 27 scales from the centre, and stays there; beyond 32 it is not even looked at."""
ARRAYS: Mapping[str, str] = MappingProxyType(
    {"feature": "<i4", "center": "<f8", "scale": "<f8", "coefficient": "<f8", "mean": "<f8"}
)


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
        effects = transformed(x.take(self.feature, axis=-1), self.center, self.scale)
        effects -= self.mean
        effects *= self.coefficient
        effects = rounded(effects)
        effects[np.isnan(effects)] = 0.0
        return effects

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
    np.minimum(size, FAR, out=size)
    root: Array = size * size
    root += 1.0
    root = np.sqrt(np.sqrt(size + np.sqrt(root)))
    part: Array = (root - 1.0) / (root + 1.0)
    square: Array = part * part
    series: Array = square * 3.0
    series += 5.0
    series *= square
    series += 15.0
    series *= part
    series *= 8.0
    series /= 15.0
    np.minimum(series, REACH, out=series)
    return np.copysign(series, z, out=series)
