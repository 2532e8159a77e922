"""From declarations to few scans: rows become cells once, cells become slices, and features are read off the slices.

A row's age falls into one *band* between two windows, and its time into one part of each axis (weekday or weekend,
day or night). Rows are reduced to cells of applicant × band × parts (× key). A slice, which is a window whole or by
parts, is a union of cells, so further windows and splits cost no further scan of the rows. What is left is long: one
row per applicant and slice, where every feature is computed once, whatever its number of columns.

Pure Ibis over tables that exist by name alone: no data is read here, and the same plan runs on every engine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import ibis
import ibis.expr.types as ir

from features.bind import fields_under
from features.columns import Sensitivity, Table
from features.declare import Feature
from features.drawing import Drawing
from features.groups import Group
from features.joined import JOINED, STACKED
from features.meaning import canonical
from features.neighbours import content
from features.reduce import KEY
from features.sources import TYPES, Cells, Rows, Source, rows_of
from features.steps import Plan
from features.windows import CLOCK, Axis, Calendar, with_clock
from saakh.errors import DeclarationError

GAP = frozenset({"gap_s", "window_days"})
"""What the plan itself adds to a view."""


def told(rows: ir.Table, table: Table, calendar: Calendar, reads: Sequence[str]) -> ir.Table:
    """As-of rows (`application`, `snapshot_at` and the table's columns) as a plan reads them, with their clock."""
    clocked = with_clock(rows, calendar, reads) if table.time == "event_at" else rows
    return clocked.select(KEY, *reads)


@lru_cache(maxsize=256)
def plan(table: Table, declared: tuple[Feature, ...]) -> Plan:
    """How to measure these features of one table; the same object for the same question."""
    reads = reads_of(table, declared)
    kinds = {c.name: TYPES[c.kind] for c in table.columns} | CLOCK
    seen = ibis.table({KEY: "int64"} | {name: kinds[name] for name in reads}, name=f"{table.name}_seen")
    drawn = Drawing(table, seen)
    if table.state and declared:
        drawn.declare(tuple(declared))
    elif declared:
        drawn.measure(grouped(table, declared))
    applicants = drawn.applicants.get_name()
    return Plan(
        table, seen.get_name(), applicants, reads, tuple(drawn.literals), tuple(drawn.steps), tuple(drawn.results)
    )


def grouped(table: Table, declared: Sequence[Feature]) -> list[Group]:
    """Features of one table by what they are measured on."""
    by_source: dict[tuple[str, tuple[Axis, ...]], list[Feature]] = {}
    for feature in declared:
        by_source.setdefault((feature.source.name, feature.splits), []).append(feature)
    merged = _merged_measures(declared)
    return [Group(f"{table.name}_{n}", tuple(some), merged) for n, some in enumerate(by_source.values())]


def reads_of(table: Table, declared: Sequence[Feature]) -> tuple[str, ...]:
    """The columns of as-of rows that measuring these reads, in a fixed order."""
    kinds = {c.name for c in table.columns} | set(CLOCK) - GAP
    if (
        table.state
    ):  # all that was declared tells declarations of one moment apart, but for what only the audit may read
        open_to_all = {c.name for c in table.columns if c.sensitivity is not Sensitivity.PROTECTED}
        return tuple(sorted(open_to_all - {"person_id"}))
    read = {"age_s"}
    for feature in declared:
        source, rows = feature.source, rows_of(feature.source)
        read |= fields_under(feature.expr.op()) | {axis.column for axis in feature.splits}
        if isinstance(source, Cells):
            read |= set(source.keys).union(*(fields_under(m.op()) for m in source.measures.values()))
        if isinstance(rows, Rows):
            read |= {rows.by, *rows.carried, "event_s", *content(table)} if rows.by else set()
            read |= set() if rows.where is None else fields_under(rows.where.op())
    if "gap_s" in read:  # rows of one second are in the order of what they say, whatever else is asked
        read |= {"event_s", *content(table)}
    return tuple(sorted(read & kinds))


def reads_by_table(features: Sequence[Feature]) -> Mapping[str, tuple[str, ...]]:
    """The columns of each table's as-of rows that its own features read, or those of a table stacked of it."""
    by_table: dict[Table, list[Feature]] = {}
    for feature in features:
        by_table.setdefault(feature.table, []).append(feature)
    reads = {table.name: reads_of(table, some) for table, some in by_table.items()}
    for table in JOINED:
        for source in table.sources if table.name in STACKED and table.name in reads else ():
            reads[source] = tuple(dict.fromkeys([*reads.get(source, ()), *reads[table.name]]))
    return reads


def _merged_measures(declared: Sequence[Feature]) -> Mapping[str, Source]:
    """Sources by name, with all measures of the cells of a name: one name of a measure must mean one thing."""
    merged: dict[str, Source] = {}
    for source in (f.source for f in declared):
        other = merged.setdefault(source.name, source)
        if isinstance(source, Cells) and isinstance(other, Cells):
            measures = {**other.measures, **source.measures}
            for name, measure in other.measures.items():
                if canonical(measures[name]) != canonical(measure):
                    raise DeclarationError(f"'{source.name}' has two measures called '{name}'; give one another name")
            merged[source.name] = replace(other, measures=measures)
    return merged
