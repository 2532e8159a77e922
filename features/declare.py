"""How a feature is declared: one short function, one decorator, everything else derived.

The body receives a view of its source and returns one Ibis expression. It is evaluated once, at import, over a view
that holds no data: an unknown column, a missing docstring, a duplicate name or a barred column stops there.
"""

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Any, cast

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.columns import Kind, Sensitivity, Table
from features.meaning import CLOCKED, canonical, fields_of
from features.windows import CLOCK
from saakh.errors import DeclarationError
from saakh.spec import FAMILIES, Family, FeatureSpec

TYPES = {
    Kind.PSEUDONYM: "string",
    Kind.TIMESTAMP: "timestamp(6)",
    Kind.CATEGORY: "string",
    Kind.INTEGER: "int64",
    Kind.NUMBER: "float64",
    Kind.FLAG: "boolean",
}


class Risk(IntEnum):
    """Which way the log-odds of bad move as the value grows. `UNKNOWN` leaves the model free."""

    FALLS = -1
    UNKNOWN = 0
    RISES = 1


class Unit(Enum):
    """What a value counts, with what is possible at all."""

    COUNT = ("count", 0.0, None)
    DAYS = ("days", 0.0, None)
    SECONDS = ("seconds", 0.0, None)
    MONTHS = ("months", 0.0, None)
    METRES = ("metres", 0.0, None)
    MINOR = ("minor units", None, None)
    MEGABYTES = ("megabytes", 0.0, None)
    SHARE = ("share", 0.0, 1.0)
    NATS = ("nats", 0.0, None)
    RATIO = ("ratio", 0.0, None)
    BALANCE = ("from -1 to 1", -1.0, 1.0)
    SLOPE = ("events a day per day", None, None)
    FLAG = ("0 or 1", 0.0, 1.0)
    LEVEL = ("level", 0.0, None)
    HOURS = ("hours", 0.0, None)


@dataclass(frozen=True)
class Cells:
    """Events of a table reduced to one row per applicant, key and window: what entropies and top shares are taken of.

    `measures` maps a column name to its expression over the table's view.
    """

    table: Table
    keys: tuple[str, ...]
    measures: Mapping[str, ir.Value]

    @property
    def name(self) -> str:
        """The cells' name: table and keys."""
        return f"{self.table.name}_per_{'_'.join(self.keys)}"


Source = Table | Cells


@dataclass(frozen=True)
class Feature:
    """A declared feature: its source, its expression over the source's view, and what is said about it."""

    name: str
    description: str
    family: Family
    source: Source
    expr: ir.Value
    windows: tuple[int, ...]
    unit: Unit
    risk: Risk
    reason: str
    sensitivity: Sensitivity

    @property
    def table(self) -> Table:
        """The canonical table the feature reads."""
        return self.source if isinstance(self.source, Table) else self.source.table

    @property
    def columns(self) -> Mapping[str, int | None]:
        """Column name to window in days (None: all consented history)."""
        named = {f"{self.name}_{w}d": w for w in self.windows}
        return MappingProxyType(dict(named) if named else {self.name: None})

    @property
    def lineage(self) -> tuple[str, ...]:
        """The canonical columns the value depends on, sorted; a count of rows depends on none."""
        used = self._fields
        used = used.union(*(fields_of(CLOCKED[name]) for name in used & set(CLOCKED.columns)))
        return tuple(sorted(used & set(self.table.by_name)))

    @property
    def _measures(self) -> Mapping[str, ir.Value]:
        """Those measures of its cells that the value reads."""
        if not isinstance(self.source, Cells):
            return {}
        read = fields_of(self.expr)
        return {name: measure for name, measure in self.source.measures.items() if name in read}

    @property
    def _fields(self) -> set[str]:
        """The columns of the table's view that the value reads, itself or by its cells."""
        if not isinstance(self.source, Cells):
            return fields_of(self.expr)
        return set(self.source.keys).union(*(fields_of(m) for m in self._measures.values()))

    def specs(self) -> tuple[FeatureSpec, ...]:
        """One `FeatureSpec` per column."""
        unit, low, high = self.unit.value
        return tuple(
            FeatureSpec(
                name=column,
                description=self.description,
                family=self.family,
                table=self.table.name,
                category=self.table.category.value,
                unit=unit,
                risk=cast(Any, int(self.risk)),
                reason=self.reason,
                fingerprint=self._fingerprint(window),
                window_days=window,
                low=low,
                high=high,
                sensitivity=self.sensitivity.value,
            )
            for column, window in self.columns.items()
        )

    def _fingerprint(self, window: int | None) -> str:
        keys = self.source.keys if isinstance(self.source, Cells) else ()
        cells = {name: canonical(measure) for name, measure in self._measures.items()}
        clock = {name: canonical(CLOCKED[name]) for name in sorted(self._fields & set(CLOCKED.columns))}
        meaning = [self.name, self.table.name, window, canonical(self.expr), keys, cells, clock, self.unit.name]
        return hashlib.sha256(json.dumps(meaning).encode()).hexdigest()


REGISTRY: dict[str, Feature] = {}


def view_of(source: Source) -> ir.Table:
    """The source's columns as an Ibis table without data, as a body sees it."""
    if isinstance(source, Cells):
        schema = {k: str(view_of(source.table).schema()[k]) for k in source.keys}
        schema |= {name: str(measure.type()) for name, measure in source.measures.items()}
        return ibis.table(schema, name=source.name)
    schema = {c.name: TYPES[c.kind] for c in source.columns}
    return ibis.table(schema | (CLOCK if source.time == "event_at" else {}), name=source.name)


def per(table: Table, *keys: str, **measures: Callable[[ir.Table], ir.Value]) -> Cells:
    """Cells of a table: `per(calls, "contact_id", events=lambda call: call.count())`.

    An unknown key or column, or a measure that is no aggregate, is a `DeclarationError`.
    """
    have = view_of(table).columns
    for key in keys:
        if key not in have:
            raise DeclarationError(f"the view of '{table.name}' has no key '{key}'; it has: {', '.join(have)}")
    measured = {name: _evaluated(f"measure '{name}'", measure, table) for name, measure in measures.items()}
    return Cells(table, keys, MappingProxyType(measured))


def feature(
    source: Source,
    *,
    unit: Unit,
    reason: str,
    risk: Risk = Risk.UNKNOWN,
    windows: tuple[int, ...] = (),
    sensitivity: Sensitivity = Sensitivity.ORDINARY,
) -> Callable[[Callable[[Any], ir.Value]], Callable[[Any], ir.Value]]:
    """Declare the function below as a feature of its module's family.

    Args:
        source: the table, or the cells of one, whose view the body receives.
        unit: what the value counts; it bounds what is possible.
        reason: what an applicant is told when the feature costs points.
        risk: which way risk moves as the value grows.
        windows: observation windows in days; none means all consented history.
        sensitivity: must be said when the feature is more than ordinary.
    """

    def register(body: Callable[[Any], ir.Value]) -> Callable[[Any], ir.Value]:
        declared = Feature(
            name=body.__name__,
            description=_description(body),
            family=_family(body),
            source=source,
            expr=_evaluated(f"feature '{body.__name__}'", body, source),
            windows=windows,
            unit=unit,
            risk=risk,
            reason=reason,
            sensitivity=sensitivity,
        )
        _admit(declared)
        REGISTRY[declared.name] = declared
        return body

    return register


def _admit(declared: Feature) -> None:
    if declared.name in REGISTRY:
        raise DeclarationError(f"feature '{declared.name}' is declared twice; give one of them another name")
    taken = {column for other in REGISTRY.values() for column in other.columns}
    if repeated := sorted(taken & set(declared.columns)):
        raise DeclarationError(f"feature '{declared.name}' makes a column that is there already: {', '.join(repeated)}")
    if any(window < 1 for window in declared.windows):
        raise DeclarationError(f"feature '{declared.name}' has a window under a day; windows are whole days, from 1")
    if not declared.reason:
        raise DeclarationError(f"feature '{declared.name}' has no reason; say what an applicant is told")
    table = declared.table
    for name in declared.lineage:
        if table.column(name).sensitivity is Sensitivity.PROTECTED:
            raise DeclarationError(
                f"feature '{declared.name}' reads '{table.name}.{name}', which only the audit may read"
            )


def _description(body: Callable[[Any], ir.Value]) -> str:
    text = inspect.getdoc(body)
    if not text:
        raise DeclarationError(f"feature '{body.__name__}' has no docstring; say in a sentence what it measures")
    return " ".join(text.split())


def _family(body: Callable[[Any], ir.Value]) -> Family:
    family = body.__module__.rpartition(".")[2]
    if family not in FAMILIES:
        raise DeclarationError(
            f"feature '{body.__name__}' is declared in '{family}'; the families are {', '.join(FAMILIES)}"
        )
    return cast(Family, family)


def _evaluated(who: str, body: Callable[[Any], ir.Value], source: Source) -> ir.Value:
    view = view_of(source)
    if len(inspect.signature(body).parameters) != 1:
        raise DeclarationError(f"{who} must take one argument: the view of '{source.name}'")
    try:
        value = body(view)
    except (AttributeError, ibis.IbisError) as error:
        detail = str(error).splitlines()[0]
        have = ", ".join(view.columns)
        raise DeclarationError(f"{who}: {detail}. The view of '{source.name}' has: {have}") from None
    if not isinstance(value, ir.Value):
        raise DeclarationError(f"{who} must return one Ibis expression, not {type(value).__name__}")
    if any(relation != view.op() for relation in value.op().find(ops.Relation)):
        raise DeclarationError(
            f"{who} reads other rows than those of '{source.name}'; leave the view whole, and choose rows inside an "
            "aggregate, as in `.count(where=...)`"
        )
    is_one_row = isinstance(source, Table) and source.state
    if not is_one_row and not isinstance(value, ir.Scalar):
        raise DeclarationError(f"{who} has a value for each row of '{source.name}'; end in an aggregate, as `.sum()`")
    return value
