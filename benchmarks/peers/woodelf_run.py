"""Contributions of many rows by woodelf-explainer: `python woodelf_run.py MODEL.txt ROWS.npy`, as JSON.

Counted are the processor seconds of the explaining alone, the better of two runs; beside them LightGBM's own, and the
largest difference between the two.
"""

import json
import sys
import time

import lightgbm as lgb
import numpy as np
import pandas as pd
from woodelf import WoodelfExplainer


def run(model: str, rows: str) -> dict[str, float]:
    """Processor seconds of both, and how far apart they are."""
    booster, x = lgb.Booster(model_file=model), np.load(rows)
    frame = pd.DataFrame(x, columns=booster.feature_name())
    explainer, took = WoodelfExplainer(booster), []
    for _ in range(2):
        before = time.process_time()
        said = explainer.shap_values(frame, verbose=False)
        took.append(time.process_time() - before)
    before = time.process_time()
    known = booster.predict(x, pred_contrib=True, num_threads=1)
    own = time.process_time() - before
    difference = np.abs(np.asarray(said) - np.asarray(known)[:, :-1]).max()
    return {"cpu": min(took), "LightGBM": own, "rows": len(x), "difference": float(difference)}


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], sys.argv[2])))
