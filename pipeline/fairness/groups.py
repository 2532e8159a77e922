"""Groups of people by what no score may know, for audits alone: whoever agreed to `research`, and nobody else."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from features.columns import Kind
from models.arrays import Codes, Flags
from pipeline.params import Params
from pipeline.proxies.protected import PROTECTED, declared
from pipeline.workspace import Workspace

UNKNOWN = -1


@dataclass(frozen=True)
class Grouping:
    """The groups of one protected attribute: for each loan the place in `names`, −1 where nobody agreed or declared."""

    attribute: str
    names: tuple[str, ...]
    code: Codes

    def sides(self) -> Iterator[tuple[str, Flags]]:
        """Each group by its full name, with its loans."""
        for i, name in enumerate(self.names):
            yield f"{self.attribute} {name}", self.code == i


def groupings(params: Params, ws: Workspace, application: pa.Array) -> list[Grouping]:
    """The groups of these applications by each protected attribute; an attribute that nobody shows is left out."""
    found = list(grouped(declared(params, ws, application), params.fairness.age_cuts_years))
    return [each for each in found if (each.code != UNKNOWN).any()]


def grouped(table: pa.Table, age_cuts_years: tuple[int, ...]) -> Iterator[Grouping]:
    """The groups of what was declared: the values of a category, and bands of a number."""
    for column in (c for c in PROTECTED if c.name in table.column_names):
        values = table[column.name].to_pylist()
        if column.kind is Kind.CATEGORY:
            place = {value: i for i, value in enumerate(column.values)}
            names, code = tuple(column.values), [place.get(value, UNKNOWN) for value in values]
        else:
            names = bands(age_cuts_years)
            at = np.searchsorted(age_cuts_years, [v if v is not None else 0 for v in values], side="right")
            code = [UNKNOWN if v is None else int(i) for v, i in zip(values, at, strict=True)]
        yield Grouping(column.name, names, np.array(code, dtype=np.int64))


def bands(cuts: tuple[int, ...]) -> tuple[str, ...]:
    """What the bands between rising cuts are called."""
    if not cuts:
        return ("any",)
    inner = (f"{low} to {high - 1}" for low, high in pairwise(cuts))
    return (f"under {cuts[0]}", *inner, f"{cuts[-1]} or more")
