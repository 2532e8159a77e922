"""Operations of declarations in memory do what the embedded engine's SQL does, to the bit, or say that they do not."""

import os
import struct
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.arrays.columns import Column, UnfitError
from pipeline.arrays.functions import FUNCTIONS
from pipeline.arrays.programs import Program
from pipeline.engines import Engine

EXAMPLES = int(os.environ.get("SAAKH_EXAMPLES", "40"))
SCHEMA = pa.schema(
    {
        "n": pa.int64(), "m": pa.int64(), "x": pa.float64(), "y": pa.float64(), "f": pa.bool_(), "g": pa.bool_(),
        "word": pa.string(), "other": pa.string(), "at": pa.timestamp("us"),
    }
)  # fmt: skip
KINDS = {"int64": "int64", "double": "float64", "bool": "boolean", "string": "string", "timestamp[us]": "timestamp(6)"}
ROWS: Any = ibis.table({field.name: KINDS[str(field.type)] for field in SCHEMA}, name="rows")
WORDS = ("in", "né", "out", "ört", "zebra")
LEAST, MOST = -(2**63), 2**63 - 1
Row = Mapping[str, Any]


def expressions(r: Any) -> dict[str, ir.Value]:
    """Each operation over columns that may be null, by what it shows; none leaves 64 bits over `rows()`."""
    on_zero = ibis.ifelse(r.m == 0, ibis.null("int64"), r.m)
    return {
        "equal": r.n == r.m, "unequal": r.n != r.m, "less": r.n < r.m, "at_most": r.n <= r.x, "more": r.x > r.y,
        "at_least": r.x >= r.n, "flags_equal": r.f == r.g, "words_equal": r.word == r.other, "is_out": r.word == "out",
        "not_out": r.word != "out", "is_none_of_them": r.word == "nowhere",
        "and": r.f & r.g, "or": r.f | r.g, "not": ~r.f, "neither": ~(r.f | (r.n > 0)),
        "and_no": r.f & ibis.literal(False), "or_yes": r.f | ibis.literal(True), "and_null": r.f & ibis.null("boolean"),
        "sum": r.n + r.m, "difference": r.n - r.m, "product": r.n * r.m, "fractions": r.x * r.y - r.n + r.x,
        "quotient": r.n / on_zero, "share": r.x / r.y.nullif(0.0), "by_seven": r.n // 7, "by_minus_seven": r.n // -7,
        "floored": r.n // on_zero, "floored_x": r.x // 3.0, "left": r.n % 7, "left_of": r.n % on_zero,
        "negated": -r.n, "negated_x": -r.x, "size": r.n.abs(), "size_x": r.x.abs(), "root": r.x.abs().sqrt(),
        "root_of_n": r.n.abs().sqrt(), "ln": r.x.abs().nullif(0.0).ln(), "ln_of_n": r.n.abs().nullif(0).ln(),
        "rounded": r.x.round(), "rounded_halves": (r.n / 2).round(), "rounded_n": r.n.round(),
        "to_whole": r.x.cast("int64"), "halves_to_whole": (r.n / 2).cast("int64"), "to_real": r.n.cast("float64"),
        "to_flag": r.n.cast("boolean"), "x_to_flag": r.x.cast("boolean"), "flag_to_n": r.f.cast("int64"),
        "flag_to_x": r.f.cast("float64"), "word_as_it_is": r.word.cast("string") == "out",
        "if": ibis.ifelse(r.f, r.n, r.m), "if_mixed": ibis.ifelse(r.f & (r.n > 0), r.n, r.x),
        "if_null": ibis.ifelse(r.f, ibis.null("float64"), r.x),
        "if_flags": ~ibis.ifelse(r.f, r.g, ibis.null("boolean")),
        "if_untyped": ~ibis.ifelse(r.f, ibis.null(), r.g), "none_at_all": ibis.ifelse(r.f, ibis.null(), 1),
        "first": ibis.coalesce(r.n, r.m, 0), "first_of_two": ibis.coalesce(r.x, r.n), "filled": r.f.fill_null(True),
        "nulled": r.n.nullif(0), "nulled_by": r.n.nullif(r.m), "nulled_x": r.x.nullif(r.y),
        "nulled_mixed": r.n.nullif(0.0), "nulled_word": r.word.nullif("out") == "in",
        "clipped": r.n.clip(-3, 4), "clipped_below": r.x.clip(lower=0.0), "clipped_above": r.n.clip(upper=5),
        "clipped_by": r.n.clip(r.m, 5), "clipped_across": r.n.clip(5, -5),
        "between": r.n.between(-2, 3), "between_by": r.n.between(r.m, r.x), "between_x": r.x.between(-0.5, 0.5),
        "among": r.n.isin([1, 2, -3]), "not_among": r.n.notin([0, 5]), "words_among": r.word.isin(["out", "né", "no"]),
        "case": r.n.cases((0, 10), (1, 20), else_=30), "case_null": r.n.cases((0, 10), (2, 20)),
        "half": ibis.ifelse(r.f, 0.5, 1.5) / 3, "more_than_half": r.n > 0.5, "tenths": r.x * 0.1 + 0.1,
        "case_words": r.word.cases(("in", 1), ("né", 2), else_=0), "case_twice": r.n.cases((1, r.m), (1, 5), else_=r.n),
        "missing": r.n.isnull(), "there": r.word.notnull(), "null_missing": ibis.null("int64").isnull() & r.f,
        "seconds": r.at.truncate("s").epoch_seconds().cast("int64"), "hour": r.at.hour().cast("int64"),
        "minute": r.at.minute().cast("int64"), "month_day": r.at.day().cast("int64"),
        "weekday": r.at.day_of_week.index().cast("int64"), "local_day": r.at.truncate("s").epoch_seconds() // 86_400,
    }  # fmt: skip


@st.composite
def row(draw: st.DrawFn) -> Row:
    """Small and large numbers with and without sign, halves, moments on both sides of 1970; any may be null."""
    whole = st.one_of(st.integers(-8, 8), st.integers(-(2**31), 2**31))
    halves = st.integers(-9, 9).map(lambda n: n / 2)
    apart = st.floats(-1e12, 1e12).map(lambda x: x if abs(x) > 1e-9 else 0.0)  # no quotient is infinite
    real = st.one_of(halves, st.sampled_from([-0.0, 0.49999999999999994]), apart)
    moment = st.one_of(
        st.datetimes(datetime(1901, 1, 1), datetime(2100, 1, 1)),
        st.sampled_from([datetime(1969, 12, 31, 23, 59, 59, 999_999), datetime(1970, 1, 1), datetime(2024, 2, 29)]),
    )
    kinds = {"n": whole, "m": whole, "x": real, "y": real, "f": st.booleans(), "g": st.booleans(), "at": moment}
    kinds |= {"word": st.sampled_from(WORDS[:4]), "other": st.sampled_from(WORDS)}
    return {name: draw(st.one_of(kind, kind, kind, st.none())) for name, kind in kinds.items()}


def given_(rows: pa.Table, words: Mapping[str, tuple[str, ...]]) -> Callable[[Any], Column]:
    """Columns as a batch brings them: moments in seconds, texts as their places among words."""

    def column(name: str) -> Column:
        values, known = rows[name].to_pylist(), np.array(rows[name].is_valid())
        if name in words:
            return Column(np.array([words[name].index(v) if v else 0 for v in values], int), known, words[name])
        if name == "at":
            epoch, second = datetime(1970, 1, 1), timedelta(seconds=1)
            return Column(np.array([0 if v is None else (v - epoch) // second for v in values], int), known)
        kind = rows.schema.field(name).type.to_pandas_dtype()
        return Column(np.array([0 if v is None else v for v in values], kind), None if known.all() else known)

    return column


def in_memory(exprs: Mapping[str, ir.Value], rows: pa.Table) -> dict[str, list[Any]]:
    """What expressions over `ROWS` come to in arrays, null as None."""
    words = {"word": tuple(sorted({*rows["word"].to_pylist()} - {None})), "other": WORDS}
    with np.errstate(all="ignore"):
        found = Program([e.op() for e in exprs.values()]).run(given_(rows, words))
    return {name: listed(c.full(len(rows)), exprs[name]) for name, c in zip(exprs, found, strict=True)}


def listed(column: Column, expr: ir.Value) -> list[Any]:
    known = np.broadcast_to(column.certain, len(column.values))
    return [bits(v, expr) if is_known else None for v, is_known in zip(column.values.tolist(), known, strict=True)]


def bits(value: Any, expr: ir.Value) -> Any:
    """A value of an expression's type, such that values of other bits are not equal."""
    if value is None:
        return None
    return struct.pack("d", float(value)) if expr.type().is_floating() else (type(value), value)


def in_sql(engine: Engine, expr_of: Callable[[Any], dict[str, ir.Value]], rows: pa.Table) -> dict[str, list[Any]]:
    exprs = expr_of(engine.table(rows, "rows"))
    found = engine.batches(engine.named("rows").select(**expr_of(ROWS))).read_all()
    return {name: [bits(v, exprs[name]) for v in found[name].to_pylist()] for name in exprs}


def table(*rows: Row) -> pa.Table:
    return pa.Table.from_pylist([dict(r) for r in rows], schema=SCHEMA)


def test_every_operation_that_is_known_is_compared() -> None:
    used = {type(node) for e in expressions(ROWS).values() for node in e.op().find(ops.Node)}
    assert set(FUNCTIONS) - used == set()


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@example(rows=[])
@given(rows=st.lists(row(), max_size=12))
def test_operations_do_what_the_engine_does_to_the_bit(engine: Engine, rows: list[Row]) -> None:
    assert in_memory(expressions(ROWS), table(*rows)) == in_sql(engine, expressions, table(*rows))


def test_and_and_or_have_three_answers(engine: Engine) -> None:
    rows = table(*({"f": f, "g": g} for f, g in product((True, False, None), repeat=2)))
    yes, no = bits(True, ROWS.f), bits(False, ROWS.f)
    expected = {
        "and": [yes, no, None, no, no, no, None, no, None],
        "or": [yes, yes, yes, yes, no, None, yes, None, None],
    }
    assert in_sql(engine, lambda r: {"and": r.f & r.g, "or": r.f | r.g}, rows) == expected
    assert in_memory({"and": ROWS.f & ROWS.g, "or": ROWS.f | ROWS.g}, rows) == expected


def test_halves_are_rounded_away_from_zero_and_cast_to_the_even_one() -> None:
    rows = table(*({"x": x} for x in (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999999999999994)))
    found = in_memory({"round": ROWS.x.round(), "cast": ROWS.x.cast("int64")}, rows)
    assert [value for _, value in found["round"]] == [-3, -2, -1, 1, 2, 3, 0]
    assert [value for _, value in found["cast"]] == [-2, -2, 0, 0, 2, 2, 0]


def test_what_is_left_has_the_sign_of_what_was_divided_and_a_floor_lies_below() -> None:
    found = in_memory({"left": ROWS.n % 3, "floor": ROWS.n // 3}, table(*({"n": n} for n in (-4, -3, -1, 1, 4))))
    assert [value for _, value in found["left"]] == [-1, 0, -1, 1, 1]
    assert [value for _, value in found["floor"]] == [-2, -1, -1, 0, 1]


def test_logarithms_of_whole_numbers_are_the_engines_to_the_last_bit(engine: Engine) -> None:
    rows = table(*({"n": n, "x": n * 65_537 + 0.5} for n in range(1, 70_000, 7)))
    for column in ("n", "x"):
        assert in_memory({"ln": ROWS[column].ln()}, rows) == in_sql(engine, lambda r, c=column: {"ln": r[c].ln()}, rows)


UNFIT = {
    "sum beyond 64 bits": (lambda r: r.n + r.m, {"n": MOST, "m": 1}),
    "sum below 64 bits": (lambda r: r.n + r.m, {"n": LEAST, "m": -1}),
    "difference": (lambda r: r.n - r.m, {"n": LEAST, "m": 1}),
    "product": (lambda r: r.n * r.m, {"n": 2**32, "m": 2**31}),
    "product of what SQL keeps whole": (lambda r: r.n.nullif(0.0) * r.m.nullif(0.0), {"n": 2**32, "m": 2**31}),
    "no opposite": (lambda r: -r.n, {"n": LEAST}),
    "no size": (lambda r: r.n.abs(), {"n": LEAST}),
    "division by zero": (lambda r: r.x / r.m, {"x": 1.0, "m": 0}),
    "nothing by nothing": (lambda r: r.n / r.m, {"n": 0, "m": 0}),
    "floor of a division by zero": (lambda r: r.n // r.m, {"n": 1, "m": 0}),
    "floor beyond 64 bits": (lambda r: r.x // r.m, {"x": 1e19, "m": 1}),
    "floor of the least by -1": (lambda r: r.n // r.m, {"n": LEAST, "m": -1}),
    "left of a division by zero": (lambda r: r.n % r.m, {"n": 1, "m": 0}),
    "left of the least by -1": (lambda r: r.n % r.m, {"n": LEAST, "m": -1}),
    "left of fractions": (lambda r: r.x % r.m, {"x": 1.5, "m": 1}),
    "logarithm of 0": (lambda r: r.x.ln(), {"x": 0.0}),
    "logarithm of less": (lambda r: r.n.ln(), {"n": -1}),
    "root of less than 0": (lambda r: r.x.sqrt(), {"x": -1.0}),
    "cast beyond 64 bits": (lambda r: r.x.cast("int64"), {"x": 2.0**63}),
    "rounding beyond 64 bits": (lambda r: r.x.round(), {"x": -1e19}),
    "rounding to digits": (lambda r: r.x.round(2), {"x": 1.234}),
    "narrow whole number": (lambda r: r.n.cast("int8"), {"n": 300}),
    "narrow fraction": (lambda r: r.x.cast("float32"), {"x": 0.1}),
    "number from a text": (lambda r: r.word.cast("int64"), {"word": "in"}),
    "text from a number": (lambda r: r.n.cast("string"), {"n": 1}),
    "decimals added": (lambda r: r.n + 0.1, {"n": 1}),
    "decimals multiplied": (lambda r: ibis.ifelse(r.f, 0.1, 0.2) * r.n, {"f": True, "n": 3}),
    "a decimal cast": (lambda r: ibis.coalesce(ibis.ifelse(r.f, 2.5, 0.5), r.n).cast("int64"), {"f": True, "n": 3}),
    "null among options": (lambda r: r.n.isin([1, ibis.null("int64")]), {"n": 1}),
    "order of texts": (lambda r: r.word < r.other, {"word": "in", "other": "out"}),
    "choice of texts": (lambda r: ibis.ifelse(r.f, r.word, r.other) == "in", {"f": True, "word": "in", "other": "out"}),
    "moments to the microsecond": (lambda r: r.at == r.at.truncate("s"), {"at": datetime(2026, 1, 1, 0, 0, 0, 1)}),
    "moments cut to days": (lambda r: r.at.truncate("D").hour(), {"at": datetime(2026, 1, 1, 5)}),
    "seconds of a moment not cut": (lambda r: r.at.epoch_seconds(), {"at": datetime(2026, 1, 1, 0, 0, 0, 600_000)}),
    "a choice of moments": (lambda r: ibis.coalesce(r.at, r.at).hour(), {"at": datetime(2026, 1, 1, 5)}),
    "an operation not known": (lambda r: r.n.log2(), {"n": 1}),
}


@pytest.mark.parametrize(("expr", "values"), UNFIT.values(), ids=UNFIT)
def test_what_the_engine_would_do_otherwise_or_stop_at_is_unfit(expr: Callable[[Any], ir.Value], values: Row) -> None:
    with pytest.raises(UnfitError):
        in_memory({"value": expr(ROWS)}, table(values))


def test_what_is_not_known_never_makes_a_row_unfit(engine: Engine) -> None:
    def exprs(r: Any) -> dict[str, ir.Value]:
        return {"left": r.n % r.m, "share": r.x / r.m, "ln": r.x.ln(), "size": r.m.abs()}

    rows = table({"n": MOST, "m": None, "x": None}, {"n": 3, "m": 2, "x": 1.5})
    assert in_memory(exprs(ROWS), rows) == in_sql(engine, exprs, rows)
