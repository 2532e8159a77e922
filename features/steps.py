"""What a plan is made of: small tables it brings, tables it computes once, and features in long form."""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from features.columns import Table
from features.declare import Feature
from features.windows import Slice


@dataclass(frozen=True)
class Literal:
    """A small table the plan itself brings: which slices there are, and which cells each has."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int | bool | None, ...], ...]

    @property
    def table(self) -> ir.Table:
        """The table by name."""
        return ibis.table({c: "boolean" if c.startswith("is_") else "int64" for c in self.columns}, name=self.name)


@dataclass(frozen=True)
class Step:
    """A table computed once, by name, from those before it; one that is read once need not be kept."""

    name: str
    expr: ir.Table
    is_read_once: bool = False

    @property
    def table(self) -> ir.Table:
        """The table by name."""
        return ibis.table(self.expr.schema(), name=self.name)


@dataclass(frozen=True)
class Result:
    """Features in long form: a row per applicant and slice (`slice` counts through `slices`), a column per feature."""

    name: str
    expr: ir.Table
    features: tuple[Feature, ...]
    slices: tuple[Slice, ...]


@dataclass(frozen=True)
class Plan:
    """What to compute of one table: literals, then steps, then results, each in order.

    It reads two tables by name: `seen`, as-of rows of the table with `application` and the columns in `reads`; and
    `applicants`, the applications that have such rows.
    """

    table: Table
    seen: str
    applicants: str
    reads: tuple[str, ...]
    literals: tuple[Literal, ...]
    steps: tuple[Step, ...]
    results: tuple[Result, ...]
