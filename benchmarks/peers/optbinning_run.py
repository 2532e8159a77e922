"""One row scored by an optbinning scorecard: `python optbinning_run.py TRAINING.npz ROWS.npy`, as JSON.

The scorecard bins every input of the training rows and fits a logistic on them; counted is the median of `score` on a
table of one row that is ready, in microseconds.
"""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
from optbinning import BinningProcess, Scorecard
from sklearn.linear_model import LogisticRegression

TIMES = 30


def run(training: str, rows: str) -> dict[str, float]:
    """The median microseconds of one score."""
    given, x = np.load(training), np.load(rows)
    names = [f"input_{i}_30d" for i in range(x.shape[1])]
    binning = BinningProcess(names, max_n_prebins=5)
    points = {"pdo": 20, "odds": 50, "scorecard_points": 600}
    card = Scorecard(binning, LogisticRegression(max_iter=200), scaling_method="pdo_odds", scaling_method_params=points)
    card.fit(pd.DataFrame(given["x"], columns=names), given["bad"])
    singles = [pd.DataFrame(x[i : i + 1], columns=names) for i in range(TIMES)]
    card.score(singles[0])
    took = []
    for single in singles:
        before = time.perf_counter_ns()
        card.score(single)
        took.append(time.perf_counter_ns() - before)
    return {"p50": float(np.median(took)) / 1e3}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(run(sys.argv[1], sys.argv[2])))
