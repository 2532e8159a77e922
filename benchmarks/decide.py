"""What cut-offs by term and amount are worth against a single one: expected profit at the same bad rate, on new worlds.

`python -m benchmarks.decide 8` draws so many pairs of worlds without events. In the first of a pair the default
model learns on 20,000 applications, and both strategies are chosen on these by their out-of-fold scores: the single
cut-off of the highest expected profit, and cut-offs by term and amount within its bad rate. Both are judged on 30,000
applications of the second world, by true PD. There the single cut-off is moved, with hindsight, to the bad rate that
the other strategy turns out to have. Prices and costs are those of the sample terms' own lender for both; the second
table is for a lender that lends to nobody it expects to lose on, which alone makes most of the difference.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import t as student

from benchmarks.families import SPAN
from benchmarks.model import default
from features.catalogue import all_features, specs_of
from models.arrays import Floats
from models.metrics import probability
from models.refusals import Refusals
from pipeline.lending import read_terms
from pipeline.optimise.book import Book, figures, lend
from pipeline.optimise.cells import Bounds
from pipeline.optimise.search import best_flat, flat, optimised
from pipeline.params import Optimise
from pipeline.train import as_inputs
from pipeline.world import direct
from pipeline.world.knobs import BASE
from pipeline.world.part import Part, drawn
from saakh.terms import Lender, Strategy

TERMS = Path(__file__).parents[1] / "data/lending/sample.yaml"
PEOPLE, LEARNING, JUDGED = 20_000, 20_000, 30_000
UNSEEN = 1_000
"""What is added to a seed for the world that is judged on."""


@dataclass(frozen=True)
class Pair:
    """Two worlds: the book that strategies are chosen on, and the one they are judged on."""

    chosen_on: Book
    judged_on: Book


def main(worlds: int) -> None:
    """Print each pair's gain, then both tables."""
    own = read_terms(TERMS).lenders[0]
    careful = replace(own, economics=replace(own.economics, profit_bp_least=0))
    alone, guarded = [], []
    for seed in range(1, worlds + 1):
        drawn_once = pair(seed)
        alone.append(judged(drawn_once, own))
        guarded.append(judged(drawn_once, careful))
        print(f"pair {seed}: gain {alone[-1]['gain']:+.1%}, guarded {guarded[-1]['gain']:+.1%}", flush=True)
    report("cut-offs alone decide", alone)
    report("nobody is lent to at an expected loss", guarded)


def report(title: str, found: list[dict[str, float]]) -> None:
    """Print the means over worlds, and the 95 % interval of the gain."""
    mean = {name: float(np.mean([f[name] for f in found])) for name in found[0]}
    gains = np.array([f["gain"] for f in found])
    reach = student.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.nan
    print(f"{title}: {len(found)} unseen worlds, bad rate of both {mean['bad']:.4f}")
    print("| strategy | approved | expected profit an application, rupees |\n|---|---|---|")
    print(f"| single cut-off | {mean['flat approval']:.3f} | {mean['flat profit'] / 100:.2f} |")
    print(f"| by term and amount | {mean['approval']:.3f} | {mean['profit'] / 100:.2f} |")
    print(f"gain {gains.mean():+.1%}, 95 % interval {gains.mean() - reach:+.1%} to {gains.mean() + reach:+.1%}")


def pair(seed: int) -> Pair:
    """A world to learn and choose on, and another to judge on; the model is the first one's."""
    known = {spec.name: spec for spec in specs_of(all_features())}
    first = direct.sample(1, PEOPLE, seed, BASE, SPAN)
    inputs = as_inputs([known[name] for name in first.names])
    rows = slice(0, LEARNING)
    fitted = default(first.x[rows], first.is_bad[rows], first.person[rows], inputs)
    second = direct.sample(1, PEOPLE, seed + UNSEEN, BASE, SPAN)
    read = second.x[:JUDGED, list(fitted.places)]
    scored = fitted.model.log_odds(read, Refusals.none(*read.shape))
    return Pair(
        book(seed, probability(fitted.out_of_fold), None),
        book(seed + UNSEEN, probability(scored), second.pd[:JUDGED]),
    )


def book(seed: int, pd: Floats, truth: Floats | None) -> Book:
    """The first applications of a world: what is asked for, and over how many months."""
    loans = drawn(Part(0, 1, PEOPLE, seed, BASE, SPAN)).loans
    rows = slice(0, len(pd))
    return Book(pd, loans.rupees[rows] * 100, loans.dues[rows], truth=truth)


def judged(worlds: Pair, lender: Lender) -> dict[str, float]:
    """Both strategies' figures on the second world, at the bad rate of the one by term and amount."""
    _, reached = best_flat(worlds.chosen_on, lender)
    sizes = Optimise()
    bounds = Bounds(reached.bad_rate)
    chosen, _ = optimised(worlds.chosen_on, lender, sizes.amounts_minor, sizes.limits_minor, bounds)
    new = figures(worlds.judged_on, lend(worlds.judged_on, lender, chosen))
    old = figures(worlds.judged_on, lend(worlds.judged_on, lender, at_bad_rate(worlds.judged_on, lender, new.bad_rate)))
    return {
        "bad": new.bad_rate,
        "flat approval": old.approval,
        "flat profit": old.profit,
        "approval": new.approval,
        "profit": new.profit,
        "gain": new.profit / old.profit - 1,
    }


def at_bad_rate(book: Book, lender: Lender, bad_rate: float) -> Strategy:
    """The single cut-off with the highest bad rate that does not exceed this one."""
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        found = figures(book, lend(book, lender, flat(lender, middle)))
        low, high = (middle, high) if found.bad_rate <= bad_rate else (low, middle)
    return flat(lender, low)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8)
