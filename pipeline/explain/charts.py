"""The geometry of the report's charts: numbers in, positions out. Templates draw them; every position is a percentage.

Charts are plain HTML and SVG that the page's style sheet colours, so that they need no script, print as they look,
reflow on a phone and are read aloud. No mark carries a person: bands hold at least ten applications, dots are rounded.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from saakh.spec import FeatureSpec

SMALLEST_GROUP = 10
SWARM_WIDTH, SWARM_HEIGHT = 1000, 38
SWARM_COLUMNS, SWARM_STACK = 250, 11
SHADES = 7


@dataclass(frozen=True)
class Axis:
    """A linear scale from `low` to `high` with round `ticks`."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Where a value lies, in percent from the low end, kept inside."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(max(share, 0.0), 1.0), 3)


def axis(values: Iterable[float], most: int = 6, *, through: float | None = None) -> Axis:
    """An axis over all values (and `through`, when given) that starts and ends on a round number."""
    every = [float(v) for v in values if math.isfinite(v)] + ([] if through is None else [through])
    low, high = min(every, default=0.0), max(every, default=1.0)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    step = round_step((high - low) / most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(round(i * step, 10) for i in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks)


def round_step(least: float) -> float:
    """The smallest of 1, 2, 2.5, 5, 10 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= least * (1 - 1e-9))


@dataclass(frozen=True)
class Swarm:
    """A feature's row of dots: an SVG path for each shade (`s0` low to `s6` high, `none`: no value), and quantiles."""

    spec: FeatureSpec
    layers: tuple[tuple[str, str], ...]
    quantiles: tuple[float, ...]


def swarms(specs: Sequence[FeatureSpec], values: np.ndarray, points: np.ndarray) -> tuple[Axis, tuple[Swarm, ...]]:
    """Beeswarm rows on one axis.

    Args:
        specs: the features to draw.
        values: their values, shape (rows, features), missing as NaN.
        points: their contributions in points, same shape.

    Dots are pooled into 250 columns and stacked in the order of their shade, so that rows of two features cannot be
    told to belong together; a column that does not fit is thinned, heights then go with the square root of the number.
    """
    scale = axis(points.ravel(), 8, through=0.0)
    rows = [_swarm(spec, values[:, i], points[:, i], scale) for i, spec in enumerate(specs)]
    return scale, tuple(rows)


def _swarm(spec: FeatureSpec, values: np.ndarray, points: np.ndarray, scale: Axis) -> Swarm:
    shade = shades(values)
    column = np.rint((points - scale.low) / (scale.high - scale.low) * SWARM_COLUMNS).astype(int)
    crowd = np.bincount(column).max()
    paths: dict[int, list[str]] = {}
    for place in np.unique(column):
        for level, colour in _thinned(np.sort(shade[column == place]), crowd):
            paths.setdefault(colour, []).append(f"M{place * SWARM_WIDTH // SWARM_COLUMNS} {level}h0")
    layers = tuple((_shade_name(colour), "".join(paths[colour])) for colour in sorted(paths))
    quantiles = tuple(float(q) for q in np.quantile(points, (0.05, 0.25, 0.5, 0.75, 0.95)))
    return Swarm(spec, layers, quantiles)


def shades(values: np.ndarray) -> np.ndarray:
    """Each value's shade: 0 (lowest) to 6 by its mid-rank among the values that are there, −1 where there is none."""
    found = np.full(len(values), -1)
    there = ~np.isnan(values)
    known = np.sort(values[there])
    below, upto = np.searchsorted(known, values[there], "left"), np.searchsorted(known, values[there], "right")
    found[there] = np.minimum((below + upto) / 2 / max(len(known), 1) * SHADES, SHADES - 1).astype(int)
    return found


def _shade_name(shade: int) -> str:
    return "none" if shade < 0 else f"s{shade}"


def _thinned(shade: np.ndarray, crowd: int) -> Iterable[tuple[float, int]]:
    """Heights and shades of a column's dots, centred; evenly picked when the fullest column would not fit."""
    count = len(shade)
    shown = count if crowd <= SWARM_STACK else max(1, round(SWARM_STACK * math.sqrt(count / crowd)))
    shown = min(shown, count)
    pitch = (SWARM_HEIGHT - 6) / (SWARM_STACK - 1)
    for i in range(shown):
        yield (
            round(SWARM_HEIGHT / 2 + (shown - 1 - 2 * i) * pitch / 2, 1),
            int(shade[(2 * i + 1) * count // (2 * shown)]),
        )


@dataclass(frozen=True)
class Band:
    """Applications with similar values of one feature: how many, their median value (None: no value), their points."""

    rows: int
    median: float | None
    mean: float
    low: float
    high: float


def bands(values: np.ndarray, points: np.ndarray, most: int = 10) -> tuple[Band, ...]:
    """Up to `most` groups of about equal size from the lowest to the highest value, before them those without a value.

    Equal values stay together; a group of fewer than ten joins its neighbour, and those without a value are left out
    when they are fewer than ten. `low` and `high` are the 10th and 90th percentile of the contributions in points.
    """
    missing = np.isnan(values)
    groups = [np.flatnonzero(missing)] if missing.sum() >= SMALLEST_GROUP else []
    there = np.flatnonzero(~missing)
    there = there[np.argsort(values[there], kind="stable")]
    starts = _starts(values[there], max(SMALLEST_GROUP, math.ceil(len(there) / most)))
    groups += [g for g in np.split(there, starts) if len(g) >= SMALLEST_GROUP]
    return tuple(_band(values[g], points[g]) for g in groups)


def _starts(ordered: np.ndarray, size: int) -> list[int]:
    """Where new groups begin in ordered values: after `size` rows, at the next change of value."""
    starts, begin = [], 0
    for place in (np.flatnonzero(np.diff(ordered)) + 1).tolist():
        if place - begin >= size and len(ordered) - place >= SMALLEST_GROUP:
            starts.append(place)
            begin = place
    return starts


def _band(values: np.ndarray, points: np.ndarray) -> Band:
    low, high = np.quantile(points, (0.1, 0.9))
    median = None if np.isnan(values[0]) else float(np.median(values))
    return Band(len(values), median, float(points.mean()), float(low), float(high))


def direction_found(found: Sequence[Band]) -> int:
    """Which way the log-odds of bad move from band to band: +1 rise, −1 fall, 0 neither or both.

    A step against the others counts when it exceeds a tenth of the whole range: other inputs blur the mean of a band.
    """
    means = [band.mean for band in found if band.median is not None]
    blur = 0.1 * (max(means, default=0.0) - min(means, default=0.0))
    steps = np.diff(means)
    return int((steps < -blur).any()) - int((steps > blur).any())
