"""Unicity: how many people are the only ones of whom a few known values are all true.

The measure of de Montjoye, Hidalgo, Verleysen and Blondel, Unique in the Crowd (Scientific Reports 3, 2013): of a
person's points some are drawn at random, as if somebody knew these; the person is singled out when nobody else has
them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Points:
    """Which person has which point, each pair once, sorted by point and person; both are numbered from 0."""

    point: Numbers
    who: Numbers

    @property
    def people(self) -> int:
        """How many people have a point."""
        return int(self.who.max()) + 1 if len(self.who) else 0

    def holders(self, point: int) -> Numbers:
        """The people who have a point, in order."""
        first, last = np.searchsorted(self.point, (point, point + 1))
        return self.who[first:last]

    def of_each(self) -> list[Numbers]:
        """Each person's points, in order."""
        order = np.argsort(self.who, kind="stable")
        starts = np.searchsorted(self.who[order], np.arange(1, self.people))
        return np.split(self.point[order], starts) if self.people else []


def coded(who: Sequence[Any] | np.ndarray, point: Sequence[Any] | np.ndarray) -> Points:
    """Points of people by whatever names they go by; what is there twice counts once."""
    people, points = (np.unique(np.asarray(names), return_inverse=True)[1] for names in (who, point))
    pairs = np.unique(np.column_stack([points, people]), axis=0) if len(points) else np.empty((0, 2), np.int64)
    return Points(pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.int64))


def unicity(points: Points, known: int, sample: int, confidence: float, seed: int) -> dict[str, Any]:
    """The share of people singled out by 1 to `known` of their points, with intervals.

    Args:
        points: who has which.
        known: how many points somebody knows, at most; people who have fewer are left out and counted.
        sample: how many people to draw.
        confidence: of the Wilson intervals.
        seed: of the draws.
    """
    draw = np.random.default_rng(seed)
    each = points.of_each()
    enough = np.flatnonzero([len(held) >= known for held in each])
    chosen = np.sort(draw.choice(enough, min(sample, len(enough)), replace=False))
    alone = np.zeros(known, np.int64)
    for person in chosen:
        drawn = draw.choice(each[person], known, replace=False)
        alone += [is_alone(points, drawn[: count + 1]) for count in range(known)]
    return {
        "people": points.people,
        "people_with_enough": len(enough),
        "sampled": len(chosen),
        "by_known": [
            {"known": count, **share(int(found), len(chosen), confidence)} for count, found in enumerate(alone, start=1)
        ],
    }


def is_alone(points: Points, drawn: Numbers) -> bool:
    """Whether one person alone has all these points; the rarest is asked first."""
    holders = sorted((points.holders(point) for point in drawn), key=len)
    left = holders[0]
    for others in holders[1:]:
        if len(left) <= 1:
            break
        at = np.minimum(np.searchsorted(others, left), len(others) - 1)
        left = left[others[at] == left]
    return len(left) == 1


def share(count: int, of: int, confidence: float) -> dict[str, Any]:
    """A share of a sample with its Wilson interval; nothing where there is no sample."""
    if not of:
        return {"singled_out": 0, "share": None, "low": None, "high": None}
    from scipy.stats import binomtest  # noqa: PLC0415 - heavy

    found = binomtest(count, of).proportion_ci(confidence, method="wilson")
    return {"singled_out": count, "share": count / of, "low": float(found.low), "high": float(found.high)}
