"""What each family of features is worth: the pipeline's own booster on 20,000 applications, judged by true PD.

`python -m benchmarks.families 5` draws so many worlds without events (another seed each), learns on 20,000
applications, and judges on 100,000 of other people: all features, each family alone, and all but one family. Means
over the worlds, with 95 % intervals for what leaving a family out costs. With `events` after the number, the worlds
are drawn event by event and taken from raw drops to features as `saakh run` does: half an hour and 10 GB a world.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.stats import t as student

from benchmarks.base import params_for
from features.catalogue import all_features, specs_of
from models.default import Rows, fit, shards_for
from models.refusals import Refusals, keys
from pipeline.judge import expected_auc
from pipeline.params import Params
from pipeline.run import run_stage
from pipeline.train import as_inputs, settings_for
from pipeline.workspace import Workspace, read_json
from pipeline.world import direct
from pipeline.world.clock import Span
from pipeline.world.knobs import BASE
from pipeline.world.part import Part, drawn
from pipeline.world.remeasure import derived
from saakh.spec import FAMILIES, FeatureSpec

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
LEARNING, JUDGED = 20_000, 100_000
PEOPLE = 90_000
SPAN = Span.of(AS_OF, 480, 150)


def main(worlds: int, draw: Callable[[int], direct.Sample]) -> None:
    """Print the table, and the AUC of the truth."""
    known = {spec.name: spec for spec in specs_of(all_features())}
    found = [one_world(draw(seed), seed, known) for seed in range(1, worlds + 1)]
    mean = {name: np.mean([f[name] for f in found]) for name in found[0]}
    print(
        f"{worlds} worlds: truth {mean['truth']:.4f}, all five families {mean['all']:.4f}, bad rate {mean['bad']:.4f}"
    )
    print("| family | alone | leaving it out costs | interval |\n|---|---|---|---|")
    for family in FAMILIES:
        costs = np.array([f["all"] - f[f"without {family}"] for f in found])
        reach = student.ppf(0.975, worlds - 1) * costs.std(ddof=1) / np.sqrt(worlds) if worlds > 1 else np.nan
        low, high = costs.mean() - reach, costs.mean() + reach
        interval = f"{low:.4f} to {high:.4f}" if worlds > 1 else "one world"
        print(f"| {family} | {mean[family]:.4f} | {costs.mean():.4f} | {interval} |")


def without_events(seed: int) -> direct.Sample:
    """A base world drawn straight at feature level."""
    return direct.sample(1, PEOPLE, seed, BASE, SPAN)


def with_events(seed: int) -> direct.Sample:
    """A base world drawn event by event, and its features derived from raw drops."""
    with TemporaryDirectory(prefix="saakh-families-") as folder:
        params = params_for(seed, PEOPLE, Path(folder))
        for stage in ("simulate", "ingest", "cohort", "derive"):
            run_stage(stage, params, Workspace(params.workspace))
        specs = read_json(params.workspace / "derive/specs.json")
        told = drawn(Part(0, 1, PEOPLE, seed, BASE, SPAN))
        rows, x = derived(params, told, [s["name"] for s in specs])
    lent = told.loans
    return direct.Sample(
        x=x,
        names=[s["name"] for s in specs],
        families=[s["family"] for s in specs],
        person=lent.who[rows],
        applied_at=lent.applied_at[rows],
        log_odds=lent.log_odds[rows],
        pd=lent.pd[rows],
        is_bad=lent.is_bad[rows],
        is_granted=lent.is_accepted[rows],
        propensity=lent.propensity[rows],
    )


def one_world(taken: direct.Sample, seed: int, known: dict[str, FeatureSpec]) -> dict[str, float]:
    """Expected AUC of every choice of families in one world."""
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
        shards = shards_for(LEARNING, int(taken.is_bad[learn].sum()))
        params = Params(policy="explicit-consent", as_of=AS_OF, workspace=Path(), seed=seed)
        settings = settings_for(params, LEARNING, len(specs), shards)
        who, key = taken.person[learn], keys([str(p) for p in taken.person[learn]], "shard")
        shard, nobody = (key % np.uint64(shards)).astype(np.int64), Refusals.none(LEARNING, len(specs))
        rows = Rows(x[learn], taken.is_bad[learn], who, fold[learn], shard, key, nobody)
        fitted = fit(rows, as_inputs(specs), settings, 2)
        read = x[judged][:, list(fitted.places)]
        found[name] = expected_auc(fitted.model.log_odds(read, Refusals.none(*read.shape)), taken.pd[judged])
    return found


if __name__ == "__main__":
    how = with_events if "events" in sys.argv[2:] else without_events
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, how)
