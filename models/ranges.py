"""What a scorecard may tell of how an input is spread over the training people: four rounded numbers, none a person's.

A counterfactual must stay where people are, a value that nobody had must be told from one that many had, and a reason
must be flipped to a value that exists. The ends are order statistics over people, not loans, and are rounded outwards.
"""

import math
from dataclasses import dataclass

import numpy as np

from models.arrays import Codes, Floats

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


def spreads(x: Floats, person: Codes) -> list[Spread | None]:
    """The spread of each column of `x` [rows, columns], NaN where missing; None where fewer than 100 people are known.

    Of several loans of a person the one of the most extreme value counts, at each end.
    """
    return [_spread(column[~np.isnan(column)], person[~np.isnan(column)]) for column in x.T]


def _spread(values: Floats, person: Codes) -> Spread | None:
    lows, highs = -_highest(-values, person), _highest(values, person)
    if len(highs) < PEOPLE_LEAST:
        return None
    beyond = max(PEOPLE_BEYOND, int(USUAL_SHARE * len(highs)))
    seen, usual = (
        (outwards(np.sort(lows)[count - 1], down=True), outwards(-np.sort(-highs)[count - 1], down=False))
        for count in (PEOPLE_BEYOND, beyond)
    )
    return Spread(seen, usual)


def _highest(values: Floats, person: Codes) -> Floats:
    """The highest value of each person."""
    order = np.argsort(-values, kind="stable")
    _, first = np.unique(person[order], return_index=True)
    return values[order][first]


def outwards(value: float, *, down: bool) -> float:
    """The number of two digits next to it, on the outer side."""
    if value == 0:
        return 0.0
    power = math.floor(math.log10(abs(value))) + 1 - DIGITS
    scaled = value / 10.0**power if power <= 0 else value / 10**power
    whole = math.floor(scaled + 1e-9) if down else math.ceil(scaled - 1e-9)
    return float(f"{whole}e{power}")
