"""Withheld counts cannot be worked out: by all that is shown, a small count may still have `least` values."""

import os
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.reidentify.suppress import withheld

EXAMPLES = int(os.environ.get("SAAKH_EXAMPLES", "60"))
LEAST = 3
GROUPS = ("a", "b")

Counts = dict[str, int]
Parts = dict[str, list[str]]


@st.composite
def tables(draw: st.DrawFn) -> tuple[Counts, Parts]:
    """Two groups of parts, each with its total, and the total of both."""
    counts: Counts = {}
    parts: Parts = {}
    for group in GROUPS:
        held = {f"{group}{i}": draw(st.integers(0, 5)) for i in range(draw(st.integers(1, 3)))}
        counts |= held | {group: sum(held.values())}
        parts[group] = list(held)
    counts["all"] = counts["a"] + counts["b"]
    return counts, parts | {"all": list(GROUPS)}


def possible(counts: Counts, parts: Parts, hidden: frozenset[str]) -> dict[str, set[int]]:
    """The values each count may have by all that is shown, from trying every combination of parts up to a bound."""
    most = counts["all"] + (LEAST if "all" in hidden else 0)
    halves = []
    for group in GROUPS:
        ranges = [range(1, most + 1) if name in hidden else (counts[name],) for name in parts[group]]
        tried = (dict(zip(parts[group], values, strict=True)) for values in product(*ranges))
        told = [held | {group: sum(held.values())} for held in tried]
        halves.append([held for held in told if agrees(held[group], group, counts, hidden)])
    sums = [{held[group] for held in half} for group, half in zip(GROUPS, halves, strict=True)]
    wholes = {one + other for one, other in product(*sums) if agrees(one + other, "all", counts, hidden)}
    found: dict[str, set[int]] = {"all": wholes}
    for group, half, others in zip(GROUPS, halves, sums[::-1], strict=True):
        fits = {value: any(value + other in wholes for other in others) for value in {held[group] for held in half}}
        for held in half:
            for name, value in held.items() if fits[held[group]] else ():
                found.setdefault(name, set()).add(value)
    return found


def agrees(value: int, name: str, counts: Counts, hidden: frozenset[str]) -> bool:
    """Whether a total may be so: what is hidden is not zero."""
    return value >= 1 if name in hidden else value == counts[name]


@settings(max_examples=EXAMPLES, deadline=None)
@given(tables())
def test_no_small_count_can_be_worked_out(table: tuple[Counts, Parts]) -> None:
    counts, parts = table
    hidden = withheld(counts, list(parts.items()), LEAST)
    small = {name for name, count in counts.items() if 0 < count < LEAST}
    assert hidden >= small
    assert bool(hidden) == bool(small)
    if small and any(count and name not in hidden for name, count in counts.items()):
        found = possible(counts, parts, hidden)
        assert all(len(found[name]) >= LEAST for name in small)
