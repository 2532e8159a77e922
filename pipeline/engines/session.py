"""Spark's session: one for the whole process, shared by the stages of a run; local unless a cluster is named."""

import atexit
import os
import sys
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any

from saakh.errors import ConfigError

with warnings.catch_warnings():  # pandas, which PySpark warns about, is used neither by us nor by what we ask of it
    warnings.simplefilter("ignore", FutureWarning)
    import ibis.backends.pyspark  # noqa: F401 - loads what the dialect's compiler needs
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

LOGGING = Path(__file__).with_name("log4j2.properties")
JAVA = "spark.driver.extraJavaOptions"
ALWAYS = {
    "spark.sql.ansi.enabled": "true",  # a sum too large for its column stops the run; it must not wrap around
    "spark.sql.session.timeZone": "UTC",
}
"""What results depend on, whatever the cluster's own defaults say."""


@dataclass(frozen=True)
class Wanted:
    """What a session must be like; two that are alike share one."""

    master: str | None
    threads: int
    memory_gb: float
    settings: tuple[tuple[str, str], ...]

    @property
    def is_local(self) -> bool:
        """Whether Spark runs inside a process of its own on this machine, all of it."""
        return (self.master or "local").startswith("local") and "PYSPARK_GATEWAY_PORT" not in os.environ


@dataclass
class _Held:
    wanted: Wanted
    session: SparkSession
    spill: tempfile.TemporaryDirectory[str]


_held: _Held | None = None


def session(wanted: Wanted) -> SparkSession:
    """The process's session, started anew only when another kind is wanted."""
    global _held  # noqa: PLW0603 - Spark allows one to a process
    if _held is not None and _held.wanted == wanted:
        return _held.session
    stop()
    spill = tempfile.TemporaryDirectory(prefix="saakh-spark-")
    _held = _Held(wanted, _started(wanted, spill.name), spill)
    return _held.session


def stop() -> None:
    """Stop the session and remove what it spilled."""
    global _held  # noqa: PLW0603
    if _held is not None:
        _held.session.stop()
        _held.spill.cleanup()
        _held = None


atexit.register(stop)


def _started(wanted: Wanted, spill: str) -> SparkSession:
    if wanted.is_local and not (which("java") or os.environ.get("JAVA_HOME")):
        raise ConfigError("`engine: spark` needs Java 17 or later on this machine; install a JRE, or set JAVA_HOME")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder: Any = SparkSession.builder.appName("saakh")
    if wanted.master or wanted.is_local:
        builder = builder.master(wanted.master or f"local[{wanted.threads}]")
    told = _merged(_local(wanted, spill) if wanted.is_local else {}, dict(wanted.settings)) | ALWAYS
    for name, value in told.items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except (PySparkRuntimeError, OSError) as error:
        raise ConfigError(f"Spark does not start: {str(error).splitlines()[0]}; see docs/spark.md") from None


def _merged(ours: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, str]:
    """Settings with those of the parameters on top; options for Java add up."""
    options = [said[JAVA] for said in (ours, theirs) if JAVA in said]
    return {**ours, **theirs} | ({JAVA: " ".join(options)} if options else {})


def _local(wanted: Wanted, spill: str) -> Mapping[str, str]:
    """A session embedded in this machine: no address but its own, no web page, small shuffles, quiet."""
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    return {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": f"{int(wanted.memory_gb * 1024)}m",
        "spark.driver.maxResultSize": "0",
        # Plans are many and rows few: what Java's second compiler takes, it never gives back.
        JAVA: f"-Dlog4j2.configurationFile={LOGGING.as_uri()} -XX:TieredStopAtLevel=1",
        "spark.local.dir": spill,
        "spark.sql.warehouse.dir": str(Path(spill) / "warehouse"),
        "spark.sql.shuffle.partitions": str(2 * wanted.threads),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
