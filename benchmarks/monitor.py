"""How often monitoring alarms for nothing, and how soon it finds a drift: on worlds without events.

`python -m benchmarks.monitor 17 20` takes 17 `base` worlds and 20 `drift` worlds of 30,000 people. In each a scorecard
is made half a year before the end by the stages train, evaluate and export; then a report is made every thirty days:
six a `base` world, and of a `drift` world, which begins to drift that day, two. How its behaviour moves features was
measured where there are events (`benchmarks.drift_shown`); with `repayments` as a third word risk alone moves, as if no
feature showed it, and the drift can be seen in repayments alone.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

from scipy.stats import beta

from benchmarks.monitor_worlds import END, month_after, params_at, world, write
from pipeline import evaluate, export, train
from pipeline.decide import scorecard_path
from pipeline.monitor import compare
from pipeline.monitor.sides import read_sides
from pipeline.params import Params
from pipeline.workspace import Workspace
from pipeline.world.knobs import WORLDS
from saakh import load

PEOPLE = 30_000
BEGINS = month_after(END, -6)
BASE_MONTHS, DRIFT_MONTHS = (1, 2, 3, 4, 5, 6), (1, 2)
FAST = {"rounds_max": 150, "learning_rate": 0.1, "folds": 3}


def main(base: int, drift: int, *, behaves: bool = True) -> None:
    """Print a line a world, then both rates with exact 95 % intervals."""
    alarmed = [bool(report["alarms"]) for _, reports in each("base", base, BASE_MONTHS, behaves) for report in reports]
    found = [any(report["alarms"] for report in reports) for _, reports in each("drift", drift, DRIFT_MONTHS, behaves)]
    for what, flags in (("base: reports that alarm", alarmed), ("drift: found within two months", found)):
        if flags:
            low, high = interval(sum(flags), len(flags))
            print(f"{what}: {sum(flags)} of {len(flags)}, {sum(flags) / len(flags):.1%} ({low:.1%} to {high:.1%})")


def each(name: str, worlds: int, months: Iterable[int], behaves: bool) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """The reports of so many worlds, one after the other."""
    for seed in range(1, worlds + 1):
        with TemporaryDirectory(prefix="saakh-monitor-") as folder:
            reports = one_world(name, seed, months, Path(folder), behaves=behaves)
        areas = [dict(Counter(alarm["area"] for alarm in report["alarms"])) for report in reports]
        print(f"{name} {seed}: {[report['severity'] for report in reports]} {[a for a in areas if a]}", flush=True)
        yield seed, reports


def one_world(
    name: str, seed: int, months: Iterable[int], folder: Path, people: int = PEOPLE, *, behaves: bool = True
) -> list[dict[str, Any]]:
    """The reports of one world."""
    told = world(people, seed, WORLDS[name], behaves=behaves)
    params = params_at(folder / "reference", BEGINS, seed, train=FAST)
    ws = Workspace(params.workspace)
    write(told, params)
    shared = Path(gettempdir()) / f"saakh-monitor-runs-{os.getpid()}"
    shared.mkdir(exist_ok=True)
    (ws.root / "mlflow").symlink_to(shared)  # making a log of runs anew takes longer than all the rest
    for stage in (train, evaluate, export):
        stage.run(params, ws)
    card, reports = load(scorecard_path(params, ws)), []
    for month in months:
        batch: Params = params_at(folder / f"batch-{month}", month_after(BEGINS, month), seed)
        write(told, batch, since=BEGINS - timedelta(days=params.label.performance_window_days), purpose="score")
        sides = read_sides(params, ws, Workspace(batch.workspace), card, batch.as_of)
        reports.append(compare(params, sides, card))
    return reports


def interval(count: int, of: int) -> tuple[float, float]:
    """The exact interval of a share (Clopper and Pearson 1934)."""
    low = float(beta.ppf(0.025, count, of - count + 1)) if count else 0.0
    return low, float(beta.ppf(0.975, count + 1, of - count)) if count < of else 1.0


if __name__ == "__main__":
    asked = [int(number) for number in sys.argv[1:3]] or [17, 20]
    main(*asked, behaves="repayments" not in sys.argv[3:])
