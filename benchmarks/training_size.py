"""How much learning takes of many loans: seconds, and the most memory, on made-up numbers.

`python -m benchmarks.training_size 1000000 600` learns the default model from so many loans on so many columns. Who is
bad follows a logistic on six of twenty hidden numbers; each column tells of one. Of each category of consent three in a
hundred are refused. The table is there before learning begins, and its memory is told apart.
"""

import resource
import sys
import time

import numpy as np
import pyarrow as pa
from scipy.special import expit

from features.catalogue import all_features, specs_of
from models.refusals import Refusals, keys
from pipeline.params import Params
from pipeline.sample import Sample
from pipeline.train import learn
from saakh.spec import FeatureSpec

HIDDEN, TELLING, PULL, USUAL, REFUSED, LOANS_A_PERSON = 20, 6, 0.35, -2.3, 0.03, 1.7
YEAR_S = 365 * 86_400


def main(loans: int, columns: int) -> None:
    """Print what learning took."""
    specs = [s for s in specs_of(all_features()) if s.sensitivity != "protected"][:columns]
    sample = drawn(loans, specs)
    asked = {"policy": "explicit-consent", "as_of": "2026-06-01T00:00:00Z", "seed": 1, "threads": 2}
    params = Params.model_validate(asked | {"train": {"inputs_max": columns}})
    before, cpu, began = peak_gb(), time.process_time(), time.perf_counter()
    learned = learn(params, specs, sample)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - began
    print(f"{loans:,} loans on {columns} columns, {sample.x.nbytes / 1e9:.1f} GB; {sample.bad.mean():.1%} bad")
    print(f"{learned.split.development.sum():,} to learn from, {len(learned.inputs.names)} columns kept")
    print(f"{learned.shards} shards of {learned.settings.rounds_max} rounds at most, {learned.fitted.choices}")
    print(f"{wall:.0f} s, {cpu:.0f} of the processor; at most {peak_gb():.1f} GB, {before:.1f} before", flush=True)


def drawn(loans: int, specs: list[FeatureSpec]) -> Sample:
    """So many loans of made-up numbers."""
    rng = np.random.default_rng(1)
    hidden = rng.normal(size=(loans, HIDDEN)).astype(np.float32)
    x = np.empty((loans, len(specs)))
    for j in range(len(specs)):
        x[:, j] = rng.normal(size=loans) + hidden[:, j % HIDDEN] / 3
    bad = rng.random(loans) < expit(PULL * hidden[:, :TELLING].sum(axis=1) + USUAL)
    categories = sorted({s.category for s in specs})
    category = np.array([categories.index(s.category) for s in specs])
    refused = rng.random((loans, len(categories))) < REFUSED
    for number in range(len(categories)):
        x[np.ix_(refused[:, number], category == number)] = np.nan
    person = np.unique(rng.integers(0, int(loans / LOANS_A_PERSON), loans), return_inverse=True)[1]
    applied = np.datetime64("2025-01-01", "us") + np.sort(rng.integers(0, YEAR_S, loans)).astype("timedelta64[s]")
    return Sample(
        application=pa.array([f"{i:032x}" for i in range(loans)]),
        person=person,
        applied=applied,
        bad=bad,
        x=x,
        indeterminate=0,
        key=keys([f"{p:032x}" for p in range(person.max() + 1)], "shard")[person],
        refusals=Refusals(refused, category),
    )


def peak_gb() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:3] or (1_000_000, 600)))
