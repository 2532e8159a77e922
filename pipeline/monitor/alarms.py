"""From tests to a severity: calm, watch or act, with a budget of false alarms that all tests of a report share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

AREAS = {
    **{"early": 0.25, "calibration": 0.15, "ranking": 0.1, "score": 0.15, "inputs": 0.15},
    **{"approval": 0.04, "reasons": 0.04, "fairness": 0.04, "missing": 0.04, "coverage": 0.04},
}
"""What is tested, and which part of the budget of false alarms it may use, however many tests it makes.

Half goes to outcomes, which come late and few: what is spent on them is worth most.
"""
CALM, WATCH, ACT = "calm", "watch", "act"
EXIT_CODES = {CALM: 0, WATCH: 20, ACT: 21}


@dataclass(frozen=True)
class Question:
    """One question asked of the batch: its answer is unlikely under no change when `p` is small.

    `is_grave`: whether what was found would, beyond chance, be large enough to act on.
    """

    area: str
    name: str
    p: float
    is_grave: bool
    said: str


def budget(alarm_share: float, area: str, tests: int) -> float:
    """How often each of an area's tests may alarm, so that the whole report seldom does (Bonferroni)."""
    return alarm_share * AREAS[area] / max(tests, 1)


def judged(tests: Iterable[Question], alarm_share: float) -> list[dict[str, Any]]:
    """The tests that alarm, gravest and surest first, each with its severity."""
    tests, order = list(tests), list(AREAS)
    sizes = {area: sum(test.area == area for test in tests) for area in AREAS}
    found = [test for test in tests if test.p < budget(alarm_share, test.area, sizes[test.area])]
    found.sort(key=lambda test: (not test.is_grave, order.index(test.area), test.p, test.name))
    return [
        {"severity": ACT if t.is_grave else WATCH, "area": t.area, "name": t.name, "p": t.p, "said": t.said}
        for t in found
    ]


def severity(alarms: Sequence[dict[str, Any]]) -> str:
    """The gravest of the alarms; calm without any."""
    found = {alarm["severity"] for alarm in alarms}
    return ACT if ACT in found else WATCH if WATCH in found else CALM
