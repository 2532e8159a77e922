"""How often 95 % intervals hold the truth: `python -m benchmarks.intervals 1000`.

Learns a logistic regression once, then draws so many `base` worlds without events. In each, 2,000 applications tell
figures with intervals as `saakh evaluate` gives them, and 10,000 other people of the same world tell the truth: the AUC
and the ratio of bad loans to expected ones by true default probabilities, and the mean loss. That the truth is known
only so well widens what has to be covered by a few hundredths, so what is printed errs to the low side.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import numpy as np
from rich.progress import track
from scipy.special import expit
from scipy.stats import beta

from benchmarks.families import SPAN
from benchmarks.model import APPLICATIONS_A_PERSON, OTHER_WORLD, PLAIN_PENALTY, logistic
from features.catalogue import all_features, specs_of
from models.metrics import measured
from pipeline.judge import expected_auc
from pipeline.train import as_inputs
from pipeline.world import direct
from pipeline.world.knobs import BASE

LEARNED, TOLD, PEOPLE = 10_000, 2_000, 10_000
RESAMPLES = 400
FIRST_SEED = 2_000


def main(worlds: int) -> None:
    """Print for each figure how often its interval held the truth, with a 95 % interval of that share."""
    with ProcessPoolExecutor(2) as pool:
        seeds = range(FIRST_SEED, FIRST_SEED + worlds)
        found = list(track(pool.map(one, seeds, chunksize=5), "worlds", worlds))
    for name in found[0]:
        held = sum(world[name] for world in found)
        low, high = beta.ppf((0.025, 0.975), (held, held + 1), (worlds - held + 1, worlds - held))
        ends = f"{low if held else 0:.1%} to {high if held < worlds else 1:.1%}"
        print(f"{name}: {held} of {worlds} held, {held / worlds:.1%} ({ends})")


def one(seed: int) -> dict[str, bool]:
    """Which intervals of one world hold the truth."""
    told = int(TOLD / APPLICATIONS_A_PERSON)
    taken = direct.sample(1, told + PEOPLE, seed, BASE, SPAN)
    said = score()(taken.x)
    here = taken.person <= told
    figures = measured(
        said[here], taken.is_bad[here], taken.person[here], confidence=0.95, resamples=RESAMPLES, seed=seed
    )
    pd, other = taken.pd[~here], said[~here]
    truth = {
        "auc": expected_auc(other, pd),
        "observed_expected": pd.sum() / expit(other).sum(),
        "brier": (pd * (1 - expit(other)) ** 2 + (1 - pd) * expit(other) ** 2).mean(),
        "log_loss": (pd * np.logaddexp(0, -other) + (1 - pd) * np.logaddexp(0, other)).mean(),
    }
    return {name: bool((figures[name].low or 0) <= value <= (figures[name].high or 0)) for name, value in truth.items()}


@cache
def score():
    """A logistic regression learned on another world, the same for all."""
    specs = {spec.name: spec for spec in specs_of(all_features())}
    taken = direct.sample(1, int(LEARNED / APPLICATIONS_A_PERSON), OTHER_WORLD, BASE, SPAN)
    return logistic(taken.x, taken.is_bad, as_inputs([specs[name] for name in taken.names]), PLAIN_PENALTY)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 1_000)
