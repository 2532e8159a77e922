"""The counts of applications that a report shows, and which of them are withheld so that no small one can be told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipeline.label import LABELS
from pipeline.pages import SMALLEST_CELL
from pipeline.reidentify.suppress import WITHHELD, withheld

RECEIVED, ASKED, JUDGED, DOOR = "received", "asked", "explained", "through_the_door"
PARTS = ("development", "out_of_time")
KEPT, READ = "rows kept", "rows read"
KINDS = (
    ("by_decile", "decile"),
    ("by_vintage", "month"),
    ("by_tier", "tier"),
    ("by_refusal", "refused"),
    ("by_band", "band"),
)
"""How loans judged on are divided, and what names a group."""

Sums = list[tuple[str, Sequence[str]]]


@dataclass(frozen=True)
class Counts:
    """Counts by name, and which add up to which."""

    numbers: Mapping[str, int]
    sums: Sums

    @cached_property
    def hidden(self) -> frozenset[str]:
        """The names of those that are withheld."""
        return withheld(self.numbers, self.sums)

    def shown(self, name: str) -> bool:
        """Whether a count is shown."""
        return name not in self.hidden

    def told(self, name: str) -> str:
        """A count as the report prints it."""
        return f"{self.numbers[name]:,}" if self.shown(name) else WITHHELD


def excluded(stages: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Applications left out: by which stage, why, and how many; one reason after the other."""
    for stage, kept in (("cohort", ("kept",)), ("label", LABELS)):
        yield from ((stage, why, rows) for why, rows in stages[stage]["verdicts"].items() if why not in kept)
    yield from (("train", why, rows) for why, rows in stages["train"]["split"]["excluded"].items() if rows)


def counted(stages: Mapping[str, Any]) -> Counts:
    """Every count of applications in the report, with all the sums between them."""
    left_out = {f"{stage}: {why}": rows for stage, why, rows in excluded(stages)}
    split = stages["train"]["split"]
    numbers = left_out | {part: split[part]["rows"] for part in PARTS}
    numbers |= {RECEIVED: stages["cohort"]["rows_in"], ASKED: stages["cohort"]["verdicts"]["kept"]}
    numbers |= {JUDGED: sum(numbers[part] for part in PARTS)}
    later = [name for name in left_out if not name.startswith("cohort")]
    sums: Sums = [
        (RECEIVED, [*(name for name in left_out if name.startswith("cohort")), ASKED]),
        (ASKED, [*later, *PARTS]),
        (JUDGED, PARTS),
    ]
    for added, more in (_coverage(stages), _groups(stages, split)):
        numbers |= added
        sums += more
    return Counts(numbers, [(total, parts) for total, parts in sums if _adds_up(numbers, total, parts)])


def arrivals(table: Mapping[str, Any] | None) -> Counts | None:
    """The rows of a table read, kept and turned away by rule, which add up; nothing of a table that did not come."""
    if table is None:
        return None
    numbers = {**table["rejected"], KEPT: table["rows_kept"], READ: table["rows_in"]}
    return Counts(numbers, [(READ, (*table["rejected"], KEPT))])


def grouped(rows: Sequence[int], total: int) -> list[str]:
    """The sizes of groups as they are printed, where what is in none of them follows from a total that is known."""
    numbers = {str(group): count for group, count in enumerate(rows)} | {"in none": total - sum(rows), JUDGED: total}
    found = Counts(numbers, [(JUDGED, [name for name in numbers if name != JUDGED])])
    return [found.told(str(group)) for group in range(len(rows))]


def nested(rows: Sequence[int], total: int) -> list[str]:
    """The sizes of parts of one whole as they are printed, where parts may hold each other.

    Withheld is one that is small, or that differs by a small number from the whole or a larger part that is shown.
    """
    shown = [total]
    for count in sorted(set(rows), reverse=True):
        if all(enough(count, larger) for larger in shown):
            shown.append(count)
    return [f"{count:,}" if count in shown else WITHHELD for count in rows]


def enough(count: int, total: int) -> bool:
    """Whether the share of a count may be told: neither it nor the rest is a small number of applications."""
    return all(rows == 0 or rows >= SMALLEST_CELL for rows in (count, total - count))


def _coverage(stages: Mapping[str, Any]) -> tuple[dict[str, int], Sums]:
    numbers: dict[str, int] = {}
    sums: Sums = []
    for source, status in stages.get("derive", {}).get("coverage", {}).items():
        named = {f"{source}: {name}": rows for name, rows in status.items()}
        numbers |= named
        sums.append((ASKED, tuple(named)))
    return numbers, sums


def _groups(stages: Mapping[str, Any], split: Mapping[str, Any]) -> tuple[dict[str, int], Sums]:
    """Groups of the parts judged on, each division of which adds up, and all comers, of whom some were trained on."""
    numbers: dict[str, int] = {}
    sums: Sums = []
    for part, whole in (("out_of_time", "out_of_time"), ("out_of_fold", "development"), (DOOR, DOOR)):
        judged = stages["evaluate"].get(part, {})
        if part == DOOR and "rows" in judged:
            numbers[DOOR] = judged["rows"]
            known = ("train: known_person",) if split["excluded"].get("known_person") else ()
            sums.append((DOOR, ("out_of_time", *known)))
        for kind, key in KINDS:
            named = {f"{part} {group[key]}": group["rows"] for group in judged.get(kind, ())}
            numbers |= named
            sums.append((whole, tuple(named)))
    return numbers, sums


def _adds_up(numbers: Mapping[str, int], total: str, parts: Sequence[str]) -> bool:
    """A sum that does not hold, as in a part that was judged by other rows, tells a reader nothing."""
    return bool(parts) and total in numbers and numbers[total] == sum(numbers[part] for part in parts)
