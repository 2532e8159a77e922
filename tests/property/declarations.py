"""Declarations drawn at random, and events to measure them on: ties, nulls, extremes, edges of bands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import ibis.expr.types as ir
from hypothesis import strategies as st

from features.columns import Column, Kind, Sensitivity, Table
from features.declare import Feature, Risk, Unit
from features.joined import interactions
from features.meaning import canonical
from features.neighbours import content
from features.sources import Cells, Rows, Source, evaluated, linked, only, per, rows_of, table_of, view_of
from features.tables import BY_NAME
from features.windows import CLOCK, CLOCK_SPLITS, DAY_S, DAYPART, WEEKPART
from tests.property.grammar import OF_CELLS, OF_KEYED, OF_ROWS, Draw, Leaves, flag, outcome
from tests.property.worlds import PEOPLE, SNAPSHOT

NAMES = ("calls", "messages", "payments", "locations", "topups", "devices", "app_sessions")
TABLES = (*(BY_NAME[name] for name in NAMES), interactions)
SPLITS = ((), (), (WEEKPART,), (DAYPART,), CLOCK_SPLITS)
WINDOWS = ((), (30,), (7, 30))
TOGETHER = 6
"""Features measured in one example."""
AGES_S = (100, 5 * DAY_S, *(days * DAY_S + more for days in (0, 7, 30, 40) for more in (1, 0, 30_000, 7_200)))
TIME = frozenset(CLOCK) - {"window_days"}
MODEST, EXTREME = (0, 1, 2, 3, 60, 350, 1_000, 86_400), (0, 1, -7, 2**40, 2**31, -(2**40))
MARKS = ("k1", "k2", "k3")
SLUGS = ("plain", "b_ware", "zeta")


def said(source: Source) -> str:
    """A source in words."""
    if isinstance(source, Cells):
        measures = {name: canonical(measure) for name, measure in source.measures.items()}
        beside = f"ranked {source.ranked} ties {source.ties} apart {source.apart}"
        return f"{said(source.rows)} per {source.keys} {beside}: {measures}"
    chosen = isinstance(source, Rows) and source.where is not None
    return f"{source.name} where {canonical(source.where)}" if chosen else source.name


@dataclass(frozen=True, repr=False)
class Drawn:
    """Some features of one table, and rows of the tables that it is made of."""

    table: Table
    features: tuple[Feature, ...]
    events: Mapping[str, Sequence[Mapping[str, Any]]]

    def __repr__(self) -> str:
        told = [
            f"{f.name} {f.windows} {[a.name for a in f.splits]}: {canonical(f.expr)} of {said(f.source)}"
            for f in self.features
        ]
        return "\n".join([*told, *(f"{name}: {row}" for name, rows in self.events.items() for row in rows)])


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    """A table, two sources of it, and features of these: a number for each says all of it, so that they go singly."""
    table, is_untied = draw(st.sampled_from(TABLES)), draw(st.booleans())
    chance = st.integers(0, 2**32 - 1).map(Random)
    sources = [_source(draw(chance), table, n, is_untied) for n in range(2)]
    features = [_feature(d, sources, n, is_untied) for n, d in enumerate(draw(_several(chance, 1, TOGETHER)))]
    is_told = any(isinstance(rows, Rows) and rows.by for rows in map(rows_of, sources))
    values = draw(st.sampled_from([MODEST, MODEST, EXTREME]))
    made_of = [BY_NAME[name] for name in table.sources] or [table]
    events = {of.name: [_event(d, of, values) for d in draw(_several(chance, 0, 24))] for of in made_of}
    return Drawn(table, tuple(features), _apart(events, is_told, is_untied))


@st.composite
def _several(draw: st.DrawFn, each: st.SearchStrategy[Random], least: int, most: int) -> list[Random]:
    """As many as there may be, more often than not: what is drawn first is drawn most often."""
    fewest = most - draw(st.integers(0, most - least))
    return draw(st.lists(each, min_size=fewest, max_size=most))


def _apart(
    events: Mapping[str, list[dict[str, Any]]], is_told: bool, is_untied: bool
) -> Mapping[str, list[dict[str, Any]]]:
    """Rows of one second whose order an engine leaves open, once: told of neighbours, unless they say other things;
    among gaps, all of one person."""
    kept: dict[str, list[dict[str, Any]]] = {}
    met: set[tuple[Any, ...]] = set()
    for name, rows in events.items():
        kept[name] = []
        for row in rows:
            key: tuple[Any, ...] = (row["person_id"], row["event_at"].replace(microsecond=0))
            key += () if is_untied else (name, *(row[c] for c in content(BY_NAME[name])))
            if key not in met or not (is_told or is_untied):
                kept[name].append(row)
            met.add(key)
    return kept


def _event(draw: Draw, table: Table, numbers: Sequence[int]) -> dict[str, Any]:
    age = timedelta(seconds=draw.choice(AGES_S), microseconds=-draw.choice([0, 0, 0, 700_000]))
    happened = SNAPSHOT - age
    row = {"person_id": draw.choice(PEOPLE), "event_at": happened, "available_at": happened}
    row["local_at"] = happened + timedelta(minutes=330)
    for column in table.columns[4:]:
        value = _value(draw, column, numbers)
        row[column.name] = value if column.required or draw.randint(0, 3) else None
    return row


def _value(draw: Draw, column: Column, numbers: Sequence[int]) -> Any:
    if column.kind is Kind.INTEGER:
        return draw.choice(numbers)
    if column.kind is Kind.FLAG:
        return draw.choice([True, False])
    return draw.choice(MARKS if column.kind is Kind.PSEUDONYM else _words(column))


def _words(column: Column) -> tuple[str, ...]:
    return column.values[:4] or SLUGS


def _source(draw: Draw, table: Table, number: int, is_untied: bool) -> Source:
    """All rows, some, those told of neighbours, or cells of any of these."""
    rows = _rows(draw, table, number)
    return _cells(draw, rows, number, is_untied) if draw.choice([True, False]) else rows


def _rows(draw: Draw, table: Table, number: int) -> Table | Rows:
    def where(view: ir.Table) -> Any:
        condition = flag(draw, leaves_of(table, view), draw.randint(0, 1))
        return condition if isinstance(condition, ir.Column) else view.is_weekend

    how = draw.choice(["all", "all", "only", "linked", "linked"])
    if how == "all":
        return table
    if how == "only":
        return only(table, f"some_{number}", where)
    names = [c.name for c in table.columns if c.kind is not Kind.TIMESTAMP]
    by, carried = draw.choice(names), draw.sample(names[1:], draw.randint(0, 2))
    return linked(table, by, *carried, where=where if draw.randint(0, 3) == 0 else None)


def _cells(draw: Draw, rows: Table | Rows, number: int, is_untied: bool) -> Cells:
    table, view = table_of(rows), view_of(rows)
    days = draw.choice([(), (), (), (1,), (1, 7)])
    names = [c.name for c in table.columns if c.kind is not Kind.TIMESTAMP] + ["day", "hour", "is_work_time", "weekday"]
    keys = ["day"] if days else draw.sample(names, draw.randint(1, 2))
    leaves = leaves_of(rows, view, ("gap_s",) if is_untied else ())
    named = [f"m{number}_{n}" for n in range(draw.randint(1, 3))]
    exprs = {name: outcome(draw, view, leaves, OF_KEYED, draw.randint(0, 1)) for name in named}
    if days:  # the view has those of other days as whole numbers
        exprs = {name: expr if expr.type().is_integer() else expr.round().cast("int64") for name, expr in exprs.items()}
    made = {name: _body(expr) for name, expr in exprs.items()}
    wholes = [name for name, expr in exprs.items() if expr.type().is_integer()]
    ranked = draw.sample(wholes, draw.randint(0, min(2, len(wholes))))
    ties = draw.sample(named, draw.randint(0, min(2, len(named)))) if ranked else []
    return per(rows, *keys, ranked=tuple(ranked), ties=tuple(ties), apart=days, **made)


def _body(expr: ir.Value) -> Any:
    """A body that gives an expression."""
    return lambda _: expr


def leaves_of(source: Source, view: ir.Table, of_time: Sequence[str] = (), *, is_of_time: bool = False) -> Leaves:
    """What expressions over a source's view may read: all but gaps, with what is named; of time alone if so said."""
    table = table_of(source)
    words = {c.name: _words(c) for c in table.columns if c.kind is Kind.CATEGORY}
    wholes, reals, flags, texts, marks = [], [], [], [], []
    for name, kind in view.schema().items():
        if (name == "gap_s" and name not in of_time) or name == "window_days" or (is_of_time and name not in TIME):
            continue
        plain = name.removeprefix("last_").removeprefix("next_")
        if plain in words:
            texts.append((view[name], words[plain]))
        elif kind.is_integer():
            wholes.append(view[name])
        else:
            (flags if kind.is_boolean() else reals if kind.is_floating() else marks).append(view[name])
    return Leaves(wholes or [view.window_days], reals, flags, texts, marks)


def _feature(draw: Draw, sources: Sequence[Source], number: int, is_untied: bool) -> Feature:
    source = draw.choice(sources)
    view = view_of(source)
    if isinstance(source, Cells):
        leaves = leaves_of(source, view)
    else:
        is_of_time = not is_untied and draw.randint(0, 3) == 0
        leaves = leaves_of(source, view, ("gap_s",) if is_untied or is_of_time else (), is_of_time=is_of_time)
    kinds = OF_CELLS if isinstance(source, Cells) else OF_ROWS
    expr = outcome(draw, view, leaves, kinds, draw.randint(0, 2))
    return Feature(
        name=f"drawn_{number}",
        description="A measure drawn at random.",
        family="social",
        source=source,
        expr=evaluated("a feature drawn", lambda _: expr, source),
        windows=draw.choice(WINDOWS),
        splits=draw.choice(SPLITS),
        unit=Unit.MINOR,
        risk=Risk.UNKNOWN,
        reason="Drawn at random",
        sensitivity=Sensitivity.ORDINARY,
    )
