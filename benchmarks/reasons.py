"""Whether applicants keep their reasons when a model is fitted again; whether flips and counterfactuals hold.

`python -m benchmarks.reasons params.yaml 4` reads a workspace that has been derived and labelled, learns the default
model on it, again from so many other seeds, and again with another tenth of the loans left out each time. Averaged over
the applicants judged out of time: how many of the four weightiest reasons are among the other model's four weightiest,
and how many of those that are told, near ties left out. One to two minutes a model at 20,000 applications.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from benchmarks.runtime import microseconds
from features.catalogue import all_features, specs_of
from models.splits import Split
from pipeline.bundle import REASONS_MOST
from pipeline.export import build
from pipeline.params import read_params
from pipeline.reasons import read_reasons
from pipeline.sample import Sample, read_sample, read_specs, refused
from pipeline.train import Learned, learn
from pipeline.workspace import Workspace
from saakh import archive
from saakh.scorecard import Scorecard
from saakh.spec import FeatureSpec
from tests import small_scorecard as small

JUDGED, FLIPPED, COUNTERED = 4_000, 1_000, 200
LEFT_OUT = 0.1


def main(path: Path, times: int) -> None:
    """Print the figures of reasons, of flips and of counterfactuals."""
    params = read_params(path)
    ws = Workspace(params.workspace)
    now = {spec.name: spec for spec in specs_of(all_features())}
    specs = [now[spec.name] for spec in read_specs(ws) if spec.name in now]
    sample = read_sample(ws, specs)
    learned = learn(params, specs, sample)
    card = scorecard(specs, learned)
    judged = np.flatnonzero(learned.split.out_of_time)[:JUDGED]
    print(
        f"{len(card.features)} inputs, {len(card.manifest.reasons.codes)} codes, {len(judged)} applicants", flush=True
    )
    told, four = codes(card, specs, sample, judged), weightiest(card, specs, sample, judged)
    print(f"reasons told: {np.mean([len(t) for t in told]):.2f} a person", flush=True)
    flips(card, specs, sample, judged[:FLIPPED])
    counterfactuals(card, specs, sample, judged[:COUNTERED])
    for number in range(1, times + 1):
        again = learn(params.model_copy(update={"seed": params.seed + number}), specs, sample)
        other = weightiest(scorecard(specs, again), specs, sample, judged)
        say(f"seed {number}", kept(four, other), kept(told, other))
    for number in range(1, times + 1):
        again = learn(params, specs, sample, split=without_a_tenth(learned.split, number))
        other = weightiest(scorecard(specs, again), specs, sample, judged)
        say(f"tenth {number}", kept(four, other), kept(told, other))


def scorecard(specs: Sequence[FeatureSpec], learned: Learned) -> Scorecard:
    """A scorecard of what was learned; what it says of the run is made up."""
    names = learned.fitted.model.names
    given = small.bundle(learned.fitted.model.text, 8, reasons=read_reasons())
    spreads = {n: s and asdict(s) for n, s in zip(names, learned.spreads, strict=True)}
    train = given.train | {"columns": list(names), "spreads": spreads}
    body = build(replace(given, specs=[spec.as_dict() for spec in specs], train=train))
    return Scorecard.from_members(archive.unpack(body))


def codes(card: Scorecard, specs: Sequence[FeatureSpec], sample: Sample, rows: np.ndarray) -> list[set[str]]:
    """The reason codes each of these is told."""
    return [{reason.code for reason in told} for told in card.reasons_many(*asked(card, specs, sample, rows))]


def weightiest(card: Scorecard, specs: Sequence[FeatureSpec], sample: Sample, rows: np.ndarray) -> list[set[str]]:
    """The four weightiest reason codes of each, ties or not."""
    points = card.explain_many(*asked(card, specs, sample, rows))
    group, names = card.reasons.group, np.array(card.reasons.codes)
    totals = np.stack([points[:, group == g].sum(axis=1) for g in range(len(names))], axis=1)
    return [set(names[order[:REASONS_MOST]].tolist()) for order in np.argsort(totals, axis=1)]


def asked(
    card: Scorecard, specs: Sequence[FeatureSpec], sample: Sample, rows: np.ndarray
) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """The scorecard's inputs of these loans, and what each refused of its categories."""
    place = {spec.name: i for i, spec in enumerate(specs)}
    withheld = [tuple(c for c in r if c in card.categories) for r in refused(sample.refusals.rows(rows), specs)]
    return sample.x[rows][:, [place[name] for name in card.features]], withheld


def without_a_tenth(split: Split, number: int) -> Split:
    """The same split without a tenth of the loans to learn from, drawn at random; those judged stay the same."""
    development = np.flatnonzero(split.development)
    out = np.random.default_rng(number).choice(development, int(LEFT_OUT * len(development)), replace=False)
    left = split.development.copy()
    left[out] = False
    return replace(split, development=left)


def kept(first: list[set[str]], other: list[set[str]]) -> float:
    """Which share of the first's reasons are among the other's, over those who are given any."""
    return float(np.mean([len(a & b) / len(a) for a, b in zip(first, other, strict=True) if a]))


def say(what: str, four: float, told: float) -> None:
    """Print one comparison."""
    print(f"{what}: {four:.3f} of the four weightiest kept, {told:.3f} of those told", flush=True)


def flips(card: Scorecard, specs: Sequence[FeatureSpec], sample: Sample, rows: np.ndarray) -> None:
    """Print how many of the reasons raise the score when their inputs are set to better values."""
    place, stood, count = {name: i for i, name in enumerate(card.features)}, 0, 0
    for x, withheld in zip(*asked(card, specs, sample, rows), strict=True):
        score = card.score(dict(zip(card.features, x.tolist(), strict=True)), withheld)
        for reason in score.reasons:
            flipped = card.reasons.flips.flipped(x, [place[name] for name in reason.features])
            again = card.score(dict(zip(card.features, flipped.tolist(), strict=True)), withheld)
            stood, count = stood + (again.points > score.points), count + 1
    print(f"flip test: {stood:,} of {count:,} reasons told raise the score", flush=True)


def counterfactuals(card: Scorecard, specs: Sequence[FeatureSpec], sample: Sample, rows: np.ndarray) -> None:
    """Print how often there is one, how large, whether scoring it again reaches its band, and what the search takes."""
    x, withheld = asked(card, specs, sample, rows)
    given = [dict(zip(card.features, row, strict=True)) for row in x.tolist()]
    began = time.perf_counter()
    found = [card.counterfactual(row, r) for row, r in zip(given, withheld, strict=True)]
    each = (time.perf_counter() - began) / len(found) * 1e3
    there = [(f, row, r) for f, row, r in zip(found, given, withheld, strict=True) if f.outcome == "found"]
    valid = sum(card.score(row | {c.feature: c.after for c in f.changes}, r).band == f.band for f, row, r in there)
    sizes = np.bincount([len(f.measures) for f, _, _ in there], minlength=4)[1:].tolist()
    print(
        f"counterfactuals: {len(there)} found of {len(found)}, {sum(f.outcome == 'best' for f in found)} in the best; "
        f"{valid} valid; {sizes} of one, two and three measures; {each:.0f} ms each",
        flush=True,
    )
    p50, p99 = microseconds(lambda i: card.score(given[i % len(given)]), 2_000)
    print(f"score with reasons: p50 {p50:.0f} us, p99 {p99:.0f} us", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else 4)
