"""What each family of features is worth: the pipeline's own booster on 20,000 applications, judged by true PD.

`python benchmarks/families.py 5` draws so many worlds without events (another seed each), learns on 20,000
applications, and judges on 100,000 of other people: all features, each family alone, and all but one family. Means
over the worlds, with 95 % intervals for what leaving a family out costs.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy.stats import t as student

from features.catalogue import all_features, specs_of
from models import boosting
from pipeline.judge import expected_auc
from pipeline.params import Params
from pipeline.train import as_inputs, settings_for
from pipeline.world import direct
from pipeline.world.clock import Span
from pipeline.world.knobs import BASE
from saakh.spec import FAMILIES, FeatureSpec

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
LEARNING, JUDGED = 20_000, 100_000
PEOPLE = 90_000


def main(worlds: int) -> None:
    """Print the table, and the AUC of the truth."""
    known = {spec.name: spec for spec in specs_of(all_features())}
    found = [one_world(seed, known) for seed in range(1, worlds + 1)]
    mean = {name: np.mean([f[name] for f in found]) for name in found[0]}
    print(
        f"{worlds} worlds: truth {mean['truth']:.4f}, all five families {mean['all']:.4f}, bad rate {mean['bad']:.4f}"
    )
    print("| family | alone | leaving it out costs | interval |\n|---|---|---|---|")
    for family in FAMILIES:
        costs = np.array([f["all"] - f[f"without {family}"] for f in found])
        reach = student.ppf(0.975, worlds - 1) * costs.std(ddof=1) / np.sqrt(worlds) if worlds > 1 else np.nan
        low, high = costs.mean() - reach, costs.mean() + reach
        print(f"| {family} | {mean[family]:.4f} | {costs.mean():.4f} | {low:.4f} to {high:.4f} |")


def one_world(seed: int, known: dict[str, FeatureSpec]) -> dict[str, float]:
    """Expected AUC of every choice of families in one world."""
    taken = direct.sample(1, PEOPLE, seed, BASE, Span.of(AS_OF, 480, 150))
    learn = np.arange(len(taken.pd)) < LEARNING
    last = taken.person[LEARNING - 1]
    judged = np.flatnonzero(taken.person > last)[:JUDGED]
    families = np.array(taken.families)
    choices = {"all": families != ""}
    for family in FAMILIES:
        choices |= {family: families == family, f"without {family}": families != family}
    found = {"truth": expected_auc(taken.pd[judged], taken.pd[judged]), "bad": float(taken.is_bad.mean())}
    for name, columns in choices.items():
        specs = [known[n] for n, use in zip(taken.names, columns, strict=True) if use and n in known]
        places = [list(taken.names).index(spec.name) for spec in specs]
        x, fold = taken.x[:, places], taken.person % 5
        settings = settings_for(Params(as_of=AS_OF, workspace=Path(), seed=seed), LEARNING, len(specs))
        fitted = boosting.fit(x[learn], taken.is_bad[learn], fold[learn], as_inputs(specs), settings, 2)
        found[name] = expected_auc(boosting.log_odds(fitted.text, x[judged], 2), taken.pd[judged])
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
