"""What every engine offers: tables by name from Ibis expressions, and their rows as Arrow, the same on each to 1e-9."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.sql import compilers

from features.columns import Table
from pipeline.engines.dialect import quicker, spoken, unmerged
from pipeline.workspace import Workspace
from saakh.errors import ContractError, MissingInputError

Constant = int | bool | None


class Engine(ABC):
    """A place where expressions are computed. Neither threads, partitions nor the order of rows show in bytes."""

    dialect: ClassVar[str]
    is_near: ClassVar[bool] = False
    """Whether rows are in this process already, so that bringing them costs little."""

    def __init__(self, threads: int = 2) -> None:
        self.threads = threads
        self._compiled: dict[object, str] = {}
        self._brought: dict[str, object] = {}

    @abstractmethod
    def close(self) -> None:
        """Give back what this engine holds."""

    @abstractmethod
    def read(self, path: Path, columns: Iterable[str] = ()) -> ir.Table:
        """The rows of a Parquet file of the workspace; a `ContractError` names the columns it lacks."""

    @abstractmethod
    def table(self, arrow: pa.Table, name: str | None = None) -> ir.Table:
        """An in-memory table, for small inputs and tests."""

    @abstractmethod
    def make(self, name: str, expr: ir.Table) -> None:
        """Compute a table once that others find by its name, in place of one of that name."""

    @abstractmethod
    def view(self, name: str, expr: ir.Table) -> None:
        """Give an expression a name by which others find it, computed anew each time it is read."""

    @abstractmethod
    def named(self, name: str) -> ir.Table:
        """A table or view by its name."""

    @abstractmethod
    def bring(self, name: str, columns: Mapping[str, Any], rows: Sequence[Sequence[Constant]]) -> None:
        """Make a small table of literal whole numbers and flags; `columns` maps names to Ibis types."""

    @abstractmethod
    def drop(self, *names: str) -> None:
        """Forget tables by name."""

    @abstractmethod
    def batches(self, expr: ir.Table) -> pa.RecordBatchReader:
        """The rows as a stream of record batches, in the types Ibis promised."""

    @abstractmethod
    def ask(self, query: str) -> pa.Table:
        """What a query in the engine's own SQL gives, in memory."""

    @abstractmethod
    def each(self, work: Callable[[bytes], bytes], parcels: Sequence[bytes]) -> list[bytes]:
        """The same work done with each parcel, side by side, wherever this engine computes."""

    def canonical(self, ws: Workspace, table: Table) -> ir.Table:
        """A canonical table; a `MissingInputError` says that it is not there."""
        if (found := self.find(ws, table)) is None:
            ws.need("ingest", f"{table.name}.parquet")
            raise MissingInputError(f"no canonical table '{table.name}'")
        return found

    def find(self, ws: Workspace, table: Table) -> ir.Table | None:
        """A canonical table, or None where none was ingested."""
        path = ws.root / "ingest" / f"{table.name}.parquet"
        return self.read(path, table.by_name) if path.exists() else None

    def coded(self, rows: ir.Table, columns: Iterable[str]) -> ir.Table:
        """Rows whose `columns`, pseudonyms, are as this engine compares them fastest: told apart, and nothing else."""
        del columns
        return rows

    def bring_once(self, name: str, columns: Mapping[str, Any], rows: Sequence[Sequence[Constant]]) -> None:
        """Make a small table of literal rows unless one of that name and content is there."""
        content = (tuple(columns), rows)
        if self._brought.get(name) != content:
            self.bring(name, columns, rows)
            self._brought[name] = content

    def keep(self, expr: ir.Table, name: str | None = None) -> ir.Table:
        """Compute once, and keep until forgotten (spills to disk when memory is short)."""
        name = name or ibis.util.gen_name("t")
        self.make(name, expr)
        return self.named(name)

    def forget(self, table: ir.Table) -> None:
        """Drop a table that was kept."""
        self.drop(table.get_name())

    def arrow(self, expr: ir.Table, order_by: Sequence[str]) -> pa.Table:
        """The rows in memory, in a fixed order."""
        return self.batches(expr.order_by(list(order_by))).read_all()

    def count(self, expr: ir.IntegerScalar) -> int:
        """One whole number; a count over no rows is 0, though Spark says null where it counts with a condition."""
        return int(self.batches(expr.as_table()).read_all().column(0)[0].as_py() or 0)

    def size(self, name: str) -> int:
        """The number of rows of a table by name."""
        return self.count(self.named(name).count())

    def sql(self, expr: ir.Table) -> str:
        """The expression as SQL, compiled once: the same plan runs over many batches of people."""
        key = expr.op()
        if key not in self._compiled:
            compiler = getattr(compilers, self.dialect).compiler
            with unmerged():  # what `ibis.to_sql` does, less copies, layout and merging
                said = compiler.to_sqlglot(quicker(spoken(expr, self.dialect), self.dialect))
            self._compiled[key] = said.sql(dialect=compiler.dialect, copy=False)
        return self._compiled[key]


def checked(table: ir.Table, path: object, columns: Iterable[str], stage: str = "") -> ir.Table:
    """A table that has these columns; else a `ContractError` names those it lacks."""
    if missing := [name for name in columns if name not in table.columns]:
        rerun = f"; rerun `saakh {stage}`" if stage else ""
        raise ContractError(f"{path} has no column {', '.join(missing)}{rerun}")
    return table


def values(rows: Sequence[Sequence[Constant]]) -> str:
    """Literal rows in SQL."""
    return ", ".join(f"({', '.join('NULL' if value is None else str(value) for value in row)})" for row in rows)


def first_line(error: Exception) -> str:
    """What an error says, cut to one line."""
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
