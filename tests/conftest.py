"""What every test starts from: no test may depend on the machine's clock, zone or other work; claims are gathered."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pipeline.engines import Engine

os.environ["TZ"] = "UTC"
time.tzset()
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before LightGBM, which a test may import before the models
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

CLAIMS: list[tuple[str, str, str]] = []
PROOF = Path(__file__).parents[1] / "build" / "prove.md"

Claim = Callable[[str, str, object], None]


MADE_ONCE = {
    "small_run": ("applicant", "line", "notebooks", "spark", "spark_cluster"),
    "explained": ("explain_applicants", "explain_cohorts", "explain_pages"),
}
"""What takes long to make, and the functional tests that look at it."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Keep a file on one worker, and with it the others that look at the same run: it is made once then."""
    from xdist.scheduler import LoadFileScheduling

    class ByRun(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            name = Path(file).stem.removeprefix("test_")
            runs = (run for run, names in MADE_ONCE.items() if "functional" in file and name in names)
            return next(runs, file)

    return ByRun(config, log)


@pytest.fixture(scope="session")
def claim() -> Claim:
    """Records a measured claim: what, its target, the figure. `make prove` gathers them into one table."""

    def record(what: str, target: str, figure: object) -> None:
        CLAIMS.append((what, target, str(figure)))

    return record


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured; at full size, write it too."""
    if not CLAIMS:
        return
    widths = [max(len(row[i]) for row in CLAIMS) for i in range(3)]
    terminalreporter.section("measured")
    for row in CLAIMS:
        terminalreporter.write_line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    if os.environ.get("SAAKH_FULL"):
        lines = ["| claim | target | measured |", "|---|---|---|", *("| " + " | ".join(row) + " |" for row in CLAIMS)]
        PROOF.parent.mkdir(exist_ok=True)
        PROOF.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def engine() -> Iterator["Engine"]:
    """An engine whose rows are near: features are measured in memory."""
    from pipeline.engines import Embedded

    with closing(Embedded(threads=1, memory_gb=1)) as held:
        yield held


@pytest.fixture(scope="module")
def on_engine() -> Iterator["Engine"]:
    """An engine from which rows are never brought: it measures by its own queries."""
    from pipeline.engines import Embedded

    with closing(Embedded(threads=1, memory_gb=1)) as held:
        held.is_near = False
        yield held
