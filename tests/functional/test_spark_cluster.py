"""A cluster for real: a master, a worker and its executors are processes of their own, without our code."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import pytest

from features.catalogue import all_features
from pipeline import derive
from pipeline.engines import read_table
from tests.conftest import Claim
from tests.functional.conftest import Run
from tests.functional.test_spark import CLOSE, Copy, apart, of, on_spark
from tests.sparks import need_spark

pytestmark = pytest.mark.skipif(
    not os.environ.get("SAAKH_FULL"), reason="three more JVMs: make prove (SAAKH_FULL=1) runs it"
)
TABLE = "topups"
SETTINGS = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.executor.memory": "512m",
    "spark.executor.cores": 1,
    "spark.sql.shuffle.partitions": 2,
    "spark.ui.enabled": False,
}


def launched(stack: ExitStack, folder: Path, kind: str, *arguments: str) -> Path:
    """Start a daemon of Spark's, ended with the stack; returns its log."""
    spec = find_spec("pyspark")
    assert spec is not None
    home = Path((spec.submodule_search_locations or [""])[0])
    log = folder / f"{kind}.log"
    command = [str(home / "bin/spark-class"), f"org.apache.spark.deploy.{kind}.{kind.title()}", "--host", "127.0.0.1"]
    told = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_WORKER_DIR": str(folder), "SPARK_HOME": str(home)}
    out = stack.enter_context(log.open("w"))
    command += ["--webui-port", "0", *arguments]
    process = subprocess.Popen(command, env=os.environ | told, stdout=out, stderr=out)
    stack.callback(process.wait, 60)
    stack.callback(process.terminate)
    return log


def said(log: Path, pattern: str, seconds: float = 90) -> str:
    """What a daemon's log says, once it says so."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := re.search(pattern, log.read_text()):
            return found.group(1)
        time.sleep(0.2)
    raise AssertionError(log.read_text()[-2_000:])


@pytest.fixture
def master(tmp_path: Path) -> Iterator[str]:
    """The address of a cluster of one worker."""
    need_spark()
    with ExitStack() as stack:
        address = said(launched(stack, tmp_path, "master", "--port", "0"), r"Starting Spark master at (spark://\S+)")
        worker = launched(stack, tmp_path, "worker", "--cores", "1", "--memory", "1g", address)
        said(worker, r"(Successfully registered)")
        yield address
        from pipeline.engines import session

        session.stop()  # before its master goes


@pytest.mark.timeout(1_200)
def test_a_cluster_gives_the_columns_that_duckdb_gives(
    small_run: Run, tmp_path: Path, master: str, claim: Claim
) -> None:
    copy = on_spark(small_run, tmp_path / "work", master=master, settings=SETTINGS)
    others = tuple(dict.fromkeys(f.table.name for f in all_features() if f.table.name != TABLE))
    only = copy.params.derive.model_copy(update={"leave_out": others})
    copy = Copy(copy.params.model_copy(update={"derive": only}), copy.ws)
    derive.run(copy.params, copy.ws)
    found = read_table(copy.file("derive/features.parquet"))
    far = apart(of(read_table(small_run.ws.root / "derive/features.parquet"), found), found)
    claim(f"largest difference between DuckDB and a cluster, {len(far)} columns", "1e-9", f"{max(far.values()):.1e}")
    assert max(far.values()) <= CLOSE
