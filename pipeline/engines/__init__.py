"""The engine room: the only package that names a database. Ibis expressions in, deterministic Parquet out.

`open_engine(params)` is how a stage comes by its engine: DuckDB in this process, or Spark. `Embedded` is DuckDB by
name, for the stages that run beside the raw drops whatever the engine.
"""

from collections.abc import Callable

from pipeline.engines.base import Engine
from pipeline.engines.embedded import Embedded
from pipeline.engines.parquet import ROW_GROUP, column_names, read_table, refuse_nan, write_batches, write_table
from pipeline.params import Params
from saakh.errors import ConfigError

__all__ = [
    "ROW_GROUP",
    "Embedded",
    "Engine",
    "column_names",
    "open_engine",
    "read_table",
    "refuse_nan",
    "write_batches",
    "write_table",
]


def open_engine(params: Params) -> Engine:
    """The engine that the parameters name; Spark is imported only when it is wanted."""
    if params.engine == "spark":
        return _spark()(params.spark, params.threads, params.memory_gb)
    return Embedded(params.threads, params.memory_gb)


def _spark() -> Callable[..., Engine]:
    try:
        from pipeline.engines.spark import Spark  # noqa: PLC0415 - an extra, and a second to import
    except ImportError as error:
        if (error.name or "").split(".")[0] not in {"pyspark", "py4j"}:
            raise
        raise ConfigError("`engine: spark` needs PySpark; docs/spark.md says how to install it") from None
    return Spark
