"""What a recommended consent request really loses, where the true default probabilities are known.

`python -m benchmarks.minimality 4` draws so many worlds without events (another seed each), searches for the smallest
request on some 9,300 development loans, and judges it on about 45,000 loans of other people by true PD: once going by
the figure alone, once with one standard error of it. Both by the quick learner, whose losses the search goes by.
"""

import sys
from datetime import UTC, datetime

import numpy as np

from features.catalogue import all_features, specs_of
from pipeline.judge import expected_auc
from pipeline.minimise.choice import Search, ladder, representatives, search
from pipeline.minimise.privacy import burden
from pipeline.minimise.quick import slopes
from pipeline.minimise.ranks import levels
from pipeline.minimise.study import Study
from pipeline.params import Params
from pipeline.summary import quiet
from pipeline.world import direct
from pipeline.world.clock import Span
from pipeline.world.knobs import BASE

SPAN = Span.of(datetime(2026, 6, 1, tzinfo=UTC), 480, 150)
PEOPLE, OTHERS, REPEATS = 6_200, 30_000, 5
LOSS_MAX = 0.005
ERRORS = (0.0, 1.0)


def main(worlds: int) -> None:
    """Print a line a world and rule, then what each rule loses on average and how often too much."""
    lost: dict[float, list[float]] = {errors: [] for errors in ERRORS}
    print("| seed | standard errors | burden | estimated loss | its error | true loss |\n|---|---|---|---|---|---|")
    for seed in range(1, worlds + 1):
        told, truth = one_world(seed)
        for errors in ERRORS:
            k = ladder(told, LOSS_MAX, errors)[0]
            lost[errors].append(float(truth[k]))
            said = f"{told.loss[k]:.4f} | {told.error[k]:.4f} | {truth[k]:.4f}"
            print(f"| {seed} | {errors:g} | {burden(told.requests[k])} | {said} |", flush=True)
    for errors, losses in lost.items():
        over = np.mean(np.array(losses) > LOSS_MAX)
        print(f"{errors:g} standard errors: true loss {np.mean(losses):.4f} on average, over {LOSS_MAX} in {over:.0%}")


def one_world(seed: int) -> tuple[Search, np.ndarray]:
    """The search on one world, and what each request truly loses."""
    how = columns()
    taught = direct.sample(1, PEOPLE, seed, BASE, SPAN, how)
    judged = direct.sample(1_000_000, 1_000_000 + OTHERS, seed, BASE, SPAN, how)
    known = {spec.name: spec for spec in specs_of(all_features())}
    who = np.unique(taught.person, return_inverse=True)[1]
    params = Params.model_validate({"policy": "explicit-consent", "as_of": "2026-06-01T00:00:00Z", "seed": seed})
    specs = tuple(known[name] for name in how.names)
    data = Study(params, specs, np.arange(len(specs)), taught.x, taught.is_bad, who)
    told = search(data, REPEATS, lambda done: quiet("", done, REPEATS))
    read = representatives(data)
    category = np.array(data.categories)[read]
    reads = np.array([np.isin(category, request) for request in told.requests])
    fitted = slopes(data.ranks[:, read], data.bad, reads, told.penalty)
    ranks = levels(np.concatenate([taught.x, judged.x])[:, read])[len(taught.x) :]
    areas = np.array([expected_auc(score, judged.pd) for score in (ranks @ fitted).T])
    return told, areas[-1] - areas


def columns() -> direct.Measured:
    """The columns on whole windows that are not nearly always missing."""
    whole = {column for f in all_features() for column, cut in f.columns.items() if not cut.parts}
    how = direct.measured()
    at = [i for i, name in enumerate(how.names) if name in whole and how.missing[i] < 0.9]
    return direct.Measured(**{f: [getattr(how, f)[i] for i in at] for f in direct.Measured.__dataclass_fields__})


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 6)
