"""What every test starts from: no test may depend on the machine's clock, zone or other work; claims are gathered."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ["TZ"] = "UTC"
time.tzset()
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before LightGBM, which a test may import before the models
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

CLAIMS: list[tuple[str, str, str]] = []
PROOF = Path(__file__).parents[1] / "build" / "prove.md"

Claim = Callable[[str, str, object], None]


MADE_ONCE = ("small_run", "explained")
"""What takes long to make and many files look at."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep on one worker the tests that look at the same run, or else those of a file: it is made once then."""
    for item in items:
        asked = getattr(item, "fixturenames", ())
        item.add_marker(
            pytest.mark.xdist_group(next((name for name in MADE_ONCE if name in asked), item.nodeid.split("::")[0]))
        )


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
