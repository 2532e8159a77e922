"""What learning costs beside the same LightGBM fits called bare, in seconds of the processor.

`python -m benchmarks.training params.yaml 3` reads a workspace that has been derived and labelled, and does both in
turn, so many times; the least of each counts. Bare: for each shard `lightgbm.train` on all its rows and on those
outside each fold, from arrays, with the default model's parameters and nothing else. Learning: choosing columns, these
fits, their scores out of fold, the linear part, the blend, the calibration, and scores of both sides.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import lightgbm as lgb
import numpy as np

from models.boosting import parameters_of
from pipeline.params import read_params
from pipeline.sample import read_sample, read_specs
from pipeline.train import Prepared, learn, prepared
from pipeline.workspace import Workspace


def main(path: Path, times: int) -> None:
    """Print the seconds of both and what one costs in terms of the other."""
    params = read_params(path).model_copy(update={"threads": 1})
    ws = Workspace(params.workspace)
    specs = read_specs(ws)
    sample = read_sample(ws, specs)
    ready = prepared(params, specs, sample)
    found = [(seconds(lambda: bare(ready)), seconds(lambda: learn(params, specs, sample))) for _ in range(times)]
    fits, whole = np.array(found).min(axis=0)
    print(f"{len(ready.rows.bad):,} loans, {len(ready.kept)} columns, {ready.shards} shards, {times} times")
    print(f"bare fits {fits:.1f} s, learning {whole:.1f} s: {whole / fits:.2f} times", flush=True)


def bare(ready: Prepared) -> None:
    """The fits alone: every shard on all its rows, and without each fold."""
    rows = ready.rows
    for shard in np.unique(rows.shard):
        here = rows.shard == shard
        parameters = parameters_of(ready.inputs, ready.settings, float(rows.bad[here].mean()))
        for out in (None, *np.unique(rows.fold)):
            some = here if out is None else here & (rows.fold != out)
            data = lgb.Dataset(rows.x[some], rows.bad[some].astype(float), params=parameters)
            lgb.train(parameters, data, ready.settings.rounds_max)


def seconds(work: Callable[[], object]) -> float:
    """Of the processor, of all threads."""
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else 3)
