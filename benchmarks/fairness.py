"""Is there a fairer model as accurate, in a world that shows one group as worse than it is.

`python -m benchmarks.fairness 200 12000` draws so many loans of one `biased` world without events, learns so many
candidates, and prints the frontier; then what the fairest that is as accurate does out of fold and on later loans.
"""

import sys

import numpy as np

from benchmarks.membership import world
from benchmarks.minimality import SPAN
from pipeline.fairness.groups import Grouping
from pipeline.fairness.measured import Scores, measured
from pipeline.fairness.search import search
from pipeline.params import Params
from pipeline.train import learn
from pipeline.world.knobs import world as knobs_of
from pipeline.world.part import Part, drawn


def main(candidates: int, loans: int) -> None:
    """Print the groups, the frontier and the end of the search."""
    specs, sample = world(loans, 1, "biased")
    told = drawn(Part(0, 1, int(sample.person.max()), 1, knobs_of("biased"), SPAN)).people
    by = [Grouping("gender", ("male", "female"), told.is_female[sample.person - 1].astype(np.int64))]
    asked = {"policy": "explicit-consent", "as_of": "2026-06-01T00:00:00Z", "seed": 1, "threads": 1}
    params = Params.model_validate(asked | {"fairness": {"candidates": candidates}})
    learned = learn(params, specs, sample)
    dev, later = learned.split.development, learned.split.out_of_time | learned.split.known_person
    fold = np.zeros(len(dev), dtype=np.int64)
    fold[dev] = learned.fold
    scores = Scores(learned.log_odds, fold, dev, later)
    print(f"{len(dev):,} loans, {dev.sum():,} to learn from, {len(specs)} columns, bad rate {sample.bad.mean():.3f}")
    for group in measured(params, sample, scores, by)[0]["attributes"][0]["groups"]:
        ratios = ", ".join(f"{at['impact_ratio']['value']:.2f}" for at in group["at"])
        print(f"{group['group']}: observed/expected {group['observed_expected']['value']:.2f}, impact ratios {ratios}")
    found = search(params, specs, sample, scores, by)
    print("| model | AUC out of fold | lost | disparity |\n|---|---|---|---|")
    for row in [found["as_trained"], *found["frontier"]]:
        print(f"| {row['what']} | {row['auc']:.4f} | {row['loss']:.4f} | {row['disparity']:.3f} |")
    print(f"alternative among {found['candidates']}: {found['alternative']}")
    for side, says in (found["best"] or {"sides": {}})["sides"].items():
        print(side, {name: [None if v is None else round(v, 4) for v in each.values()] for name, each in says.items()})


if __name__ == "__main__":
    main(*([int(a) for a in sys.argv[1:3]] or [200, 12_000]))
