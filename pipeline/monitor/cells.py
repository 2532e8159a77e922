"""Counts as a page that is passed around may hold them: small ones withheld, and what would give them away."""

from collections.abc import Mapping, Sequence

from pipeline.pages import SMALLEST_CELL
from pipeline.reidentify.suppress import withheld

Cells = dict[str, int | None]


def told(numbers: Mapping[str, int]) -> Cells:
    """Parts of a whole that a reader may know; None where a count is withheld."""
    whole = "whole of it"
    hidden = withheld({**numbers, whole: sum(numbers.values())}, [(whole, tuple(numbers))])
    return {name: None if name in hidden or whole in hidden else count for name, count in numbers.items()}


def table(rows: Mapping[str, Mapping[str, int]]) -> dict[str, Cells]:
    """Counts that add up along rows and down columns; None where one is withheld."""
    columns = list(next(iter(rows.values()), {}))
    numbers = {f"{r}|{c}": rows[r][c] for r in rows for c in columns}
    sums: list[tuple[str, Sequence[str]]] = []
    for r in rows:
        sums.append((f"{r}|", [f"{r}|{c}" for c in columns]))
    for c in columns:
        sums.append((f"|{c}", [f"{r}|{c}" for r in rows]))
    totals = {total: sum(numbers[part] for part in parts) for total, parts in sums}
    hidden = withheld(numbers | totals, sums)
    return {r: {c: None if f"{r}|{c}" in hidden else rows[r][c] for c in columns} for r in rows}


def share(count: int | None, total: int) -> float | None:
    """The share of a count that may be told, where the whole is no small number."""
    return None if count is None or 0 < total < SMALLEST_CELL or not total else count / total


def enough(rows: int) -> bool:
    """Whether figures of so many rows may be shown."""
    return rows >= SMALLEST_CELL
