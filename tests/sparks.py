"""Spark for the tests: embedded, small and quick to start; where it cannot run, a reason, and in CI a failure."""

import os
from importlib.util import find_spec
from shutil import which

import pytest

from pipeline.engines import Engine
from pipeline.params import Spark

QUICK = {
    "spark.sql.adaptive.enabled": False,
    "spark.sql.codegen.wholeStage": False,
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.shuffle.partitions": 1,
}
"""Settings under which many plans over few rows take the least time: nothing is compiled, nothing planned twice."""


def need_spark() -> None:
    """Skip the test, saying why, where Spark cannot run; where CI should have installed it, fail instead."""
    missing = ["PySpark (make .venv/dev)"] if find_spec("pyspark") is None else []
    missing += [] if which("java") else ["Java 17 (Debian: apt-get install default-jre-headless)"]
    if missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"Spark needs {' and '.join(missing)}")


def spark(threads: int = 1, memory_gb: float = 2, **settings: str | bool | int | float) -> Engine:
    """An engine on Spark in this machine."""
    need_spark()
    from pipeline.engines.spark import Spark as SparkEngine

    return SparkEngine(Spark(settings=QUICK | settings), threads, memory_gb)
