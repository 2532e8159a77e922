"""Where one canonical column comes from, and which options fit which kind of column."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from features.columns import Column, Kind, Table
from pipeline.ingest.mapping_parts import Names, Part, Zone, unknown
from pipeline.ingest.mapping_units import EPOCH_UNITS, factors


def _spelled(values: Any) -> Any:
    """Keys of a value map as text; YAML reads yes, no, on and off as truth values, so those must be quoted."""
    if not isinstance(values, dict):
        return values
    if any(isinstance(key, bool) for key in values):
        raise ValueError("put quotes around yes, no, on, off, true and false where they are values of the source")
    return {str(key): value for key, value in values.items()}


Values = Annotated[Mapping[str, str | bool], BeforeValidator(_spelled)]


class Reading(Part):
    """One canonical column: from source columns, a constant, or like another time of the row."""

    from_: Names = Field((), alias="from")
    constant: str | int | float | bool | datetime | date | None = None
    like: str | None = None
    unit: str | None = None
    times: float | None = Field(None, gt=0)
    format: str | None = None
    zone: Zone | None = None
    values: Values = Field(default_factory=dict)
    otherwise: str | bool | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if sum((bool(self.from_), self.constant is not None, self.like is not None)) != 1:
            raise ValueError("needs exactly one of 'from' (a source column), 'constant' or 'like' (another time)")
        return self


_OPTIONS: Mapping[Kind, tuple[str, ...]] = {
    Kind.PSEUDONYM: (),
    Kind.TIMESTAMP: ("unit", "format", "zone"),
    Kind.CATEGORY: ("values", "otherwise"),
    Kind.FLAG: ("values", "otherwise"),
    Kind.INTEGER: ("unit", "times"),
    Kind.NUMBER: ("unit", "times"),
}
_ALL_OPTIONS = ("unit", "times", "format", "zone", "values", "otherwise")
_APART = ({"unit", "times"}, {"unit", "format"}, {"unit", "zone"})


def check_reading(table: Table, name: str, readings: Mapping[str, Reading]) -> None:
    """Refuse (ValueError) a column the table does not have, or an option, unit, value or constant that cannot fit."""
    if name not in table.by_name:
        raise ValueError(unknown("column", name, table.by_name))
    column, reading = table.column(name), readings[name]
    try:
        _check_options(column, reading)
        _check_targets(column, reading)
        if reading.like is not None:
            _check_like(column, reading.like, table, readings)
        if reading.constant is not None:
            constant(column, reading.constant)
    except ValueError as error:
        raise ValueError(f"column '{name}': {error}") from None


def constant(column: Column, value: Any) -> str | int | float | bool | datetime:
    """A value written in a mapping as the column stores it; a ValueError says what it must be."""
    if column.kind is Kind.TIMESTAMP:
        return _moment(value)
    if column.kind is Kind.FLAG:
        return _expect(value, isinstance(value, bool), "true or false")
    if column.kind in (Kind.INTEGER, Kind.NUMBER):
        fits = isinstance(value, int) or (column.kind is Kind.NUMBER and isinstance(value, float))
        inside = fits and not isinstance(value, bool) and _within(column, value)
        return _expect(value, inside, f"a {column.kind} within its bounds")
    if column.values and value not in column.values:
        raise ValueError(unknown("value", str(value), column.values))
    return str(value)


def _check_options(column: Column, reading: Reading) -> None:
    given = {option for option in _ALL_OPTIONS if getattr(reading, option) not in (None, {})}
    allowed = _OPTIONS[column.kind] if reading.from_ else ()
    if stray := sorted(given.difference(allowed)):
        takes = ", ".join(allowed) or "no option"
        raise ValueError(f"{', '.join(stray)} does not apply; a {column.kind} read this way takes {takes}")
    if len(reading.from_) > 1 and column.kind is not Kind.PSEUDONYM:
        raise ValueError("only a pseudonym may be made from several source columns")
    if both := next((sorted(pair) for pair in _APART if pair <= given), None):
        raise ValueError(f"give {both[0]} or {both[1]}, not both")


def _check_targets(column: Column, reading: Reading) -> None:
    units = EPOCH_UNITS if column.kind is Kind.TIMESTAMP else factors(column.unit)
    if reading.unit is not None and reading.unit not in units:
        raise ValueError(unknown("unit", reading.unit, units))
    if reading.format is not None and "%z" in reading.format.lower():
        raise ValueError("'format' cannot read an offset; have the source hand over ISO 8601 times")
    otherwise = () if reading.otherwise is None else (reading.otherwise,)
    for target in (*reading.values.values(), *otherwise):
        constant(column, target)


def _check_like(column: Column, like: str, table: Table, readings: Mapping[str, Reading]) -> None:
    if like not in readings or readings[like].like is not None:
        raise ValueError(f"'like: {like}' must name a column of {table.name} mapped here with 'from' or 'constant'")
    if column.kind is not Kind.TIMESTAMP or table.column(like).kind is not Kind.TIMESTAMP:
        raise ValueError("'like' joins two times only")


def _within(column: Column, value: float) -> bool:
    return (column.low is None or value >= column.low) and (column.high is None or value <= column.high)


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError("must be a time with its zone, as in 2010-01-01T00:00:00Z")
    return moment.astimezone(UTC)


def _expect(value: Any, fits: bool, what: str) -> Any:
    if not fits:
        raise ValueError(f"must be {what}")
    return value
