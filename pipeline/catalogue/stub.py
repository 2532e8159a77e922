"""What a new feature begins with: a declaration that runs and an example to work, with TODO for what is to be said."""

from dataclasses import dataclass

from features.columns import Column, Kind, Table
from features.declare import Unit
from features.tables import BY_NAME
from features.windows import STANDARD
from pipeline.catalogue.declared import UNFINISHED

SUBJECTS = {
    **{"people": "person", "app_sessions": "use", "app_installs": "change", "data_usage": "use"},
    **{"brand_events": "dealing", "loan_events": "event", "locations": "fix"},
}
"""What the body calls the view of a table, where it is not the table's last word in the singular."""
UNITS = {
    **{"seconds": Unit.SECONDS, "minor units": Unit.MINOR, "minor units a month": Unit.MINOR},
    **{"days": Unit.DAYS, "months": Unit.MONTHS, "bytes": Unit.MEGABYTES},
}
TIMES = ("2026-02-10 10:00", "2026-02-20 10:00")


@dataclass(frozen=True)
class Stub:
    """The text of a declaration and of its example, and what the declaration imports, by module."""

    declaration: str
    imports: dict[str, set[str]]
    example: str


@dataclass(frozen=True)
class _Body:
    """What a body returns, its unit, the shared expression it calls, and the cells its example draws of a column."""

    expression: str
    unit: Unit
    calls: str = ""
    column: str = ""
    cells: tuple[str, ...] = ()


def stub(name: str, table: Table) -> Stub:
    """The beginning of a feature: what it returns follows from the last word of its name and what the table has."""
    subject = SUBJECTS.get(table.name, table.name.rpartition("_")[2].removesuffix("s"))
    body = _declared(name, table, subject) if table.state else _measured(name, table, subject)
    home = "features.tables" if table.name in BY_NAME else "features.joined"
    imports = {"features.declare": {"Unit", "feature"}, home: {table.name}}
    imports |= {} if table.state else {"features.windows": {"STANDARD"}}
    imports |= {"features.expressions": {body.calls}} if body.calls else {}
    return Stub(_declaration(name, table, subject, body), imports, _example(name, table, body))


def _measured(name: str, table: Table, subject: str) -> _Body:
    """A body over the rows of a stream of events."""
    last, (condition, column, cells) = name.rpartition("_")[2], _condition(table, subject)
    if last == "share":
        share = f"ratio({subject}.count(where={condition}), {subject}.count())"
        return _Body(share, Unit.SHARE, "ratio", column, cells)
    if name.startswith(("is_", "has_")):
        return _Body(f'({subject}.count(where={condition}) > 0).cast("int64")', Unit.FLAG, "", column, cells)
    number = next((c for c in table.columns if _is_amount(c)), None)
    if last == "count" or number is None:
        return _Body(f"{subject}.count(where={condition})", Unit.COUNT, "", column, cells)
    scale = " / 1e6" if number.unit == "bytes" else ""
    mean = f"mean({subject}.{number.name}){scale}"
    return _Body(mean, UNITS[number.unit], "mean", number.name, ("10", "30"))


def _declared(name: str, table: Table, subject: str) -> _Body:
    """A body over the latest row of what was declared."""
    if name.startswith(("is_", "has_")):
        flag = next(c.name for c in table.columns if c.kind is Kind.FLAG)
        return _Body(f'{subject}.{flag}.cast("int64")', Unit.FLAG, "", flag, ("yes", "no"))
    number = next(c for c in table.columns if _is_amount(c))
    return _Body(f"{subject}.{number.name}", UNITS[number.unit], "", number.name, ("10", "30"))


def _condition(table: Table, subject: str) -> tuple[str, str, tuple[str, str]]:
    """A condition to begin with, the column it asks, and a cell that meets it beside one that does not."""
    for column in table.columns:
        if column.kind is Kind.FLAG:
            return f"{subject}.{column.name}", column.name, ("yes", "no")
        if len(column.values) > 1:
            first, second = column.values[:2]
            return f'{subject}.{column.name} == "{first}"', column.name, (first, second)
    return f"{subject}.is_night", "", ("", "")


def _is_amount(column: Column) -> bool:
    return column.kind is Kind.INTEGER and column.unit in UNITS and column.low is not None


def _declaration(name: str, table: Table, subject: str, body: _Body) -> str:
    windows = "" if table.state else "windows=STANDARD, "
    return (
        f'@feature({table.name}, {windows}unit=Unit.{body.unit.name}, reason="{UNFINISHED}: as an applicant is told")\n'
        f"def {name}({subject}):\n"
        f'    """{UNFINISHED}: what it measures, in a sentence."""\n'
        f"    return {body.expression}\n"
    )


def _example(name: str, table: Table, body: _Body) -> str:
    columns = [name] if table.state else [f"{name}_{days}d" for days in STANDARD]
    rows = [(at, *([cell] if body.column else [])) for at, cell in zip(TIMES, body.cells or ("", ""), strict=True)]
    head = ("event_at", *([body.column] if body.column else []))
    widths = [max(map(len, cells)) for cells in zip(head, *rows, strict=True)]
    drawn = [_line(cells, widths) for cells in (head, *rows)]
    rule = f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    values = [f"- `{column}` = {UNFINISHED}: the working" for column in columns]
    return "\n".join([f"## {name}", "", drawn[0], rule, *drawn[1:], "", *values]) + "\n"


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return f"| {' | '.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))} |"
