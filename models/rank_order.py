"""Tables of what was expected against what happened: by band of score, and by vintage."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from models.arrays import Flags, Floats
from models.metrics import probability

GROUP_ROWS_MIN = 20


@dataclass(frozen=True)
class Group:
    """A group of loans: how many, how many bad, the observed rate and the mean PD."""

    rows: int
    bads: int
    observed: float
    expected: float


def by_decile(log_odds: Floats, bad: Flags) -> list[Group]:
    """Groups of about equal size from the riskiest to the safest: ten, or as many as leave 20 loans in each.

    Equal scores stay together, so the order of rows does not matter.
    """
    groups = max(1, min(10, len(bad) // GROUP_ROWS_MIN))
    place = np.floor((rankdata(-log_odds) - 0.5) * groups / len(bad)).astype(np.int64)
    return [group(log_odds[place == g], bad[place == g]) for g in np.unique(place)]


def group(log_odds: Floats, bad: Flags) -> Group:
    """What was expected of these loans and what happened."""
    return Group(len(bad), int(bad.sum()), float(bad.mean()), float(probability(log_odds).mean()))
