"""How a feature is declared: one short function, one decorator, everything else derived.

The body receives a view of its source and returns one Ibis expression. It is evaluated once, at import, over a view
that holds no data: an unknown column, a missing docstring, a duplicate name or a barred column stops there.
"""

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, IntEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any, cast

import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.columns import Sensitivity, Table
from features.meaning import CLOCKED, canonical, clocked, fields_of, fields_of_clock
from features.reasons import code_of
from features.sources import Cells, Rows, Source, evaluated, rows_of, table_of
from features.windows import CALENDAR, Axis, Calendar, Slice, slices
from saakh.errors import DeclarationError
from saakh.spec import FAMILIES, Family, FeatureSpec


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


@dataclass(frozen=True, eq=False, repr=False)
class Feature:
    """A declared feature: its source, its expression over the source's view, and what is said about it."""

    name: str
    description: str
    family: Family
    source: Source
    expr: ir.Value
    windows: tuple[int, ...]
    splits: tuple[Axis, ...]
    unit: Unit
    risk: Risk
    reason: str
    sensitivity: Sensitivity
    code: str = ""
    is_actionable: bool | None = None

    def __repr__(self) -> str:
        return f"<feature {self.name}>"

    @property
    def table(self) -> Table:
        """The table the feature reads."""
        return table_of(self.source)

    @property
    def actionable(self) -> bool:
        """Whether an applicant can change it within weeks, and may fairly be told to.

        Where the declaration does not say: what is ordinary, has a direction, forgets (a window) and lies with the
        applicant (the table), and is no matter of who somebody is or how they live.
        """
        if self.is_actionable is not None:
            return self.is_actionable
        is_conduct = self.table.actionable and self.family not in ("identity", "life_stage")
        is_plain = self.sensitivity is Sensitivity.ORDINARY and self.risk is not Risk.UNKNOWN
        return is_conduct and is_plain and bool(self.windows)

    @cached_property
    def columns(self) -> Mapping[str, Slice]:
        """Column name to the slice it is measured on."""
        return MappingProxyType({s.named(self.name): s for s in slices(self.windows, self.splits)})

    @cached_property
    def whole(self) -> "Feature":
        """The feature on whole windows alone; the same object each time, so that it is planned once."""
        return replace(self, splits=()) if self.splits else self

    @property
    def lineage(self) -> tuple[str, ...]:
        """The table's columns the value depends on, sorted; a count of rows depends on none."""
        used = self._fields | {axis.column for axis in self.splits}
        used = used.union(*(fields_of_clock(name) for name in used & set(CLOCKED.columns)))
        return tuple(sorted(used & set(self.table.by_name)))

    @property
    def _measures(self) -> Mapping[str, ir.Value]:
        """Those measures of its cells that the value depends on."""
        if not isinstance(self.source, Cells):
            return {}
        read = {*self.source.ranked, *self.source.ties}
        read |= {name.removeprefix(f"{kind}_") for name in fields_of(self.expr) for kind in ("rank", "before", "whole")}
        read |= {name.removesuffix(f"_{days}") for days in self.source.apart for name in read}
        return {name: measure for name, measure in self.source.measures.items() if name in read}

    @property
    def _fields(self) -> set[str]:
        """The columns of the table's view that the value reads, itself, by its cells or by the choice of its rows."""
        rows, read = rows_of(self.source), set(fields_of(self.expr))
        if isinstance(self.source, Cells):
            read = set(self.source.keys).union(*(fields_of(m) for m in self._measures.values()))
        if isinstance(rows, Rows):
            read |= {"event_at", rows.by} if rows.by else set()
            read |= {name.removeprefix("last_").removeprefix("next_") for name in read}
            read |= set() if rows.where is None else fields_of(rows.where)
        return read

    def specs(self, calendar: Calendar = CALENDAR) -> tuple[FeatureSpec, ...]:
        """One `FeatureSpec` per column."""
        unit, low, high = self.unit.value
        return tuple(
            FeatureSpec(
                name=column,
                description=self.described(cut),
                family=self.family,
                table=self.table.name,
                category=self.table.category.value,
                unit=unit,
                risk=cast(Any, int(self.risk)),
                reason=self.reason,
                fingerprint=self._fingerprint(cut, calendar),
                window_days=cut.window,
                low=low,
                high=high,
                sensitivity=self.sensitivity.value,
                code=self.code,
                actionable=self.actionable,
            )
            for column, cut in self.columns.items()
        )

    def described(self, cut: Slice) -> str:
        """The description of a column: the feature's, and the part of the week or day it is measured on."""
        return f"{self.description} On {' and '.join(cut.words)} events alone." if cut.parts else self.description

    def _fingerprint(self, cut: Slice, calendar: Calendar) -> str:
        rows, source = rows_of(self.source), self.source
        clock = clocked(calendar)
        read = sorted((self._fields | {axis.column for axis, _ in cut.parts}) & set(clock.columns))
        meaning = [
            self.name,
            self.table.name,
            cut.window,
            *cut.words,
            canonical(self.expr),
            [*source.keys, *source.ranked, *source.ties, *source.apart] if isinstance(source, Cells) else [],
            {name: canonical(measure) for name, measure in self._measures.items()},
            {name: canonical(clock[name]) for name in read},
            _chosen(rows),
            self.unit.name,
        ]
        return hashlib.sha256(json.dumps(meaning).encode()).hexdigest()


def _chosen(rows: Table | Rows) -> list[str]:
    """What a choice of rows adds to the meaning of what is measured on them."""
    if isinstance(rows, Table):
        return []
    return ["" if rows.where is None else canonical(rows.where), rows.by, *rows.carried]


REGISTRY: dict[str, Feature] = {}


def feature(
    source: Source,
    *,
    unit: Unit,
    reason: str,
    risk: Risk = Risk.UNKNOWN,
    windows: tuple[int, ...] = (),
    splits: tuple[Axis, ...] = (),
    sensitivity: Sensitivity = Sensitivity.ORDINARY,
    actionable: bool | None = None,
) -> Callable[[Callable[[Any], ir.Value]], Callable[[Any], ir.Value]]:
    """Declare the function below as a feature of its module's family.

    Args:
        source: the table, rows or cells whose view the body receives.
        unit: what the value counts; it bounds what is possible.
        reason: what an applicant is told when the feature costs points.
        risk: which way risk moves as the value grows.
        windows: observation windows in days; none means all consented history.
        splits: axes along which each window is also cut: a column for each part, and each combination of parts.
        sensitivity: must be said when the feature is more than ordinary.
        actionable: whether an applicant can change it and may be told to; see `Feature.actionable` for when it is not
            said.
    """

    def register(body: Callable[[Any], ir.Value]) -> Callable[[Any], ir.Value]:
        declared = Feature(
            name=body.__name__,
            description=_description(body),
            family=_family(body),
            source=source,
            expr=evaluated(f"feature '{body.__name__}'", body, source),
            windows=windows,
            splits=splits,
            unit=unit,
            risk=risk,
            reason=reason,
            sensitivity=sensitivity,
            code=code_of(body.__name__, ".".join(body.__module__.split(".")[1:])),
            is_actionable=actionable,
        )
        _admit(declared)
        REGISTRY[declared.name] = declared
        return body

    return register


def _akin(declared: Feature) -> list[Feature]:
    """Those that could share a column: a column starts with its feature's name, so one name starts with the other."""
    name = declared.name
    return [other for other in REGISTRY.values() if other.name.startswith(name) or name.startswith(other.name)]


def _admit(declared: Feature) -> None:
    if declared.name in REGISTRY:
        raise DeclarationError(f"feature '{declared.name}' is declared twice; give one of them another name")
    taken = {column for other in _akin(declared) for column in other.columns}
    if repeated := sorted(taken & set(declared.columns)):
        raise DeclarationError(f"feature '{declared.name}' makes a column that is there already: {', '.join(repeated)}")
    if any(window < 1 for window in declared.windows):
        raise DeclarationError(f"feature '{declared.name}' has a window under a day; windows are whole days, from 1")
    if doubled := sorted({axis.column for axis in declared.splits} & _told_apart(declared)):
        raise DeclarationError(
            f"feature '{declared.name}' is split by '{doubled[0]}', which it tells apart already; leave that split out"
        )
    if not declared.reason:
        raise DeclarationError(f"feature '{declared.name}' has no reason; say what an applicant is told")
    table = declared.table
    for name in declared.lineage:
        if table.column(name).sensitivity is Sensitivity.PROTECTED:
            raise DeclarationError(
                f"feature '{declared.name}' reads '{table.name}.{name}', which only the audit may read"
            )


def _told_apart(declared: Feature) -> set[str]:
    """The columns that a feature's cells are by, or whose values it counts."""
    source = declared.source
    measures = source.measures.values() if isinstance(source, Cells) else (declared.expr,)
    counted = (n for m in measures for n in m.op().find(ops.CountDistinct) if isinstance(n.arg, ops.Field))
    return {n.arg.name for n in counted} | set(source.keys if isinstance(source, Cells) else ())


def _description(body: Callable[[Any], ir.Value]) -> str:
    text = inspect.getdoc(body)
    if not text:
        raise DeclarationError(f"feature '{body.__name__}' has no docstring; say in a sentence what it measures")
    return " ".join(text.split())


def _family(body: Callable[[Any], ir.Value]) -> Family:
    packages = body.__module__.split(".")
    family = packages[1] if packages[0] == "features" and len(packages) > 1 else packages[-1]
    if family not in FAMILIES:
        raise DeclarationError(
            f"feature '{body.__name__}' is declared in '{family}'; the families are {', '.join(FAMILIES)}"
        )
    return cast(Family, family)
