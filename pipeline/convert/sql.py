"""A scorecard as one SELECT, for DuckDB and Spark: a table of features and refusals in, points out.

Literals have an exponent, since without one they would be decimals and not doubles. Long sums are written as sums of
shorter ones: their order changes nothing, and Spark reads neither hundreds of terms in a row nor nested brackets well.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from math import isinf

import numpy as np
import pyarrow as pa

from models.decisions import Node, Refused, Split, decisions
from pipeline.convert.parts import FOUND, Parts
from pipeline.engines import Embedded
from saakh.errors import ConfigError
from saakh.grid import BITS, STEP
from saakh.linear import FAR, REACH
from saakh.lookup import ZERO
from saakh.served import REFUSED

QUOTES = {"duckdb": '"', "spark": "`"}
"""The dialects that are tested, and how each quotes a name."""
TERMS = 40
"""How many terms stand in a row."""
STEPS = """\
-- {name} {version}: a row of {table} in, its score out.
-- Inputs are numbers or null; refused_<category> is true where an applicant refused it.
WITH given AS (
SELECT {key} AS k,
{given}
FROM {table}
), used AS (
SELECT k,
{flags}{used},
{counts},
{strictest} AS strictest
FROM given
), placed AS (
SELECT *{placed}
FROM used
), rooted AS (
SELECT *{rooted}
FROM placed
), halved AS (
SELECT *{halved}
FROM rooted
), summed AS (
SELECT *,
{sums}
FROM halved
), added AS (
SELECT k, {counted}, strictest,
{total} AS total
FROM summed
), said AS (
SELECT k, missing, unseen, out_of_range, strictest, total * {slope} + {intercept} AS log_odds
FROM added
), scored AS (
SELECT k, missing, unseen, out_of_range, strictest, log_odds, {offset} - {factor} * log_odds AS points
FROM said
)
SELECT k AS {key}, points, 1e0 / (1e0 + EXP(-log_odds)) AS pd, log_odds, {band} AS band,
missing, unseen, out_of_range,
CASE strictest WHEN 3 THEN 'reject' WHEN 2 THEN 'refer' ELSE 'score' END AS handling
FROM scored
"""


def select(parts: Parts, dialect: str, table: str, key: str) -> str:
    """The query over `table`, whose rows are told apart by the column `key`; names are quoted as `dialect` does."""
    if dialect not in QUOTES:
        raise ConfigError(f"SQL is written for {', '.join(QUOTES)}; '{dialect[:60]}' is none of them")
    named, linear = _Names(QUOTES[dialect]), parts.linear
    found = {name: _Sum(name, _counted(parts, name)) for name in FOUND}
    grown = _Sum("trees", [_written(node) for node in decisions(parts.trees, parts.category)])
    straight = _Sum("linear", [number(linear.intercept), *_terms(parts)])
    return STEPS.format(
        name=parts.name,
        version=parts.version,
        table=named.path(table),
        key=named.one(key),
        given=_lines(_given(parts, named)),
        flags="".join(f"r{i}, " for i in range(len(parts.categories))),
        used=_lines(_used(parts)),
        counts=_lines(count for counts in found.values() for count in counts.written()),
        counted=", ".join(f"{counts.total()} AS {name}" for name, counts in found.items()),
        strictest=_strictest(parts),
        placed="".join(f",\n{z}" for z in _placed(parts)),
        rooted="".join(f",\n{v}" for v in _rooted(parts)),
        halved="".join(f",\nSIGN(z{i}) * ((v{i} - 1e0) / (v{i} + 1e0)) AS y{i}" for i in linear.feature),
        sums=_lines((*grown.written(), *straight.written())),
        total=f"{grown.total()} + {straight.total()}",
        slope=number(parts.slope),
        intercept=number(parts.intercept),
        offset=number(parts.offset),
        factor=number(parts.factor),
        band=_band(parts),
    )


def as_table(parts: Parts, inputs: np.ndarray, refused: np.ndarray) -> pa.Table:
    """Inputs [rows, features] and refusals [rows, categories] as the query reads them; the key is the row's number."""
    columns = {name: pa.array(inputs[:, i], from_pandas=True) for i, name in enumerate(parts.features)}
    flags = {REFUSED + category: refused[:, i] for i, category in enumerate(parts.categories)}
    return pa.table({"application_id": np.arange(len(inputs))} | columns | flags)


def scored(parts: Parts, inputs: np.ndarray, refused: np.ndarray) -> dict[str, np.ndarray]:
    """What the query finds in DuckDB, each column by name, row by row."""
    with closing(Embedded()) as engine:
        engine.table(as_table(parts, inputs, refused), "features")
        found = engine.ask(select(parts, "duckdb", "features", "application_id")).sort_by("application_id")
    return {name: found[name].to_numpy() for name in found.column_names}


def number(value: float) -> str:
    """A double as a literal that reads back as the same."""
    if isinf(value):
        return f"CAST('{'-' if value < 0 else ''}Infinity' AS DOUBLE)"
    written = repr(float(value))
    return written if "e" in written else f"{written}e0"


class _Names:
    """Names in quotes."""

    def __init__(self, quote: str) -> None:
        self._quote = quote

    def one(self, name: str) -> str:
        return self._quote + name.replace(self._quote, self._quote * 2) + self._quote

    def path(self, name: str) -> str:
        return ".".join(map(self.one, name.split(".")))


def _given(parts: Parts, named: _Names) -> Iterator[str]:
    """Inputs as doubles, and refusals, where null means that there is none."""
    yield from (f"CAST({named.one(name)} AS DOUBLE) AS x{i}" for i, name in enumerate(parts.features))
    for i, category in enumerate(parts.categories):
        yield f"COALESCE({named.one(REFUSED + category)}, FALSE) AS r{i}"


def _found(parts: Parts, i: int) -> dict[str, str]:
    """When each thing is found in an input. NaN is above every number to both databases, and so is never possible."""
    asked, absent = f"NOT r{parts.category[i]}", f"(x{i} IS NULL OR ISNAN(x{i}))"
    possible = _between(i, parts.least[i], parts.most[i])
    found = {"missing": f"{asked} AND {absent}", "out_of_range": f"{asked} AND NOT {absent} AND NOT ({possible})"}
    if parts.rules[i].seen:
        found["unseen"] = f"{asked} AND {possible} AND NOT ({_between(i, *parts.seen(i))})"
    return found


def _between(i: int, low: float, high: float) -> str:
    return f"x{i} >= {number(low)} AND x{i} <= {number(high)}"


def _counted(parts: Parts, name: str) -> list[str]:
    found = [_found(parts, i).get(name) for i in range(len(parts.features))]
    return [f"CASE WHEN {when} THEN 1 ELSE 0 END" for when in found if when] or ["0"]


def _used(parts: Parts) -> Iterator[str]:
    """Inputs as they are scored, null where missing or refused."""
    for i in range(len(parts.features)):
        worst = {when: parts.instead(i, name) for name, when in _found(parts, i).items()}
        instead = "".join(f"WHEN {when} THEN {number(v)} " for when, v in worst.items() if v is not None)
        possible = f"NOT r{parts.category[i]} AND {_between(i, parts.least[i], parts.most[i])}"
        yield f"CASE {instead}WHEN {possible} THEN x{i} END AS x{i}"


def _strictest(parts: Parts) -> str:
    outcomes = [
        f"CASE WHEN {when} THEN {parts.outcome(i, name)} ELSE 0 END"
        for i in range(len(parts.features))
        for name, when in _found(parts, i).items()
        if parts.outcome(i, name)
    ]
    return f"GREATEST(0, {', '.join(outcomes)})" if outcomes else "0"


def _placed(parts: Parts) -> Iterator[str]:
    """How many scales each input of the linear part is from its centre."""
    linear = parts.linear
    for i, center, scale in zip(linear.feature, linear.center, linear.scale, strict=True):
        yield f"(x{i} - {number(center)}) / {number(scale)} AS z{i}"


def _rooted(parts: Parts) -> Iterator[str]:
    """The fourth root in `saakh.linear.transformed`; what follows are its operations, one by one."""
    for i in parts.linear.feature:
        size = f"LEAST(ABS(z{i}), {number(FAR)})"
        yield f"SQRT(SQRT({size} + SQRT({size} * {size} + 1e0))) AS v{i}"


def _terms(parts: Parts) -> Iterator[str]:
    linear = parts.linear
    for i, mean, coefficient in zip(linear.feature, linear.mean, linear.coefficient, strict=True):
        square = f"(y{i} * y{i})"
        series = f"(({square} * 3e0 + 5e0) * {square} + 15e0) * y{i} * 8e0 / 15e0"
        bent = f"GREATEST(LEAST({series}, {number(REACH)}), {number(-REACH)})"
        term = f"({bent} - {number(mean)}) * {number(coefficient)}"
        steps = f"FLOOR({term} * {number(2.0**BITS)} + 0.5e0) * {number(STEP)}"
        yield f"CASE WHEN x{i} IS NULL THEN 0e0 ELSE {steps} END"


def _written(node: Node) -> str:
    if isinstance(node, float):
        return number(node)
    if isinstance(node, Refused):
        return f"CASE WHEN r{node.category} THEN {_written(node.closed)} ELSE {_written(node.open)} END"
    return f"CASE WHEN {_goes_left(node)} THEN {_written(node.left)} ELSE {_written(node.right)} END"


def _goes_left(split: Split) -> str:
    x = f"x{split.feature}"
    below = f"{x} <= {number(split.threshold)}"
    if split.zero_is_missing:
        near_zero = f"ABS({x}) <= {number(ZERO)}"
        below = f"{near_zero} OR {below}" if split.missing_left else f"NOT {near_zero} AND {below}"
    return f"{x} IS NULL OR {below}" if split.missing_left else below


def _band(parts: Parts) -> str:
    *above, last = parts.bands
    asked = " ".join(f"WHEN points >= {number(band.from_points or 0.0)} THEN '{band.name}'" for band in above)
    return f"CASE {asked} ELSE '{last.name}' END" if above else f"'{last.name}'"


class _Sum:
    """A long sum: parts of it as columns, and the sum of those."""

    def __init__(self, name: str, terms: Sequence[str]) -> None:
        parts = [terms[start : start + TERMS] for start in range(0, len(terms), TERMS)]
        self._columns = {f"{name}{i}": "\n+ ".join(part) for i, part in enumerate(parts)}

    def written(self) -> Iterator[str]:
        return (f"{sum_} AS {name}" for name, sum_ in self._columns.items())

    def total(self) -> str:
        return " + ".join(self._columns)


def _lines(items: Iterable[str]) -> str:
    return ",\n".join(items)
