"""The engine room: the only module that names a database. Ibis expressions in, deterministic Parquet out."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from duckdb import DataError, OutOfMemoryException
from duckdb import Error as DuckDBError

from pipeline.workspace import whole
from saakh.errors import ConfigError, ContractError, MissingInputError, UnreadableInputError

ROW_GROUP = 262_144


class Engine:
    """DuckDB through Ibis, with a bound on threads and memory. Same inputs give the same bytes for any of either."""

    def __init__(self, threads: int = 2, memory_gb: float = 4.0) -> None:
        self._spill = tempfile.TemporaryDirectory(prefix="saakh-spill-")  # where what does not fit in memory goes
        self.connection = ibis.duckdb.connect(
            threads=threads, memory_limit=f"{memory_gb}GB", temp_directory=self._spill.name
        )
        self.connection.raw_sql("SET TimeZone = 'UTC'")
        self._compiled: dict[object, str] = {}
        self._brought: dict[str, object] = {}

    def close(self) -> None:
        """Give memory and disk back."""
        self.connection.disconnect()
        self._spill.cleanup()

    def read(self, path: Path, columns: Iterable[str] = ()) -> ir.Table:
        """A lazy table over one Parquet file, or all of a folder's; a `ContractError` names the columns it lacks."""
        files = sorted(path.glob("**/*.parquet")) if path.is_dir() else [path]
        if not files or not files[0].exists():
            raise MissingInputError(f"no Parquet file at {path}")
        try:
            table = self.connection.read_parquet([str(f) for f in files])
        except DuckDBError as error:
            raise UnreadableInputError(f"{path} is not readable Parquet: {_first_line(error)}") from None
        if missing := [name for name in columns if name not in table.columns]:
            raise ContractError(f"{path} has no column {', '.join(missing)}; rerun `saakh {path.parent.name}`")
        return table

    def table(self, arrow: pa.Table, name: str | None = None) -> ir.Table:
        """An in-memory table, for small inputs and tests."""
        return self.connection.create_table(
            name or ibis.util.gen_name("t"), arrow, temp=True, overwrite=name is not None
        )

    def keep(self, expr: ir.Table, name: str | None = None) -> ir.Table:
        """Compute once and keep as a temporary table of the engine (spills to disk when memory is short)."""
        with _readable():
            return self.connection.create_table(name or ibis.util.gen_name("t"), expr, temp=True)

    def forget(self, table: ir.Table) -> None:
        """Drop a table that was kept."""
        self.connection.drop_table(table.get_name(), force=True)

    def make(self, name: str, expr: ir.Table) -> None:
        """Compute a table that others find by its name, in place of one of that name."""
        self._run(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {self._sql(expr)}')

    def view(self, name: str, expr: ir.Table) -> None:
        """Give an expression a name by which others find it, computed anew each time it is read."""
        self._run(f'CREATE OR REPLACE TEMP VIEW "{name}" AS {self._sql(expr)}')

    def named(self, name: str) -> ir.Table:
        """A table or view by its name."""
        return self.connection.table(name)

    def bring_once(self, name: str, columns: Mapping[str, Any], rows: Sequence[Sequence[int | bool | None]]) -> None:
        """Make a small table of literal rows unless one of that name and content is there."""
        if self._brought.get(name) != rows:
            self.bring(name, columns, rows)
            self._brought[name] = rows

    def bring(self, name: str, columns: Mapping[str, Any], rows: Sequence[Sequence[int | bool | None]]) -> None:
        """Make a small table of literal whole numbers and flags; `columns` maps names to Ibis types."""
        kinds = ", ".join(f'"{name}" {"BOOLEAN" if kind.is_boolean() else "BIGINT"}' for name, kind in columns.items())
        said = ", ".join(f"({', '.join('NULL' if v is None else str(v) for v in row)})" for row in rows)
        self._run(f'CREATE OR REPLACE TEMP TABLE "{name}" ({kinds})')
        self._run(f'INSERT INTO "{name}" VALUES {said}')

    def drop(self, *names: str) -> None:
        """Forget tables by name."""
        for name in names:
            self._run(f'DROP TABLE IF EXISTS "{name}"')

    def size(self, name: str) -> int:
        """The number of rows of a table by name."""
        return int(self.connection.raw_sql(f'SELECT count(*) FROM "{name}"').fetchall()[0][0])

    def _sql(self, expr: ir.Table) -> str:
        """The expression as SQL, compiled once: the same plan runs over many batches of people."""
        key = expr.op()
        if key not in self._compiled:
            self._compiled[key] = str(ibis.to_sql(expr, dialect="duckdb"))
        return self._compiled[key]

    def _run(self, sql: str) -> None:
        with _readable():
            self.connection.raw_sql(sql)

    def arrow(self, expr: ir.Table, order_by: Sequence[str]) -> pa.Table:
        """The rows in memory, in a fixed order."""
        with _readable():
            return self.batches(expr.order_by(list(order_by))).read_all()

    def count(self, expr: ir.IntegerScalar) -> int:
        """One whole number."""
        with _readable():
            return int(self.batches(expr.as_table()).read_all().column(0)[0].as_py())

    def write(self, expr: ir.Table, path: Path, order_by: Sequence[str]) -> int:
        """Write rows in a fixed order as one Parquet file, in bounded memory; returns the number of rows."""
        with _readable():
            return write_batches(path, self.batches(expr.order_by(list(order_by))))

    def batches(self, expr: ir.Table) -> pa.RecordBatchReader:
        """The rows as a stream of record batches (not by Ibis, whose own way DuckDB has deprecated)."""
        schema = expr.schema().to_pyarrow()
        with _readable():
            reader = self.connection.raw_sql(self._sql(expr)).to_arrow_reader(ROW_GROUP)
        return pa.RecordBatchReader.from_batches(schema, _cast(reader, schema))


def write_batches(path: Path, reader: pa.RecordBatchReader) -> int:
    """Write record batches as one Parquet file with fixed row groups, so that batch sizes do not show in the bytes."""
    rows = 0
    # Dictionaries pay for text only: numbers and times are written three times as fast, and smaller, without.
    texts = [f.name for f in reader.schema if pa.types.is_string(f.type)]
    with (
        whole(path) as temporary,
        pq.ParquetWriter(temporary, reader.schema, compression="zstd", use_dictionary=texts) as writer,
    ):
        for group in _regrouped(reader):
            refuse_nan(group, path)
            writer.write_table(group, row_group_size=ROW_GROUP)
            rows += group.num_rows
    return rows


def write_table(path: Path, table: pa.Table) -> int:
    """Write an in-memory table as Parquet; returns the number of rows."""
    return write_batches(path, table.to_reader())


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file into memory; a damaged one is an `UnreadableInputError`."""
    if not path.exists():
        raise MissingInputError(f"no Parquet file at {path}")
    try:
        return pq.read_table(path, columns=list(columns) if columns is not None else None)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableInputError(f"{path} is not readable Parquet: {_first_line(error)}") from None


def refuse_nan(table: pa.Table, path: Path) -> None:
    """NaN never reaches Parquet: missing is null (file statistics leave NaN out, and readers then disagree)."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_floating(column.type) and pc.any(pc.is_nan(column)).as_py():
            raise ContractError(f"column '{name}' of {path.name} holds NaN; missing values must be null")


def _cast(reader: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The batches in the types Ibis promised; what the engine cannot read shows only now."""
    with _readable():
        for batch in reader:
            yield batch.cast(schema)


def _regrouped(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in reader:
        held.append(batch)
        count += batch.num_rows
        while count >= ROW_GROUP:
            table = pa.Table.from_batches(held, reader.schema).combine_chunks()
            yield table.slice(0, ROW_GROUP)
            held, count = table.slice(ROW_GROUP).to_batches(), count - ROW_GROUP
    yield pa.Table.from_batches(held, reader.schema).combine_chunks()


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OutOfMemoryException as error:
        raise ConfigError(f"memory_gb is too little for these tables; raise it ({_first_line(error)})") from None
    except DataError as error:  # its message quotes the value, which is a person's
        raise ContractError(
            f"the engine stopped at a value that its column cannot hold ({type(error).__name__}); run `saakh check`"
        ) from None
    except DuckDBError as error:
        raise UnreadableInputError(f"the engine stopped: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
