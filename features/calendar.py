"""What night and weekend mean where people live: said once a run, and read by every feature."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Calendar:
    """The night is the hours `[night_from, night_to)`, past midnight when they fall; of weekend days, Monday is 0."""

    night_from: int = 0
    night_to: int = 6
    weekend: tuple[int, ...] = (5, 6)


CALENDAR = Calendar()
