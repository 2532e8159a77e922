"""How well figures of everybody who applied are estimated where outcomes are known of granted loans alone.

`python -m benchmarks.rejects 10` draws so many `rejects` worlds without events (35 % declined by a rule, 3 % of those
granted at random), learns a logistic regression on 10,000 granted loans of each, and judges it on 40,000 applications
of other people: AUC and bad rate of the granted, by inverse propensity, and by expectation, against the truth.
"""

import sys

import numpy as np

from benchmarks.families import SPAN
from benchmarks.model import APPLICATIONS_A_PERSON, logistic
from features.catalogue import all_features, specs_of
from models.rejects import FIGURES, Door, among_granted, bounds, by_expectation, by_inverse_propensity
from pipeline.judge import expected_auc
from pipeline.train import as_inputs
from pipeline.world import direct
from pipeline.world.knobs import world

LEARNED, JUDGED = 10_000, 40_000
PENALTY = 300.0
METHODS = {"granted": among_granted, "inverse propensity": by_inverse_propensity, "expectation": by_expectation}
INSIDE = "inside the bounds"


def main(worlds: int) -> None:
    """Print each world's errors, then the mean absolute error and the bias of each method."""
    specs = {spec.name: spec for spec in specs_of(all_features())}
    errors = []
    for seed in range(1, worlds + 1):
        errors.append(one(seed, specs))
        print(seed, {name: round(error, 4) for name, error in errors[-1].items()}, flush=True)
    for name in errors[0]:
        found = np.array([error[name] for error in errors])
        print(f"{name}: mean absolute {np.abs(found).mean():.4f}, bias {found.mean():+.4f}")


def one(seed: int, specs: dict) -> dict[str, float]:
    """The errors in one world, against what would have been found had all been granted."""
    taken = direct.sample(1, int((2 * LEARNED + JUDGED) / APPLICATIONS_A_PERSON), seed, world("rejects"), SPAN)
    inputs = as_inputs([specs[name] for name in taken.names])
    last = taken.person[np.flatnonzero(taken.is_granted)[LEARNED]]
    learned = taken.is_granted & (taken.person < last)
    judged = np.flatnonzero(taken.person > last)[:JUDGED]
    score = logistic(taken.x[learned], taken.is_bad[learned], inputs, PENALTY)(taken.x[judged])
    door = Door(score, taken.is_bad[judged], taken.is_granted[judged], taken.propensity[judged], taken.person[judged])
    ended = taken.is_bad[judged].astype(float)
    truth = {"auc": expected_auc(score, ended), "bad_rate": float(ended.mean())}
    found = {name: method(door, 0.95, 2, seed) for name, method in METHODS.items()}
    ends = bounds(door)
    return {f"{f}, {name}": told[f].value - truth[f] for f in FIGURES for name, told in found.items()} | {
        f"{f}, {INSIDE}": float(ends[f][0] <= truth[f] <= ends[f][1]) for f in FIGURES
    }


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 10)
