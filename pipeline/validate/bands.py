"""The loans of all comers by the scorecard's bands: how many, how many went bad, how many were expected to."""

from dataclasses import dataclass

import numpy as np

from models.rank_order import group
from pipeline.evaluate import read_scored, together
from pipeline.params import Export
from pipeline.workspace import Workspace
from saakh.scale import Scale


@dataclass(frozen=True)
class Band:
    """A band: its name, the points it begins at (None: the lowest), and its loans; rates are None without any."""

    name: str
    from_points: float | None
    rows: int
    observed: float | None
    expected: float | None


def bands_of(ws: Workspace, export: Export, scale: Scale) -> tuple[Band, ...]:
    """All comers by band, A, the safest, first."""
    later, _, returning = read_scored(ws)
    door = together(later, returning)
    place = np.searchsorted(export.bands, scale.offset - scale.factor * door.log_odds, side="right")
    made = []
    for i, start in enumerate([*reversed(export.bands), None]):
        inside = place == len(export.bands) - i
        held = group(door.log_odds[inside], door.bad[inside]) if inside.any() else None
        rates = (held.observed, held.expected) if held else (None, None)
        made.append(Band(chr(ord("A") + i), start, int(inside.sum()), *rates))
    return tuple(made)
