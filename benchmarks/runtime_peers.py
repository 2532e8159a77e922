"""The runtime beside its peers, in one run, on the same rows: MLflow, optbinning and woodelf-explainer, and LightGBM.

Run `python -m benchmarks.runtime_peers` (ten minutes, one thread); `make peers` installs the last two, which run in an
environment of their own. Ours is measured anew right before each peer, so that both meet the machine in one mood.
"""

import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.runtime import INPUTS, ROWS, cpu_seconds, microseconds, model
from saakh.additive import Additive
from saakh.linear import Linear
from saakh.scorecard import Scorecard
from tests import small_scorecard as small

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "build/peers/bin/python"
HERE = Path(__file__).parent / "peers"
TREES, LEAVES, BATCH, SINGLES, SLOW, FITTED = 300, 4, 20_000, 2_000, 100, 3_000


def peer(program: str, *files: Path) -> dict[str, float]:
    """What a peer's program printed."""
    command = [str(PEERS), "-W", "ignore", str(HERE / program), *map(str, files)]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=one_thread)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def pyfunc(booster: object, x: np.ndarray, folder: Path) -> float:
    """The median microseconds that MLflow takes for one row, a table that is ready, of the trees alone."""
    import mlflow  # noqa: PLC0415 - seconds, which nothing else here needs

    names = small.names(INPUTS)
    frames = [pd.DataFrame(x[i : i + 1], columns=names) for i in range(SLOW)]
    example = pd.DataFrame(x[:50], columns=names)
    signature = mlflow.models.infer_signature(example, np.zeros(50))
    mlflow.lightgbm.save_model(booster, folder / "pyfunc", signature=signature)
    served = mlflow.pyfunc.load_model(str(folder / "pyfunc"))
    return microseconds(lambda i: served.predict(frames[i % SLOW]), SLOW)[0]


def measure(folder: Path) -> dict[str, dict[str, float]]:
    """By peer: ours, theirs, and how many times faster ours is."""
    booster, card, _ = model(TREES, LEAVES)
    x = np.clip(small.table(BATCH, INPUTS, seed=77), -8, 8)
    np.save(folder / "rows.npy", x)
    booster.save_model(folder / "model.txt")
    train = small.table(ROWS, INPUTS)
    bad = np.asarray(booster.predict(train)) > np.quantile(np.asarray(booster.predict(train)), 0.8)
    np.savez(folder / "training.npz", x=train[:FITTED], bad=bad[:FITTED].astype(int))
    found = {}
    for name, theirs in {
        "MLflow pyfunc with a signature, one row": lambda: pyfunc(booster, x, folder),
        "optbinning, score of one row": lambda: peer("optbinning_run.py", folder / "training.npz", folder / "rows.npy")[
            "p50"
        ],
    }.items():
        ours = singles(card, x)
        took = theirs()
        found[name] = {"ours, us": ours, "theirs, us": took, "times faster": took / ours}
    told = peer("woodelf_run.py", folder / "model.txt", folder / "rows.npy")
    trees = Additive(card.model.trees, Linear.none(), INPUTS)  # the peers explain these, and know no linear part
    for part, call in (("scorecard", lambda: card.explain_many(x)), ("trees alone", lambda: trees.effects_of(x))):
        ours = BATCH / cpu_seconds(call, 2)
        for name, took in (("woodelf-explainer", told["cpu"]), ("LightGBM", told["LightGBM"])):
            rows = BATCH / took
            figures = {"ours, rows/CPU s": ours, "theirs": rows, "times faster": ours / rows}
            found[f"{name}, {BATCH:,} rows, our {part}"] = figures
    return found


def singles(card: Scorecard, x: np.ndarray) -> float:
    """The median microseconds of ours: a score with all contributions and reasons, from a plain dict."""
    given = np.where(np.isnan(x[:SINGLES]), None, x[:SINGLES]).tolist()
    rows = [dict(zip(card.features, row, strict=True)) for row in given]
    return microseconds(lambda i: card.score(rows[i % SINGLES]), SINGLES)[0]


def main() -> None:
    """Print one line a peer."""
    if not PEERS.exists():
        raise SystemExit(f"no environment at {PEERS.parents[1]}; `make peers` makes it")
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="saakh-peers-") as folder:
        for name, figures in measure(Path(folder)).items():
            print(name.ljust(50), "; ".join(f"{key} {value:,.4g}" for key, value in figures.items()))


if __name__ == "__main__":
    main()
