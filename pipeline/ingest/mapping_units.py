"""What a source's unit is worth in the canonical one. What is not listed goes by `times:` in the mapping."""

from collections.abc import Mapping
from types import MappingProxyType

EPOCH_UNITS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"seconds": (1_000_000, 1), "milliseconds": (1_000, 1), "microseconds": (1, 1), "nanoseconds": (1, 1_000)}
)
"""Microseconds in a unit of time since 1970, as multiplier and divisor."""

_FACTORS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "minor units": {"major": 100.0},
        "minor units a month": {"major": 100.0, "major_a_year": 100.0 / 12.0},
        "seconds": {"milliseconds": 0.001, "minutes": 60.0, "hours": 3_600.0},
        "bytes": {"kilobytes": 1e3, "megabytes": 1e6, "gigabytes": 1e9, "kibibytes": 2.0**10, "mebibytes": 2.0**20},
        "days": {"weeks": 7.0},
        "months": {"years": 12.0},
        "basis points a month": {"percent_a_month": 100.0, "percent_a_year": 100.0 / 12.0},
        "metres": {"kilometres": 1_000.0},
    }
)


def factors(unit: str) -> Mapping[str, float]:
    """The source units known for a canonical unit, and what one of each is worth; a hundred minor units to a major."""
    return _FACTORS.get(unit, {})
