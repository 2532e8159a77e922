"""What a validation report is made of: sections of text, facts and tables. Page, PDF and JSON draw from this alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.explain.charts import Axis, axis
from pipeline.explain.counts import Counts
from pipeline.pages import NOTHING, number, percent
from pipeline.reidentify.suppress import WITHHELD
from pipeline.validate.record import Found

Level = Literal["hole", "high", "medium", "low"]
LEVELS: dict[Level, str] = {
    "hole": "Not complete",
    "high": "High",
    "medium": "Medium",
    "low": "Low",
}
"""How grave a finding is. A hole is a part of the validation that was not done: a final report has none."""


@dataclass(frozen=True)
class Finding:
    """What a validator would write down: how grave, and what was found."""

    level: Level
    text: str


@dataclass(frozen=True)
class Figure:
    """A figure as it is printed, its exact value, its interval, and where it was read (`file: path in it`)."""

    text: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""
    at: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The figure without what it lacks."""
        held = {"text": self.text, "value": self.value, "low": self.low, "high": self.high, "at": self.at}
        return {name: part for name, part in held.items() if part not in (None, "")}


Cell = str | Figure


@dataclass(frozen=True)
class Mark:
    """What is drawn for a row: a value with its interval, and a tick it is to be compared with."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    tick: float | None = None


@dataclass(frozen=True)
class Drawn:
    """The drawn column of a table: `bar` from the left end, or `dot` with its interval; `reference` is a line."""

    kind: Literal["bar", "dot"]
    axis: Axis
    marks: tuple[Mark | None, ...]
    reference: float | None = None


@dataclass(frozen=True)
class Table:
    """A table: its first column names the row; columns whose heading ends in `#` hold numbers."""

    name: str
    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    drawn: Drawn | None = None
    is_long: bool = False


@dataclass(frozen=True)
class Facts:
    """Names with what they stand for."""

    rows: tuple[tuple[str, Cell], ...]


Block = str | Facts | Table


@dataclass(frozen=True)
class Section:
    """A section: its stage or command, what it says, and what was found; a hole among the findings leaves it open."""

    key: str
    title: str
    stage: str
    blocks: tuple[Block, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether all was done that the section tells of."""
        return not any(finding.level == "hole" for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """The section as plain JSON values."""
        return {
            "section": self.key,
            "title": self.title,
            "stage": self.stage,
            "is_complete": self.is_complete,
            "findings": [{"level": f.level, "text": f.text} for f in self.findings],
            "blocks": [_block(block) for block in self.blocks],
        }


def heading(text: str) -> tuple[str, bool]:
    """A column's heading and whether the column holds numbers."""
    return text.removesuffix("#"), text.endswith("#")


def _block(block: Block) -> dict[str, Any]:
    if isinstance(block, str):
        return {"text": block}
    if isinstance(block, Facts):
        return {"facts": {name: _cell(cell) for name, cell in block.rows}}
    names = [heading(text)[0] for text in block.headings]
    rows = [{name: _cell(cell) for name, cell in zip(names, row, strict=True)} for row in block.rows]
    return {"table": block.name, "caption": block.caption, "rows": rows}


def _cell(cell: Cell) -> Any:
    return cell.as_dict() if isinstance(cell, Figure) else cell


def estimate(found: Found, digits: int = 3, *, share: bool = False) -> Figure:
    """An estimate with its interval, as `{"value", "low", "high"}` in a file."""
    value, low, high = found["value"], found["low"], found["high"]
    text = percent(value, digits) if share else number(value, digits)
    return Figure(text, value, low, high, between(low, high, digits, share=share), found.path("value"))


def between(low: float | None, high: float | None, digits: int = 3, *, share: bool = False) -> str:
    """An interval in words."""
    if low is None or high is None:
        return "no interval"
    ends = (percent(end, digits) if share else number(end, digits) for end in (low, high))
    return " to ".join(ends)


def plain(found: Found, key: str, digits: int = 3, *, share: bool = False) -> Figure:
    """A number without an interval, as it stands in a file."""
    value = found[key]
    text = percent(value, digits) if share else number(value, digits)
    return Figure(text, value, at=found.path(key))


def told(counts: Counts, name: str) -> Figure:
    """A count of applications, or that it is withheld."""
    text = counts.told(name)
    return Figure(text) if text == WITHHELD else Figure(text, counts.numbers[name])


def mark(found: Found) -> Mark:
    """What is drawn of an estimate."""
    return Mark(found["value"], found["low"], found["high"])


def span(marks: Iterable[Mark | None], through: float, most: int = 5) -> Axis:
    """An axis over all that is drawn, and through a reference."""
    ends = [end for m in marks if m for end in (m.value, m.low, m.high, m.tick) if end is not None]
    return axis(ends, most, through=through)


def excludes(figure: Figure, value: float) -> bool:
    """Whether the interval misses a value."""
    return figure.low is not None and figure.high is not None and not figure.low <= value <= figure.high


def sentence(text: str) -> str:
    """A text that begins with a capital and ends without a stop, as findings are kept."""
    return text[:1].upper() + text[1:].rstrip(".")


def words_of(names: Iterable[str], most: int = 6) -> str:
    """Names in a row, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return (", ".join(every[:most]) + more) or NOTHING


def every_finding(sections: Sequence[Section]) -> list[tuple[Section, Finding]]:
    """All findings, the gravest first, else in the order of the sections."""
    order = list(LEVELS)
    found = [(section, finding) for section in sections for finding in section.findings]
    return sorted(found, key=lambda pair: order.index(pair[1].level))
