"""Spark, on this machine or a cluster: the same expressions, for more events than one machine should hold."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame

from features.columns import Table
from features.sources import TYPES
from pipeline.engines.base import Constant, Engine, checked, first_line, values
from pipeline.engines.parquet import read_table
from pipeline.engines.session import Wanted, session
from pipeline.params import Spark as Settings
from pipeline.workspace import Workspace
from saakh.errors import ConfigError, ContractError, MissingInputError, UnreadableInputError

NOT_THERE = ("PATH_NOT_FOUND", "TABLE_OR_VIEW_NOT_FOUND")
VALUE_FAULT = "22"
"""The class of SQL states that tell of a value: too large for its column, not a number, a division by zero."""
PARCEL_MAX = 2**31 - 2**16
"""The largest binary a cell of Spark holds, less what surrounds it."""


class Spark(Engine):
    """Spark through Ibis. Everything but `each` is SQL, for which executors need no Python of ours."""

    dialect = "pyspark"

    def __init__(self, settings: Settings, threads: int = 2, memory_gb: float = 4.0) -> None:
        super().__init__(threads)
        told = tuple(sorted((name, _said(value)) for name, value in settings.settings.items()))
        self._tables = settings.tables
        self._wanted = Wanted(settings.master, threads, memory_gb, told)
        self._session = session(self._wanted)
        self._connection = ibis.pyspark.connect(self._session)
        self._made: dict[str, DataFrame] = {}

    def close(self) -> None:
        """Forget every table; the session stays for the process's next engine."""
        self.drop(*self._made)

    def read(self, path: Path, columns: Iterable[str] = ()) -> ir.Table:
        """The rows of a file of the workspace, brought from this machine, whose disk executors need not see."""
        return checked(self.table(read_table(path)), path, columns, path.parent.name)

    def canonical(self, ws: Workspace, table: Table) -> ir.Table:
        """A canonical table; a `MissingInputError` says that it is not there."""
        if self._tables and self.find(ws, table) is None:
            raise MissingInputError(f"no table '{table.name}' at spark.tables, {self._tables}; see docs/spark.md")
        return super().canonical(ws, table)

    def find(self, ws: Workspace, table: Table) -> ir.Table | None:
        """A canonical table of the workspace or of `spark.tables`, in its declared kinds; None where there is none."""
        place = self._place(ws, table)
        try:
            with _readable():
                rows = self._session.read.parquet(place) if "/" in place else self._session.table(place)
                return _declared(checked(self._viewed(ibis.util.gen_name("stored"), rows), place, table.by_name), table)
        except FileNotFoundError:
            return None

    def table(self, arrow: pa.Table, name: str | None = None) -> ir.Table:
        """An in-memory table, for small inputs and tests."""
        with _readable():
            return self._viewed(name or ibis.util.gen_name("t"), self._session.createDataFrame(arrow))

    def make(self, name: str, expr: ir.Table) -> None:
        """Compute a table when it is first read, and keep it (spills to disk when memory is short).

        On this machine what it was made from is forgotten, and later plans stay small. A cluster remembers, and makes
        anew what a lost executor held.
        """
        self.drop(name)
        with _readable():
            rows = self._session.sql(self.sql(expr))
            self._viewed(name, rows.localCheckpoint(eager=False) if self._wanted.is_local else rows.persist())

    def view(self, name: str, expr: ir.Table) -> None:
        """Give an expression a name by which others find it, computed anew each time it is read."""
        with _readable():
            self._viewed(name, self._session.sql(self.sql(expr)))

    def named(self, name: str) -> ir.Table:
        """A table or view by its name."""
        return self._connection.table(name)

    def bring(self, name: str, columns: Mapping[str, Any], rows: Sequence[Sequence[Constant]]) -> None:
        """Make a small table of literal whole numbers and flags."""
        kinds = {c: "BOOLEAN" if kind.is_boolean() else "BIGINT" for c, kind in columns.items()}
        typed = ", ".join(f"CAST({c} AS {kind}) AS {c}" for c, kind in kinds.items())
        literal = f"VALUES {values(rows)} AS t({', '.join(columns)})"
        with _readable():
            self._viewed(name, self._session.sql(f"SELECT {typed} FROM {literal}"))  # noqa: S608 - whole numbers and flags

    def drop(self, *names: str) -> None:
        """Forget tables by name."""
        for name in names:
            if (rows := self._made.pop(name, None)) is not None:
                self._session.catalog.dropTempView(name)
                rows.unpersist()

    def ask(self, query: str) -> pa.Table:
        """What a query in Spark's own SQL gives, collected on this machine."""
        with _readable():
            return self._session.sql(query).toArrow()

    def batches(self, expr: ir.Table) -> pa.RecordBatchReader:
        """The rows as record batches, collected on this machine."""
        with _readable():
            rows = self._session.sql(self.sql(expr)).toArrow()
        return rows.cast(expr.schema().to_pyarrow()).to_reader()

    def each(self, work: Callable[[bytes], bytes], parcels: Sequence[bytes]) -> list[bytes]:
        """The same work done with each parcel by executors, a task each. They need this package and what it needs."""
        if (most := max(map(len, parcels), default=0)) > PARCEL_MAX:
            raise ConfigError(f"a parcel of {most:,} bytes is more than Spark carries in a cell; take more shards")
        table = pa.table({"place": pa.array(range(len(parcels)), pa.int64()), "parcel": pa.array(parcels, pa.binary())})

        def done(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                said = [work(parcel.as_py()) for parcel in batch.column("parcel")]
                yield pa.record_batch({"place": batch.column("place"), "parcel": pa.array(said, pa.binary())})

        with _readable():
            spread = self._session.createDataFrame(table).repartitionByRange(max(1, len(parcels)), "place")
            answers = spread.mapInArrow(done, "place bigint, parcel binary").toArrow()
        return [parcel for _, parcel in sorted(zip(*answers.to_pydict().values(), strict=True))]

    def _viewed(self, name: str, rows: DataFrame) -> ir.Table:
        rows.createOrReplaceTempView(name)
        self._made[name] = rows
        return self.named(name)

    def _place(self, ws: Workspace, table: Table) -> str:
        if self._tables is None:
            return (ws.root / "ingest" / f"{table.name}.parquet").resolve().as_uri()
        is_folder = "/" in self._tables
        return f"{self._tables.rstrip('/')}/{table.name}.parquet" if is_folder else f"{self._tables}.{table.name}"


def _said(value: str | bool | int | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _declared(rows: ir.Table, table: Table) -> ir.Table:
    """The declared columns in their declared kinds: a lake's narrow integers would overflow where ours do not."""
    kinds = {c.name: ibis.dtype(TYPES[c.kind]) for c in table.columns}
    cast = {name: rows[name].cast(kind) for name, kind in kinds.items() if not kind.is_timestamp()}
    return rows.select(**{name: cast.get(name, rows[name]) for name in kinds})


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except PySparkException as error:
        raise _told(error) from None
    except Py4JError:  # without its message, which may quote a value
        raise UnreadableInputError(
            "Spark stopped answering; its log says why (docs/spark.md, 'When it stops')"
        ) from None


def _told(error: PySparkException) -> Exception:
    """The error in this project's words. Messages quote values, which are a person's; names of conditions do not."""
    condition, state = error.getCondition() or "", error.getSqlState() or ""
    if condition.split(".")[0] in NOT_THERE:
        return FileNotFoundError(condition)
    if state.startswith(VALUE_FAULT):
        return ContractError(
            f"the engine stopped at a value that its column cannot hold ({condition}); run `saakh check`"
        )
    if "OutOfMemoryError" in str(error) or "maxResultSize" in str(error):
        return ConfigError("Spark ran out of memory; raise memory_gb, or spark.settings (docs/spark.md, 'Sizes')")
    said = first_line(error) if isinstance(error, AnalysisException) else condition or type(error).__name__
    return UnreadableInputError(f"Spark stopped: {said}")
