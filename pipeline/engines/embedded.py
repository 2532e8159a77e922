"""DuckDB, embedded in this process: the engine of a single machine, and of the sample."""

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa
from duckdb import BinderException, CatalogException, DataError, IOException, OutOfMemoryException
from duckdb import Error as DuckDBError
from ibis.backends.sql.datatypes import DuckDBType

from pipeline.engines.base import Constant, Engine, checked, first_line, values
from pipeline.engines.parquet import ROW_GROUP
from saakh.errors import ConfigError, ContractError, MissingInputError, UnreadableInputError


@ibis.udf.scalar.builtin(name="hash", signature=((dt.string,), dt.uint64))
def hashed(text: str) -> int:
    """DuckDB's hash of a text."""
    raise NotImplementedError


QUOTES_NO_VALUE = (IOException, BinderException, CatalogException)


class Embedded(Engine):
    """DuckDB through Ibis, with a bound on threads and memory. Same inputs give the same bytes for any of either."""

    dialect = "duckdb"
    is_near = True

    def __init__(self, threads: int = 2, memory_gb: float = 4.0) -> None:
        super().__init__(threads)
        self._spill = tempfile.TemporaryDirectory(prefix="saakh-spill-")  # where what does not fit in memory goes
        self.connection = ibis.duckdb.connect(
            threads=threads, memory_limit=f"{memory_gb}GB", temp_directory=self._spill.name
        )
        self.connection.raw_sql("SET TimeZone = 'UTC'")

    def close(self) -> None:
        """Give memory and disk back."""
        self.connection.disconnect()
        self._spill.cleanup()

    def read(self, path: Path, columns: Iterable[str] = ()) -> ir.Table:
        """A lazy table over one Parquet file, or all of a folder's; a `ContractError` names the columns it lacks."""
        files = sorted(path.glob("**/*.parquet")) if path.is_dir() else [path]
        if not files or not files[0].exists():
            raise MissingInputError(f"no Parquet file at {path}")
        name, listed = ibis.util.gen_name("parquet"), ", ".join(_text(str(f)) for f in files)
        try:
            self.connection.raw_sql(f'CREATE TEMP VIEW "{name}" AS SELECT * FROM read_parquet([{listed}])')  # noqa: S608
        except DuckDBError as error:
            raise UnreadableInputError(f"{path} is not readable Parquet: {first_line(error)}") from None
        return checked(self.named(name), path, columns, path.parent.name)

    def table(self, arrow: pa.Table, name: str | None = None) -> ir.Table:
        """An in-memory table, for small inputs and tests."""
        return self.connection.create_table(
            name or ibis.util.gen_name("t"), arrow, temp=True, overwrite=name is not None
        )

    def each(self, work: Callable[[bytes], bytes], parcels: Sequence[bytes]) -> list[bytes]:
        """The same work done with each parcel, on as many threads as this engine has."""
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(work, parcels))

    def make(self, name: str, expr: ir.Table) -> None:
        """Compute a table once as a temporary one (spills to disk when memory is short)."""
        self._run(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {self.sql(expr)}')

    def view(self, name: str, expr: ir.Table) -> None:
        """Give an expression a name by which others find it, computed anew each time it is read."""
        self._run(f'CREATE OR REPLACE TEMP VIEW "{name}" AS {self.sql(expr)}')

    def named(self, name: str) -> ir.Table:
        """A table or view by its name (not by Ibis, which reads every type anew)."""
        told = self.connection.raw_sql(f'DESCRIBE "{name}"').fetchall()
        return ibis.table({column: _typed(kind) for column, kind, *_ in told}, name=name)

    def bring(self, name: str, columns: Mapping[str, Any], rows: Sequence[Sequence[Constant]]) -> None:
        """Make a small table of literal whole numbers and flags."""
        kinds = {name: "BOOLEAN" if kind.is_boolean() else "BIGINT" for name, kind in columns.items()}
        typed = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in kinds.items())
        literal = f"(VALUES {values(rows)}) AS t({', '.join(kinds)})"
        self._run(f'CREATE OR REPLACE TEMP TABLE "{name}" AS SELECT {typed} FROM {literal}')  # noqa: S608 - numbers

    def coded(self, rows: ir.Table, columns: Iterable[str]) -> ir.Table:
        """Rows whose `columns` are numbers of 64 bits in place of texts, which cost a third less to group by.

        They are compared within one application alone: for a thousand pseudonyms, two are taken for one with a chance
        of 3e-14.
        """
        codes = {name: ibis.ifelse(rows[name].isnull(), ibis.null("uint64"), hashed(rows[name])) for name in columns}
        return rows.mutate(**codes) if codes else rows

    def drop(self, *names: str) -> None:
        """Forget tables by name."""
        for name in names:
            self._run(f'DROP TABLE IF EXISTS "{name}"')

    def ask(self, query: str) -> pa.Table:
        """What a query in DuckDB's own SQL gives."""
        with _readable():
            return self.connection.raw_sql(query).to_arrow_table()

    def batches(self, expr: ir.Table) -> pa.RecordBatchReader:
        """The rows as a stream of record batches (not by Ibis, whose own way DuckDB has deprecated)."""
        schema = expr.schema().to_pyarrow()
        with _readable():
            reader = self.connection.raw_sql(self.sql(expr)).to_arrow_reader(ROW_GROUP)
        return pa.RecordBatchReader.from_batches(schema, _cast(reader, schema))

    def _run(self, sql: str) -> None:
        with _readable():
            self.connection.raw_sql(sql)


@cache
def _typed(kind: str) -> dt.DataType:
    """DuckDB's name of a type as Ibis's type."""
    return DuckDBType.from_string(kind)


def _text(said: str) -> str:
    """A text in SQL."""
    return "'" + said.replace("'", "''") + "'"


def _cast(reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The batches in the types Ibis promised; what the engine cannot read shows only now."""
    with _readable():
        for batch in reader:
            yield batch.cast(schema)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OutOfMemoryException as error:
        raise ConfigError(f"memory_gb is too little for these tables; raise it ({first_line(error)})") from None
    except DataError as error:  # its message quotes the value, which is a person's
        raise ContractError(
            f"the engine stopped at a value that its column cannot hold ({type(error).__name__}); run `saakh check`"
        ) from None
    except DuckDBError as error:
        raise UnreadableInputError(f"the engine stopped: {_said(error)}") from None


def _said(error: DuckDBError) -> str:
    """What the engine says, when it cannot be a person's value; else its kind, and the file it names."""
    if isinstance(error, QUOTES_NO_VALUE):
        return first_line(error)
    named = re.search(r'file "([^"]+\.parquet)"', str(error))
    return type(error).__name__ + (f" in {named.group(1)}" if named else "")
