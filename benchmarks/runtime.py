"""How fast one applicant, and many, are scored and explained: the runtime beside LightGBM, on the same rows.

Run `python benchmarks/runtime.py` (two minutes, one thread). Models are grown on made-up numbers: what counts for speed
is how many trees, leaves and inputs there are.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import lightgbm as lgb
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from models.model_text import with_rest
from models.plain import linear_effects
from pipeline.export import build
from saakh import archive
from saakh.linear import Linear
from saakh.scale import Calibration
from saakh.scorecard import Scorecard
from tests import small_scorecard as small

INPUTS, ROWS, SINGLES, BATCH = 300, 6_000, 2_000, 5_000
SIZES = ((600, 4), (200, 8), (600, 8))


def microseconds(call: Callable[[int], object], times: int) -> tuple[float, float]:
    """The median and the 99th percentile of so many calls, after a warm-up."""
    for i in range(50):
        call(i)
    took = np.empty(times)
    for i in range(times):
        start = time.perf_counter_ns()
        call(i)
        took[i] = time.perf_counter_ns() - start
    return float(np.median(took)) / 1e3, float(np.quantile(took, 0.99)) / 1e3


def cpu_seconds(call: Callable[[], object], times: int = 3) -> float:
    """The least processor time of a few calls."""
    took = []
    for _ in range(times):
        start = time.process_time()
        call()
        took.append(time.process_time() - start)
    return min(took)


def model(trees: int, leaves: int) -> tuple[lgb.Booster, Scorecard, bytes]:
    """A booster of that size and its scorecard."""
    x = small.table(ROWS, INPUTS)
    grown = small.booster(x, trees, num_leaves=leaves, num_threads=2, max_bin=63, feature_fraction=0.3)
    numbers = {"center": 0.1, "scale": 1.5, "coefficient": 0.02, "mean": 0.0}
    arrays = {name: np.full(INPUTS, number) for name, number in numbers.items()}
    linear = Linear.of(INPUTS, 0.0, feature=np.arange(INPUTS), **arrays)
    bundle = small.bundle(with_rest(grown.model_to_string(), linear, Calibration()), INPUTS)
    specs = [spec | {"reason": f"Reason {i // 3}"} for i, spec in enumerate(bundle.specs)]
    raw = build(replace(bundle, specs=specs))
    return grown, Scorecard.from_members(archive.unpack(raw)), raw


def load_milliseconds(raw: bytes) -> float:
    """Importing the runtime and loading a scorecard, in a fresh process that has imported numpy."""
    program = (
        "import sys, time, numpy\n"
        "start = time.perf_counter()\n"
        "import saakh; saakh.load(sys.argv[1])\n"
        "print((time.perf_counter() - start) * 1e3)"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scorecard.saakh"
        path.write_bytes(raw)
        command = [sys.executable, "-c", program, str(path)]
        root = Path(__file__).parents[1]
        runs = [subprocess.run(command, capture_output=True, check=True, cwd=root).stdout for _ in range(7)]
    return min(map(float, runs))


def measure(trees: int, leaves: int) -> dict[str, float]:
    """All figures of one size of model."""
    booster, card, raw = model(trees, leaves)
    x = np.clip(small.table(BATCH, INPUTS, seed=77), -8, 8)
    rows = [
        dict(zip(card.features, r, strict=True)) for r in np.where(np.isnan(x[:SINGLES]), None, x[:SINGLES]).tolist()
    ]
    singles = [np.ascontiguousarray(x[i : i + 1]) for i in range(SINGLES)]

    def theirs(i: int) -> None:
        row = singles[i % SINGLES]
        booster.predict(row, raw_score=True, num_threads=1)
        booster.predict(row, pred_contrib=True, num_threads=1)

    p50, p99 = microseconds(lambda i: card.score(rows[i % SINGLES]), SINGLES)
    their_p50, _ = microseconds(theirs, SINGLES // 4)
    ours = BATCH / cpu_seconds(lambda: card.explain_many(x))
    lightgbms = BATCH / cpu_seconds(lambda: booster.predict(x, pred_contrib=True, num_threads=1), 2)
    straight = linear_effects(card.model.linear, x, np.zeros(x.shape, bool)).sum(axis=1)
    difference = np.abs(card.score_many(x).log_odds - booster.predict(x, raw_score=True) - straight).max()
    refused = card.categories[:1]
    withheld_p50, _ = microseconds(lambda i: card.score(rows[i % SINGLES], refused), SINGLES)
    return {
        "score + explanation from a dict, p50 us": p50,
        "p99 us": p99,
        "the same, one category refused, p50 us": withheld_p50,
        "LightGBM predict + contributions, numpy row, p50 us": their_p50,
        "times faster": their_p50 / p50,
        "batch of 5,000: contributions, rows per CPU-second": ours,
        "LightGBM contributions, rows per CPU-second": lightgbms,
        "times faster, batch": ours / lightgbms,
        "import saakh + load beyond numpy, ms": load_milliseconds(raw),
        "scorecard, KiB": len(raw) / 1024,
        "largest difference in log-odds": float(difference),
    }


def main() -> None:
    """Print the figures as a table, and as JSON when asked with --json."""
    found = {f"{trees} trees, {leaves} leaves": measure(trees, leaves) for trees, leaves in SIZES}
    if "--json" in sys.argv:
        print(json.dumps(found, indent=1))
        return
    print(f"{INPUTS} inputs; one thread".ljust(60), *(name.rjust(20) for name in found))
    for figure in next(iter(found.values())):
        print(figure.ljust(60), *(f"{figures[figure]:,.4g}".rjust(20) for figures in found.values()))


if __name__ == "__main__":
    main()
