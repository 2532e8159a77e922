"""What can be had: the most profit at each bad rate, and who changes sides between two strategies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Flags
from pipeline.explain.charts import Axis, axis
from pipeline.optimise.book import Book, Figures, Lent, figures, lend
from pipeline.optimise.cells import Bounds
from pipeline.optimise.search import flat, grid, optimised
from saakh.terms import Lender

POINTS = 12
LOWEST = 0.25
"""The frontier begins at this share of the bad rate of lending to all."""


@dataclass(frozen=True)
class Point:
    """One bad rate: what the best single cut-off and the best strategy within it make of the book."""

    bad_rate_max: float
    flat: Figures
    optimised: Figures


@dataclass(frozen=True)
class Swap:
    """Applications on the same side of both strategies; `profit` is the change of what is expected on them."""

    name: str
    applications: int
    pd: float
    observed: float | None
    profit: float


@dataclass(frozen=True)
class Drawing:
    """The frontier as lines: axes in percent and in major units, and an SVG path for each strategy (0 to 100)."""

    across: Axis
    up: Axis
    flat: str
    optimised: str


def frontier(
    book: Book, lender: Lender, amounts: Sequence[int], most: Sequence[int], pd_slope: float = 0.0
) -> tuple[Point, ...]:
    """Points from a low bad rate to that of lending to all whom the lender serves."""
    tried = [figures(book, lend(book, lender, flat(lender, cut), pd_slope)) for cut in grid(book)]
    highest = max(f.bad_rate for f in tried)
    lowest = max(LOWEST * highest, min(f.bad_rate for f in tried if f.approval > 0))
    return tuple(
        Point(
            bad_rate,
            max((f for f in tried if f.bad_rate <= bad_rate), key=lambda f: f.profit),
            optimised(book, lender, amounts, most, Bounds(bad_rate), pd_slope)[1],
        )
        for bad_rate in np.linspace(lowest, highest, POINTS).tolist()
    )


def swaps(book: Book, before: Lent, after: Lent, is_bad: Flags | None = None) -> tuple[Swap, ...]:
    """The four sets: lent to by both, by the new strategy alone, by the old one alone, by neither."""
    sides = {
        "both": before.is_lent & after.is_lent,
        "swapped in": ~before.is_lent & after.is_lent,
        "swapped out": before.is_lent & ~after.is_lent,
        "neither": ~before.is_lent & ~after.is_lent,
    }
    return tuple(_swap(name, rows, book, before, after, is_bad) for name, rows in sides.items())


def drawing(points: Sequence[Point], minor_per_unit: int) -> Drawing:
    """The frontier's axes and lines."""
    across = axis([100 * p.bad_rate_max for p in points])
    profits = [f.profit / minor_per_unit for p in points for f in (p.flat, p.optimised)]
    up = axis(profits, through=0.0)

    def line(chosen: Sequence[Figures]) -> str:
        places = [
            (across.at(100 * p.bad_rate_max), 100 - up.at(f.profit / minor_per_unit))
            for p, f in zip(points, chosen, strict=True)
        ]
        return "M" + "L".join(f"{x:g} {y:g}" for x, y in places)

    return Drawing(across, up, line([p.flat for p in points]), line([p.optimised for p in points]))


def _swap(name: str, rows: Flags, book: Book, before: Lent, after: Lent, is_bad: Flags | None) -> Swap:
    count = int(rows.sum())
    changed = float((after.profit - before.profit)[rows].sum()) if count else 0.0
    observed = float(is_bad[rows].mean()) if is_bad is not None and count else None
    return Swap(name, count, float(book.pd[rows].mean()) if count else 0.0, observed, changed)
