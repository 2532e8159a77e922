"""What a check found: every rule of every table, how many rows broke it and where, never what they hold."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline.check.expectations import Rule

POSITIONS_KEPT = 100
POSITIONS_TOLD = 5
RULES_TOLD = 5


@dataclass(frozen=True)
class Outcome:
    """How a rule fared: rows looked at, rows that broke it, and the first of their positions, counted from 0.

    A rule about a table as a whole looks at no rows; one about its schema names the columns that broke it.
    `is_checked` is False where a rule could not be asked, because the table's schema already broke.
    """

    rule: Rule
    rows: int = 0
    faults: int = 0
    positions: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    is_checked: bool = True

    def and_then(self, later: "Outcome") -> "Outcome":
        """Together with the outcome of the rows that follow."""
        kept = (self.positions + later.positions)[:POSITIONS_KEPT]
        return replace(self, rows=self.rows + later.rows, faults=self.faults + later.faults, positions=kept)

    def within(self, places: Mapping[int, str]) -> "Outcome":
        """What became of one table, where each row of the frame asked is a table or, by the name given, a column."""
        at = [name for place, name in places.items() if place in self.positions]
        return replace(self, rows=0, faults=len(at), positions=(), columns=tuple(filter(None, at)))

    def as_dict(self) -> dict[str, Any]:
        """The outcome as plain JSON values."""
        status = ("held" if self.faults == 0 else "broken") if self.is_checked else "not checked"
        told: dict[str, Any] = {"rule": self.rule.claim, "expectation": self.rule.expectation, "status": status}
        told |= {"rows": self.rows, "faults": self.faults, "positions": list(self.positions)}
        return told | ({"columns": list(self.columns)} if self.columns else {})


@dataclass(frozen=True)
class TableReport:
    """All outcomes of one table."""

    table: str
    grain: str
    outcomes: tuple[Outcome, ...]

    @property
    def rows(self) -> int:
        """Rows that were looked at."""
        return max(o.rows for o in self.outcomes)

    @property
    def broken(self) -> tuple[Outcome, ...]:
        """The rules that did not hold."""
        return tuple(o for o in self.outcomes if o.faults)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        told = {"table": self.table, "grain": self.grain, "rows": self.rows, "passed": not self.broken}
        return told | {"rules": [o.as_dict() for o in self.outcomes]}


@dataclass(frozen=True)
class Report:
    """All tables that were checked, in the order of their declaration, and the names of those that were not there."""

    tables: tuple[TableReport, ...]
    absent: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every rule held."""
        return not any(t.broken for t in self.tables)

    @property
    def rows(self) -> int:
        """Rows in all tables."""
        return sum(t.rows for t in self.tables)

    @property
    def rules(self) -> int:
        """Rules that were asked."""
        return sum(o.is_checked for t in self.tables for o in t.outcomes)

    @property
    def faults(self) -> int:
        """Faults found; a row that breaks two rules counts twice."""
        return sum(o.faults for t in self.tables for o in t.outcomes)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON values: no clock, no identifier, no value of a row."""
        told = {"passed": self.passed, "rows": self.rows, "rules": self.rules, "faults": self.faults}
        return told | {"absent": list(self.absent), "tables": [t.as_dict() for t in self.tables]}

    def complaint(self) -> str:
        """The first broken rules in one sentence: table, rule, count and first positions."""
        told = [f"{t.table}: '{o.rule.claim}' {_fails(o)}" for t in self.tables for o in t.broken]
        more = f"; and {len(told) - RULES_TOLD} more" if len(told) > RULES_TOLD else ""
        count = "1 rule does not hold" if len(told) == 1 else f"{len(told)} rules do not hold"
        return f"{count}: {'; '.join(told[:RULES_TOLD])}{more}"


def _fails(outcome: Outcome) -> str:
    if outcome.columns:
        return f"fails for {', '.join(outcome.columns)}"
    if not outcome.positions:
        return "fails for the table"
    first = ", ".join(str(p) for p in outcome.positions[:POSITIONS_TOLD])
    more = " …" if outcome.faults > POSITIONS_TOLD else ""
    return f"fails in {outcome.faults:,} of {outcome.rows:,} rows, at {first}{more}"
