"""What a scorecard may tell of how an input is spread over the training people: four rounded numbers, none a person's.

A counterfactual must stay where people are, a value that nobody had must be told from one that many had, and a reason
must be flipped to a value that exists. The ends are order statistics over people, not loans, and are rounded outwards.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Codes, Floats, columns_of

PEOPLE_BEYOND = 10
"""How many people lie at or beyond each end of what counts as seen."""
USUAL_SHARE = 0.05
"""Which share lies beyond each end of what is usual."""
PEOPLE_LEAST = 100
DIGITS = 2


@dataclass(frozen=True)
class Spread:
    """The ranges of an input: `seen` in training, and `usual` for nine in ten people; rounded."""

    seen: tuple[float, float]
    usual: tuple[float, float]


def spreads(x: Floats, person: Codes, columns: Sequence[int] | None = None) -> list[Spread | None]:
    """The spread of columns of `x`, by default all, NaN where missing; None where fewer than 100 people are known.

    Of several loans of a person the one of the most extreme value counts, at each end.
    """
    order = np.argsort(person, kind="stable")
    begin = np.flatnonzero(np.diff(person[order], prepend=person[order[:1]] - 1))
    return [_spread(np.fmin.reduceat(c, begin), np.fmax.reduceat(c, begin)) for c in columns_of(x, order, columns)]


def _spread(lows: Floats, highs: Floats) -> Spread | None:
    """The spread of the lowest and the highest values of people, NaN where nothing is known."""
    lows, highs = (np.sort(ends[~np.isnan(ends)]) for ends in (lows, highs))
    if len(highs) < PEOPLE_LEAST:
        return None
    beyond = max(PEOPLE_BEYOND, int(USUAL_SHARE * len(highs)))
    seen, usual = (
        (outwards(lows[count - 1], down=True), outwards(highs[-count], down=False)) for count in (PEOPLE_BEYOND, beyond)
    )
    return Spread(seen, usual)


def outwards(value: float, *, down: bool) -> float:
    """The number of two digits next to it, on the outer side."""
    if value == 0:
        return 0.0
    power = math.floor(math.log10(abs(value))) + 1 - DIGITS
    scaled = value / 10.0**power if power <= 0 else value / 10**power
    whole = math.floor(scaled + 1e-9) if down else math.ceil(scaled - 1e-9)
    return float(f"{whole}e{power}")
